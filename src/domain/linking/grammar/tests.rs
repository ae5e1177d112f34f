//! Descriptions as people write them, and what each comes to.

use super::*;

mod properties;
mod table;

/// Reads as in `shop/front/web` on a GitLab with a port and a relative root, with two verbs of the project's own.
fn read(description: &str) -> Reading {
    let home = "shop/front/web".parse().unwrap();
    Grammar::new(
        "https://GitLab.example:8443/git/",
        &home,
        &["delivers".to_owned(), "完了".to_owned()],
        &["helps with".to_owned()],
    )
    .unwrap()
    .read(description)
}

/// One claim as `+#34` (contributes) or `!shop/web#34` (closes).
fn claims(description: &str) -> Vec<String> {
    read(description).claims.iter().map(show).collect()
}

fn show(claim: &Claim) -> String {
    let sign = match claim.kind {
        LinkKind::Closes => '!',
        LinkKind::Contributes => '+',
    };
    match &claim.target {
        Target::Here { iid } => format!("{sign}#{iid}"),
        Target::There(feature) => format!("{sign}{feature}"),
    }
}

#[test]
fn line_ends_of_windows_change_nothing_in_html_either() {
    let text = "closes feature #1\n<details>\ncloses feature #1&#35;6\n";
    let (unix, windows) = (read(text), read(&text.replace('\n', "\r\n")));
    let found = |reading: &Reading| {
        (
            reading.claims.len(),
            reading.problems.len(),
            reading.remarks.len(),
        )
    };
    assert_eq!(found(&unix), found(&windows));
}

#[test]
fn a_claim_knows_its_line_and_where_it_stands_in_it() {
    let reading = read("Intro\r\n\r\n* x\r\n  * **Closes** features #1,\r\n    #2\r\n");
    let first = &reading.claims[0].line;
    assert_eq!(
        (first.number, first.text.as_str()),
        (4, "* **Closes** features #1,")
    );
    assert_eq!(
        first.corrected(None, "#9").unwrap(),
        "* **Closes** features #9,"
    );
    assert_eq!(
        first.corrected(Some("Contributes to"), "#1").unwrap(),
        "* **Contributes to** features #1,"
    );
    assert!(!first.alone);
    let second = &reading.claims[1].line;
    assert_eq!((second.number, second.text.as_str()), (5, "#2"));
    assert_eq!(
        second.corrected(Some("contributes to"), "#2"),
        None,
        "the verb is on another line"
    );
}

#[test]
fn a_corrected_line_is_read_as_the_link_that_was_meant() {
    for (written, reference, corrected) in [
        (
            "- [ ] closes feature 42.",
            "#42",
            "- [ ] closes feature #42.",
        ),
        ("Closes feature: ", "#42", "Closes feature: #42"),
        ("closes feature", "#42", "closes feature #42"),
        ("closes feature #", "#42", "closes feature #42"),
        ("closes feature `#42`", "#42", "closes feature #42"),
        (
            "closes feature [x](https://other.example/-/issues/1)!",
            "#42",
            "closes feature #42!",
        ),
        (
            "closes feature <https://other.example/a/b/-/issues/1>",
            "#42",
            "closes feature #42",
        ),
        (
            "| closes feature | 42 |\n|---|---|",
            "#42",
            "| closes feature #42 | 42 |",
        ),
        ("closes feature ！42 ！", "#42", ""),
    ] {
        let reading = read(&format!("Hello\n\n{written}"));
        let Some(problem) = reading.problems.first() else {
            assert_eq!(corrected, "", "{written}: {reading:?}");
            continue;
        };
        let space = if problem.line.reference.as_ref().unwrap().is_empty() {
            " "
        } else {
            ""
        };
        let line = problem
            .line
            .corrected(None, &format!("{space}{reference}"))
            .unwrap();
        assert_eq!(line, corrected, "{written}");
    }
}

#[test]
fn a_long_line_is_cut_and_a_reference_behind_the_cut_has_no_place_in_it() {
    let reading = read(&format!("{} closes feature #42", "word ".repeat(60)));
    let line = &reading.claims[0].line;
    assert_eq!(line.text.chars().count(), 200);
    assert_eq!((line.corrected(None, "#1"), line.number), (None, 1));
}

#[test]
fn more_features_than_anybody_means_are_not_read_to_the_end() {
    let list: Vec<String> = (1..=5_000).map(|iid| format!("#{iid}")).collect();
    let reading = read(&format!("closes features {}", list.join(", ")));
    assert!(reading.too_many && reading.claims.len() <= 2 * MOST_FEATURES);
    let once: Vec<&str> = vec!["#1"; 5_000];
    let reading = read(&format!("closes features {}", once.join(", ")));
    assert!(
        !reading.too_many && reading.claims.len() == 1,
        "one feature, however often"
    );
}
