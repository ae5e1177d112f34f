//! Given what the notes tell, what do people read, and what can a template not do?

use super::*;
use crate::domain::ids::{CommitSha, FeatureId, MergeRequestId};
use crate::domain::release_notes::Validation;
use crate::domain::versioning::Number;

fn home() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn mr(iid: u64) -> MergeRequestId {
    MergeRequestId {
        project: home(),
        iid,
    }
}

fn change(iid: u64, title: &str, kind: Option<LinkKind>) -> Change {
    Change {
        merge_request: mr(iid),
        title: title.to_owned(),
        author: "ana".parse().unwrap(),
        kind,
        breaking: iid == 3,
        out_before: None,
    }
}

fn brought(iid: u64, shown: Shown, completed: bool, changes: Vec<Change>) -> Brought {
    Brought {
        id: FeatureId {
            project: home(),
            iid,
        },
        shown,
        completed,
        changes,
        validations: Vec::new(),
        open_criteria: Vec::new(),
        open_merge_requests: Vec::new(),
    }
}

fn whole(title: &str, benefit: Option<&str>) -> Shown {
    Shown::Whole {
        title: title.to_owned(),
        benefit: benefit.map(str::to_owned),
    }
}

fn notes() -> ReleaseNotes {
    let shown = whole("Pay by card", Some("no cash\n/close @all"));
    let changes = vec![
        change(1, "Begin", Some(LinkKind::Contributes)),
        change(2, "Do it, @ana", Some(LinkKind::Closes)),
    ];
    let mut card = brought(34, shown, true, changes);
    card.validations = ["po", "qa"]
        .map(|role| Validation {
            role: role.parse().unwrap(),
            by: "olga".parse().unwrap(),
            at: Timestamp::UNIX_EPOCH,
        })
        .to_vec();
    card.open_criteria = vec!["refunds <b>".to_owned()];
    card.open_merge_requests = vec![StillOpen {
        id: mr(9),
        title: "Later".to_owned(),
        author: "eve".parse().unwrap(),
        links: Vec::new(),
    }];
    let secret = brought(
        40,
        Shown::Confidential,
        true,
        vec![change(4, "Hidden", None)],
    );
    let gift = brought(
        35,
        whole("Gifts", None),
        false,
        vec![change(3, "Paper", None)],
    );
    ReleaseNotes {
        number: Number::of_tag("v1.3.0", "v").unwrap(),
        previous: Number::of_tag("v1.2.0", "v"),
        commit: "a".repeat(40).parse::<CommitSha>().unwrap(),
        at: Timestamp::UNIX_EPOCH,
        features: vec![card, gift, secret],
        others: vec![change(5, "Tidy `up`", None)],
        contributors: vec!["ana".parse().unwrap(), "dan".parse().unwrap()],
        trials: 2,
        around: vec![Around {
            commit: "b".repeat(40).parse::<CommitSha>().unwrap(),
            subject: "Quick fix".to_owned(),
            author: "Root".to_owned(),
            merge_request: None,
            commits: 1,
        }],
    }
}

const ALL: &str = "https://gitlab.example/shop/web/-/compare/v1.2.0...v1.3.0";

fn by(source: &str) -> Result<String, Problem> {
    let template = Template {
        path: ".gitlab/notes.md".to_owned(),
        source: source.to_owned(),
    };
    release_notes(&notes(), Some(&template), &home(), ALL).map(|written| written.text)
}

