//! The table: descriptions from real life.

use super::*;

#[test]
fn links_as_people_write_them() {
    let here = "https://gitlab.example:8443/git";
    let table: &[(&str, &[&str])] = &[
        // The words.
        ("contributes to feature #34", &["+#34"]),
        ("closes feature #42", &["!#42"]),
        ("Closes Feature #42.", &["!#42"]),
        ("CLOSES FEATURES #1,#2 , #3", &["!#1", "!#2", "!#3"]),
        (
            "contributing to features #1, #2 and #3",
            &["+#1", "+#2", "+#3"],
        ),
        ("closing feature: #5 & #6", &["!#5", "!#6"]),
        ("contribute to feature api#7", &["+shop/front/api#7"]),
        ("Closes: feature #42", &["!#42"]),
        ("closes feature(s): #42", &["!#42"]),
        ("Closes : Feature : #42", &["!#42"]),
        (
            "delivers feature #3, helps  with features #4",
            &["!#3", "+#4"],
        ),
        ("完了 feature #3", &["!#3"]),
        (
            "This finally closes feature #42, which was asked for by many.",
            &["!#42"],
        ),
        ("feat(pay): cards (closes feature #42)", &["!#42"]),
        ("-closes feature #42", &["!#42"]),
        ("—closes feature #42", &["!#42"]),
        (
            "Not only closes feature #1 but also contributes to feature #2",
            &["!#1", "+#2"],
        ),
        // Lists.
        ("close features #1, and #2; #3", &["!#1", "!#2", "!#3"]),
        ("closes feature #1 and feature #2", &["!#1", "!#2"]),
        ("closes features #1 #2 #3", &["!#1", "!#2", "!#3"]),
        ("closes features #1 + #2 / #3", &["!#1", "!#2", "!#3"]),
        (
            "closes features #1 (login), #2 (pay by card)",
            &["!#1", "!#2"],
        ),
        (
            "closes features '#1', \"#2\" and (#3)",
            &["!#1", "!#2", "!#3"],
        ),
        (
            "contributes to feature #1 and closes feature #2",
            &["+#1", "!#2"],
        ),
        ("closes feature #42,\n#43", &["!#42", "!#43"]),
        ("closes\nfeature #42", &["!#42"]),
        ("- closes features #1,\n  #2\n- x", &["!#1", "!#2"]),
        (
            "- closes feature #1\n- contributes to feature #2",
            &["!#1", "+#2"],
        ),
        (
            "- [ ] closes feature #1\n- [x] contributes to feature #2",
            &["!#1", "+#2"],
        ),
        (
            "1. closes feature #1\n2) contributes to feature #2",
            &["!#1", "+#2"],
        ),
        ("closes feature #1, 2 people asked", &["!#1"]),
        ("closes feature #1\ncloses feature #1", &["!#1"]),
        ("closes feature #1 and #1", &["!#1"]),
        // What stands below or beside the words.
        (
            "Closes features:\n- #1\n- #2 the second\n- and more\n- #3",
            &["!#1", "!#2", "!#3"],
        ),
        (
            "Closes features:\n\n* #1, #2\n* contributes to feature #3\n\n#4 is another matter",
            &["!#1", "!#2", "+#3"],
        ),
        ("## Closes feature\n\n#42", &["!#42"]),
        (
            "### Contributes to features\n- [#1](https://gitlab.example:8443/git/shop/web/-/issues/1)\n  - detail\n- #2\n\n- #3",
            &["+shop/web#1", "+#2", "+#3"],
        ),
        (
            "- closes features:\n  - #1\n  - #2\n- #5 is something else",
            &["!#1", "!#2"],
        ),
        ("| a | b |\n|---|---|\n| closes feature #1 | x |", &["!#1"]),
        (
            "| closes feature | #42 |\n|---|---|\n| contributes to feature | #43 |",
            &["!#42", "+#43"],
        ),
        // References.
        ("closes feature other/group/api#7", &["!other/group/api#7"]),
        ("closes feature #42+, #43+s", &["!#42", "!#43"]),
        (
            "closes feature GL-42 and [issue:43], [work_item:a/b/44]",
            &["!#42", "!#43", "!a/b#44"],
        ),
        (
            &format!("closes feature {here}/a/b/-/issues/9"),
            &["!a/b#9"],
        ),
        (
            &format!("closes feature {here}/a/b/-/issues/9/"),
            &["!a/b#9"],
        ),
        (
            &format!("closes feature {here}/a/b/-/issues/9+s, #3"),
            &["!a/b#9", "!#3"],
        ),
        (
            &format!("closes feature {here}/a/b/-/work_items/9?x=1#note_3."),
            &["!a/b#9"],
        ),
        (
            &format!("closes feature {here}/a/b/-/issues/9#note_3, #3"),
            &["!a/b#9", "!#3"],
        ),
        (
            &format!("closes feature {here}/a/b/-/issues/incident/9"),
            &["!a/b#9"],
        ),
        (
            "closes feature <http://GITLAB.example:8443/git/a/b/issues/9>",
            &["!a/b#9"],
        ),
        (
            &format!("closes feature {here}/a/b/-/issues/9。"),
            &["!a/b#9"],
        ),
        (
            &format!("closes feature [the card]({here}/a/b/-/issues/9), #3"),
            &["!a/b#9", "!#3"],
        ),
        (
            &format!("closes feature [#9]({here}/a/b/-/issues/9) and #3"),
            &["!a/b#9", "!#3"],
        ),
        (
            &format!("closes feature [**#9**]({here}/a/b/-/issues/9)"),
            &["!a/b#9"],
        ),
        (
            "closes feature [#9](/shop/web/-/issues/9 \"The card\")",
            &["!#9"],
        ),
        (
            "closes feature [x][card]\n\n[card]: https://gitlab.example:8443/git/a/b/-/issues/9",
            &["!a/b#9"],
        ),
        // Marks around words and references.
        (
            "closes feature **#42**, _#43_ and ***#44***",
            &["!#42", "!#43", "!#44"],
        ),
        ("**Closes** feature #42", &["!#42"]),
        ("**closes feature** #42", &["!#42"]),
        ("_closes feature #42_", &["!#42"]),
        ("closes feature \\#42", &["!#42"]),
        ("closes&nbsp;feature &#35;42", &["!#42"]),
        ("closes <b>feature</b> #42", &["!#42"]),
        ("closes feature <!-- the card --> #42", &["!#42"]),
        ("closes feature<br>#42", &["!#42"]),
        ("# closes feature #42", &["!#42"]),
        ("# closes feature #42 #", &["!#42"]),
        ("closes feature #42  \nnext line", &["!#42"]),
        (
            "<details>\n<summary>Links</summary>\ncloses feature #42\n</details>",
            &["!#42"],
        ),
        (
            "<details><summary>closes feature #42</summary>\n\ncloses feature #43\n\n</details>",
            &["!#42", "!#43"],
        ),
        ("> [!note]\n> closes feature #42", &["!#42"]),
        (
            "> [!WARNING] Mind the data\n> closes feature #42",
            &["!#42"],
        ),
        // Other scripts.
        ("closes\u{a0}feature\u{a0}#42", &["!#42"]),
        ("この変更はcloses feature #42。", &["!#42"]),
        ("closes feature #42を完了", &["!#42"]),
        ("closes feature：＃42、＃43", &["!#42", "!#43"]),
        ("closes feature ＃４２，＃４３", &["!#42", "!#43"]),
        ("\u{202b}closes feature \u{200f}#42\u{202c}", &["!#42"]),
        ("سيغلق هذا closes feature #٤٢", &["!#42"]),
        ("המיזוג closes feature #42", &["!#42"]),
        ("closes feature #\u{2060}42", &["!#42"]),
        ("clo\u{ad}ses feature\u{200b} #42", &["!#42"]),
        ("\u{feff}closes feature #42", &["!#42"]),
        ("🚀closes feature #42🎉", &["!#42"]),
        (":rocket: closes feature #42 :tada:", &["!#42"]),
        ("Ferme la carte « closes feature #42 »", &["!#42"]),
        ("„closes feature #42“", &["!#42"]),
        (
            "closes feature #42\r\n\r\ncontributes to feature #43\r\n",
            &["!#42", "+#43"],
        ),
        // A line of a template left unfilled beside one that is filled.
        ("Contributes to feature:\nCloses feature: #42", &["!#42"]),
        ("contributes to feature #\ncloses feature #42", &["!#42"]),
    ];
    let wrong: Vec<String> = table
        .iter()
        .filter(|(description, expected)| claims(description) != *expected)
        .map(|(description, _)| format!("{description:?}: {:?}", read(description)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(table.len() >= 80, "{}", table.len());
}

#[test]
fn what_is_no_link() {
    for description in [
        "",
        "closes #42",
        "discloses feature #42",
        "un-closes feature #42",
        "closed feature #42",
        "contributes feature #42",
        "this closes features of the old menu",
        "closes feature flags and #42",
        "featured: closes the deal with #42",
        "closes feature-flag #42",
        "closest feature #42",
        "does not close feature #42",
        "This doesn’t close feature #42",
        "no longer closes feature #42",
        "`closes feature #42`",
        "closes `feature` #42",
        "```\ncloses feature #42\n```",
        "```\ncloses feature #42",
        "~~~md\ncloses feature #42\n~~~",
        "````\n```\ncloses feature #42\n```\ncloses feature #43\n````",
        "- ```\n  closes feature #42\n  ```",
        "text\n\n    closes feature #42",
        "<!-- closes feature #42 -->",
        "<!--\n\ncloses feature #42\n\n-->",
        "before <!-- closes feature #42 --> after",
        "<!-- never closed\ncloses feature #42",
        "<details>\n<!-- a\n\ncloses feature #42\n\n-->\n</details>",
        "<pre>\ncloses feature #42\n</pre>",
        "<code>closes feature #42</code>",
        "<blockquote>\n\ncloses feature #42\n\n</blockquote>",
        "~~closes feature #42~~",
        "<del>closes feature #42</del>",
        "> closes feature #42\n\nI do not think so",
        "> > closes feature #42\nlazy line, closes feature #43",
        ">>>\ncloses feature #42\n\ncloses feature #43\n>>>",
        "![closes feature #42](x.png)",
        "[closes feature]: #42",
    ] {
        assert_eq!(claims(description), Vec::<String>::new(), "{description:?}");
        assert_eq!(read(description).problems, [], "{description:?}");
    }
}

#[test]
fn a_line_meant_as_a_link_is_named_with_its_problem() {
    let foreign = |url: &str| Problem::NotAnIssueHere {
        url: url.to_owned(),
    };
    let not_a_number = |text: &str| Problem::NotANumber {
        text: text.to_owned(),
    };
    let table: Vec<(&str, Problem)> = vec![
        ("closes feature 42", Problem::NoHash { iid: 42 }),
        (
            "closes features #41, 42 and #43",
            Problem::NoHash { iid: 42 },
        ),
        ("closes feature no. 42", Problem::NoHash { iid: 42 }),
        ("closes feature n°42", Problem::NoHash { iid: 42 }),
        ("closes feature !42", Problem::MergeRequest { iid: 42 }),
        ("closes feature &42", Problem::Epic { iid: 42 }),
        ("closes feature #", Problem::NoNumber),
        ("closes feature #<number>", Problem::NoNumber),
        ("closes feature #XX", Problem::NoNumber),
        ("closes feature #___", Problem::NoNumber),
        ("closes feature: <!-- number -->", Problem::NoNumber),
        (
            "## Closes feature\n\n## Description\n\n#5 people asked",
            Problem::NoNumber,
        ),
        ("Closes feature:\nWhat it does: things", Problem::NoNumber),
        (
            "closes feature #0",
            Problem::BadNumber { digits: "0".into() },
        ),
        (
            "closes feature #99999999999999999999999",
            Problem::BadNumber {
                digits: "99999999999999999999999".into(),
            },
        ),
        ("closes feature #42abc", not_a_number("#42abc")),
        ("closes feature #login", not_a_number("#login")),
        ("closes feature #PAY-12", not_a_number("#PAY")),
        (
            "closes features #1-#4",
            Problem::AnyOf { first: 1, last: 4 },
        ),
        ("closes features #1–4", Problem::AnyOf { first: 1, last: 4 }),
        (
            "closes features #1 ... #4",
            Problem::AnyOf { first: 1, last: 4 },
        ),
        ("closes feature `#42`", Problem::InCode { iid: 42 }),
        (
            "closes feature [#9](https://gitlab.example:8443/git/a/b/-/issues/10)",
            Problem::TwoNumbers {
                shown: 9,
                leads_to: 10,
            },
        ),
        (
            "closes feature https://other.example/a/b/-/issues/9",
            foreign("https://other.example/a/b/-/issues/9"),
        ),
        (
            "closes feature https://gitlab.example/git/a/b/-/issues/9",
            foreign("https://gitlab.example/git/a/b/-/issues/9"),
        ),
        (
            "closes feature https://gitlab.example:8443/a/b/-/issues/9",
            foreign("https://gitlab.example:8443/a/b/-/issues/9"),
        ),
        (
            "closes feature [card](https://other.example/b/1)",
            foreign("https://other.example/b/1"),
        ),
        (
            "closes feature https://gitlab.example:8443/git/a/b/-/merge_requests/9",
            foreign("https://gitlab.example:8443/git/a/b/-/merge_requests/9"),
        ),
        (
            "closes feature https://gitlab.example:8443/git/groups/a/-/work_items/9",
            foreign("https://gitlab.example:8443/git/groups/a/-/work_items/9"),
        ),
    ];
    for (description, problem) in table {
        let reading = read(description);
        assert!(
            reading
                .problems
                .iter()
                .any(|found| found.problem == problem),
            "{description}: {reading:?}"
        );
    }
}

#[test]
fn words_that_come_near_a_link_are_remarked_on_with_what_would_be_one() {
    let table: &[(&str, Near, &str)] = &[
        ("fixes feature #42", Near::OtherWords, "#42"),
        ("closed feature #42", Near::OtherWords, "#42"),
        ("contributes feature #42", Near::OtherWords, "#42"),
        ("contributes towards feature #42", Near::OtherWords, "#42"),
        ("closes the feature #42", Near::OtherWords, "#42"),
        ("closes feature request #42", Near::OtherWords, "#42"),
        (
            "implements the new feature a/b#42",
            Near::OtherWords,
            "a/b#42",
        ),
        ("closes #42", Near::NoFeatureWord, "#42"),
        ("contributes to #42", Near::NoFeatureWord, "#42"),
        ("does not close feature #42", Near::Denied, "#42"),
        (
            "<!-- closes feature #42 -->",
            Near::Aside(Place::Comment),
            "#42",
        ),
        ("`closes feature #42`", Near::Aside(Place::Code), "#42"),
        (
            "```\ncloses feature #42\n```",
            Near::Aside(Place::Code),
            "#42",
        ),
        ("> closes feature #42", Near::Aside(Place::Quote), "#42"),
        ("~~closes feature #42~~", Near::Aside(Place::Struck), "#42"),
    ];
    for (description, why, reference) in table {
        let reading = read(description);
        let found: Vec<(Near, &str)> = reading
            .remarks
            .iter()
            .map(|remark| (remark.why, remark.reference.as_str()))
            .collect();
        assert_eq!(found, [(*why, *reference)], "{description}");
    }
    for prose in [
        "closes the deal; see #42",
        "this fixes a crash. Feature work goes on in #42",
        "the fix for the feature of last year",
        "closes the door",
        "implements what !42 began",
    ] {
        assert_eq!(read(prose).remarks, [], "{prose}");
    }
}