#[test]
fn the_usual_notes_tell_features_first_and_what_is_left_over() {
    let written = release_notes(&notes(), None, &home(), ALL).unwrap();
    assert_eq!(written.cut, None);
    let expected = "\
## Features

- **Pay by card (#34)**
  - what for: no cash /close @\u{2060}all
  - !1 Begin by `ana`
  - !2 Do it, @\u{2060}ana by `ana`
  - validated by `olga` (po, 1970-01-01), `olga` (qa, 1970-01-01)
  - left over, a criterion that is not ticked: refunds &lt;b&gt;
  - left over, still open: !9 Later by `eve`
- **a confidential feature**
  - !4 Hidden by `ana`

## Work on features to come

- **Gifts (#35)**
  - !3 Paper by `ana` (breaking)

## Other changes

- !5 Tidy \\`up\\` by `ana`

## Not from the queue

These commits reached the branch without being tried together with the others:

- bbbbbbbb Quick fix by Root

Version 1.3.0: 5 change sets by `ana`, `dan`, each validated in the non-regression environment (2 trials).";
    assert_eq!(written.text, expected);
}

#[test]
fn a_project_has_its_own_template_and_no_template_lets_untrusted_text_through() {
    let text = by("# {{ version }} ({{ date }})\n{% for f in completed %}{{ f.name }}: {{ f.benefit }}\n{% endfor %}").unwrap();
    assert_eq!(
        text,
        "# 1.3.0 (1970-01-01)\nPay by card (#34): no cash /close @\u{2060}all\na confidential feature:"
    );
    for way_around in [
        "{% autoescape false %}{{ completed[0].changes[1].title }}{% endautoescape %}",
        "{% set t %}{{ completed[0].changes[1].title }}{% endset %}{{ t }}",
        "{{ completed[0].changes|map(attribute='title')|join(', ') }}",
        "{{ completed[0].changes[1].title|upper|lower }}",
        "{{ \"%s\"|format(completed[0].changes[1].title) }}",
        "{{ completed[0].changes[1].reference ~ completed[0].changes[1].title }}",
        "{{ completed[0].name|replace('card', completed[0].changes[1].title) }}",
    ] {
        let text =
            by(way_around).unwrap_or_else(|problem| panic!("{way_around}: {}", problem.what));
        assert!(!text.contains("@ana"), "{way_around}: {text}");
    }
    assert!(by("{{ completed[0].changes[1].title|safe }}").is_err());
}

#[test]
fn a_template_that_cannot_be_used_is_told_with_its_line_and_changes_nothing() {
    for (source, expected) in [
        (
            "one\n{{ verison }}\n",
            "line 2, `{{ verison }}`: it uses a name that notes do not have",
        ),
        ("{% for x in completed %}\n", "line 1"),
        (
            "one\ntwo\n{{ version|shout }}",
            "line 3, `{{ version|shout }}`: unknown filter",
        ),
        ("{% include '/etc/passwd' %}", "line 1"),
        (
            "{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}",
            "it ",
        ),
    ] {
        let problem = by(source).unwrap_err();
        assert!(
            problem.what.contains(expected),
            "{source}: {}",
            problem.what
        );
        assert!(
            problem
                .what
                .starts_with("the template `.gitlab/notes.md` of the release notes cannot be used")
        );
        assert_eq!(problem.code, crate::outcome::ExitCode::Misconfigured);
    }
    let long = "x".repeat(template::MOST_SOURCE + 1);
    assert!(
        by(&long)
            .unwrap_err()
            .what
            .contains("at most 200000 are read")
    );
}

#[test]
fn notes_that_gitlab_would_not_keep_are_cut_with_a_link_and_say_so() {
    let mut notes = notes();
    notes.others = (0..20_000)
        .map(|n| change(n + 100, "A title of some length, to fill the page", None))
        .collect();
    let written = release_notes(&notes, None, &home(), ALL).unwrap();
    assert!(written.text.chars().count() <= MOST_NOTES);
    assert!(written.cut.unwrap() > 100_000);
    assert!(written.text.ends_with(&format!(
        "the rest is left out. [Everything that changed]({ALL})"
    )));
    let message = tag_message(&notes, Some("00"), &home());
    assert!(message.len() < MOST_MESSAGE + 500, "{}", message.len());
    assert!(
        message.ends_with("more lines\n\nTrainyard-Version: 1.3.0\nTrainyard-Manifest: sha256:00")
    );
}

#[test]
fn the_tag_names_what_everybody_may_know_and_the_checksum() {
    let message = tag_message(&notes(), Some("abc"), &home());
    let expected = "\
Version 1.3.0

Features:
- Pay by card (#34): !1, !2

Work on features to come:
- Gifts (#35): !3

Other changes:
- Tidy `up`: !5

Trainyard-Version: 1.3.0
Trainyard-Manifest: sha256:abc";
    assert_eq!(message, expected);
}

#[test]
fn a_changelog_gets_each_version_once_at_its_top() {
    let url = "https://gitlab.example/r";
    let first = changelog("", &notes(), &home(), url).unwrap();
    assert!(first.starts_with("# Changelog\n\n## [1.3.0](https://gitlab.example/r) - 1970-01-01\n\n- Pay by card (#34) (!1, !2)\n"));
    assert!(
        first.contains("- Work on Gifts (#35) (!3, breaking)\n"),
        "{first}"
    );
    assert_eq!(
        changelog(&first, &notes(), &home(), url),
        None,
        "it is there"
    );
    let before = "# Changes\n\nOf note.\n\n## Unreleased\n\n- mine\n\n## [1.2.0] - 1969\n\n- old\n";
    let after = changelog(before, &notes(), &home(), url).unwrap();
    assert!(
        after.starts_with("# Changes\n\nOf note.\n\n## Unreleased\n\n- mine\n\n## [1.3.0]("),
        "{after}"
    );
    assert!(
        after.ends_with("- Tidy \\`up\\` (!5)\n\n## [1.2.0] - 1969\n\n- old\n"),
        "{after}"
    );
}
