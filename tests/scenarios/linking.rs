//! Links, from what people write to what they read: refusals and their mends, policies, moved and confidential features, and the
//! one closing merge request per feature.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::demo::people::BOT;
use trainyard::domain::event::Fact;
use trainyard_emulator::faults::{Effect, Rule};

use crate::stage::Stage;

/// What stands in the last pair of backticks of the line of a job log that holds `reason`: the text that would be accepted.
fn accepted(trace: &str, reason: &str) -> String {
    let line = trace
        .lines()
        .find(|line| line.contains(reason))
        .unwrap_or_else(|| panic!("no line with `{reason}` in\n{trace}"));
    line.rsplit('`').nth(1).unwrap().to_owned()
}

fn remove_bot_token(stage: &Stage) {
    let path = stage.world.at("variables/TRAINYARD_TOKEN");
    let reply = stage
        .world
        .reply("root", Method::DELETE, &path, json!(null));
    assert_eq!(reply.unwrap().status, 204);
}

/// A second project of the group, of which everybody in `members` is a developer.
fn project(stage: &Stage, name: &str, members: &[&str]) -> u64 {
    let ask = |path: &str, body| stage.world.ask("root", Method::POST, path, body).unwrap();
    let group = stage.world.read("root", "groups/shop").unwrap();
    let settings =
        json!({"name": name, "path": name, "namespace_id": group["id"], "visibility": "private"});
    let id = ask("projects", settings)["id"].as_u64().unwrap();
    for member in members {
        let users = stage
            .world
            .read("root", &format!("users?username={member}"));
        let user = &users.unwrap()[0]["id"];
        ask(
            &format!("projects/{id}/members"),
            json!({"user_id": user, "access_level": 30}),
        );
    }
    id
}

fn move_feature(stage: &Stage, from: &str, to: u64) {
    let path = format!("{from}/move");
    stage
        .world
        .ask("root", Method::POST, &path, json!({"to_project_id": to}))
        .unwrap();
}

#[test]
fn every_refusal_names_line_and_reason_and_its_text_is_accepted() {
    let mut stage = Stage::new();
    for title in ["One", "Two", "Three"] {
        stage.feature(title);
    }
    let closed = stage.feature("Closed");
    stage.edit_feature(closed, json!({"state_event": "close"}));
    let bare = stage.feature("No feature");
    stage.edit_feature(bare, json!({"labels": ""}));
    for (description, reason, mended) in [
        ("Closes feature 1", "lacks its sign", "Closes feature #1"),
        (
            "- contributes to features #1-#3.",
            "a range names no feature",
            "- contributes to features #1, #2, #3.",
        ),
        (
            "closes feature `#1`",
            "code is not read",
            "closes feature #1",
        ),
        (
            "closes feature [#1](@URL@/shop/web/-/issues/2)",
            "shows #1 and leads to #2",
            "closes feature #1",
        ),
    ] {
        let url = stage.world.emulator.url().to_owned();
        let iid = stage.merge_request(
            "ana",
            &format!("Hello\r\n\r\n{}", description.replace("@URL@", &url)),
        );
        let ran = stage.ran("link-check", iid);
        assert_eq!(ran.exit_code, Some(1), "{}", ran.trace);
        assert!(
            ran.trace.contains("line 3 of the description"),
            "{}",
            ran.trace
        );
        assert_eq!(
            accepted(&ran.trace, reason).replace(url.as_str(), "@URL@"),
            mended,
            "{}",
            ran.trace
        );
        assert!(stage.notes(iid)[0].contains(reason), "the note says it too");
        stage.edit_merge_request("ana", iid, json!({"description": mended}));
        stage.push_again("ana", iid);
        let again = stage.ran("link-check", iid);
        assert_eq!(again.exit_code, Some(0), "{}", again.trace);
        assert!(
            !stage.notes(iid)[0].contains("not in order"),
            "{:?}",
            stage.notes(iid)
        );
        stage.edit_merge_request("ana", iid, json!({"state_event": "close"}));
    }
    for (description, reason, example) in [
        (
            "**closes** feature !1",
            "is a merge request",
            "**closes** feature #34",
        ),
        ("closes feature &1", "is an epic", "closes feature #34"),
        (
            "- [ ] closes feature #",
            "the number is missing",
            "- [ ] closes feature #34",
        ),
        (
            "Closes feature: <!-- number -->",
            "the number is missing",
            "Closes feature: #34 <!-- number -->",
        ),
        (
            "closes feature #0",
            "is not the number of an issue",
            "closes feature #34",
        ),
        (
            "closes feature #login",
            "is not a number",
            "closes feature #34",
        ),
        (
            "closes feature https://elsewhere.example/a/b/-/issues/1",
            "is not an issue of this GitLab",
            "closes feature #34",
        ),
        (
            "closes feature #77",
            "there is no issue #77",
            "closes feature #34",
        ),
        (
            "closes feature #4",
            "the feature #4 is closed",
            "closes feature #34",
        ),
        (
            "closes feature #5",
            "lacks the label `feature`",
            "closes feature #34",
        ),
        ("nothing", "names no feature", "contributes to feature #34"),
    ] {
        let iid = stage.merge_request("ana", description);
        let ran = stage.ran("link-check", iid);
        assert_eq!(ran.exit_code, Some(1), "{description}: {}", ran.trace);
        let line = ran.trace.lines().find(|line| line.contains(reason));
        let line = line.unwrap_or_else(|| panic!("{reason}\n{}", ran.trace));
        assert!(line.contains(&format!("`{example}`")), "{line}");
        assert!(stage.notes(iid)[0].contains(reason));
    }
    let many: Vec<String> = (1..=60).map(|iid| format!("#{iid}")).collect();
    let iid = stage.merge_request("ana", &format!("closes features {}", many.join(", ")));
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.exit_code == Some(1) && ran.trace.contains("more than 50 features"),
        "{}",
        ran.trace
    );
}

#[test]
fn words_that_only_come_near_a_link_are_pointed_at_when_one_is_missed() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    for (description, said) in [
        (
            "closes #1",
            "lacks the word `feature`. If it is meant as a link, write `closes feature #1`",
        ),
        (
            "fixes the feature #1",
            "which is no link. If it is meant as one, write `closes feature #1`",
        ),
        (
            "<!-- closes feature #1 -->",
            "in an HTML comment, where templates keep their examples",
        ),
        (
            "```\ncontributes to feature #1\n```",
            "write `contributes to feature #1` as plain text",
        ),
    ] {
        let iid = stage.merge_request("ana", description);
        let ran = stage.ran("link-check", iid);
        assert!(
            ran.exit_code == Some(1) && ran.trace.contains(said),
            "{said}\n{}",
            ran.trace
        );
    }
    let iid = stage.merge_request(
        "ana",
        "contributes to feature #1, but does not close feature #1. See also closes #9",
    );
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0));
    assert!(
        ran.trace.contains("says that it does not") && !ran.trace.contains("closes feature #9"),
        "{}",
        ran.trace
    );
}

#[test]
fn a_link_behind_the_cut_of_the_ci_variable_counts() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request(
        "ana",
        &format!("{}\n\ncontributes to feature #1", "word ".repeat(800)),
    );
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.exit_code == Some(0) && ran.trace.contains("contributes to feature #1 \"Wanted\""),
        "{}",
        ran.trace
    );
}

#[test]
fn without_a_bot_token_it_says_what_was_not_checked_and_still_refuses_the_second_closer() {
    let mut stage = Stage::with(&[("  label: feature", "  label: feature\n  type: issue")]);
    stage.feature("Wanted");
    remove_bot_token(&stage);
    let first = stage.merge_request("ana", "closes feature #1");
    let ran = stage.ran("link-check", first);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(
        ran.trace.contains("not checked, because that needs `TRAINYARD_TOKEN`: of shop/web#1, whether it exists, is open, was moved, carries the label `feature` or is of type `issue`"),
        "{}",
        ran.trace
    );
    assert!(!ran.trace.contains("Wanted") && stage.notes(first).is_empty());
    let second = stage.merge_request("dan", "closes feature #1");
    let ran = stage.ran("link-check", second);
    assert!(
        ran.exit_code == Some(1) && ran.trace.contains("by `ana` closes it already"),
        "{}",
        ran.trace
    );
}

#[test]
fn a_job_that_may_not_read_its_merge_request_falls_back_on_its_variables_and_says_so() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    remove_bot_token(&stage);
    let deny = |stage: &Stage| {
        let effect = Effect::Answer {
            status: 403,
            body: json!({"message": "403 Forbidden"}),
        };
        let one = "projects/:id/merge_requests/:merge_request_iid";
        stage
            .world
            .emulator
            .faults()
            .add(Rule::new(effect).on("GET", one).of_job("link-check"));
    };
    let iid = stage.merge_request("ana", "contributes to feature #1");
    deny(&stage);
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(
        ran.trace.contains("`CI_MERGE_REQUEST_DESCRIPTION`") && ran.trace.contains("(403)"),
        "{}",
        ran.trace
    );
    assert!(!ran.trace.contains("2,700"), "it was not cut");
    let long = format!("{}\n\ncontributes to feature #1", "word ".repeat(800));
    let iid = stage.merge_request("ana", &long);
    deny(&stage);
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.exit_code == Some(1) && ran.trace.contains("only the first 2,700 characters"),
        "{}",
        ran.trace
    );
}

#[test]
fn the_policy_decides_about_missing_links_and_never_about_wrong_ones() {
    for (policy, code, said) in [
        ("warned", 0, "the description names no feature"),
        ("off", 0, "and need not"),
    ] {
        let mut stage = Stage::with(&[(
            "  label: feature",
            &format!("  label: feature\n  links: {policy}"),
        )]);
        stage.feature("Wanted");
        let iid = stage.merge_request("ana", "Tidies up.");
        let ran = stage.ran("link-check", iid);
        assert!(
            ran.exit_code == Some(code) && ran.trace.contains(said),
            "{}",
            ran.trace
        );
        let iid = stage.merge_request("ana", "closes feature #77");
        assert_eq!(
            stage.ran("link-check", iid).exit_code,
            Some(1),
            "a link that is written must be right"
        );
        let iid = stage.merge_request("ana", "closes feature 1");
        let ran = stage.ran("link-check", iid);
        assert_eq!(
            ran.exit_code,
            Some(i32::from(policy == "warned")),
            "{}",
            ran.trace
        );
        assert!(ran.trace.contains("lacks its sign"), "{}", ran.trace);
    }
}

#[test]
fn an_exemption_lets_a_merge_request_without_a_link_through_and_is_named() {
    let mut stage = Stage::with(&[(
        "  label: feature",
        "  label: feature\n  exempt:\n    upkeep: {labels: [dependencies], authors: ['e*']}\n    docs: {branches: ['change-1*']}",
    )]);
    stage.feature("Wanted");
    let iid = stage.merge_request("eve", "Bumps a library.");
    assert_eq!(
        stage.ran("link-check", iid).exit_code,
        Some(1),
        "one condition of two"
    );
    stage.edit_merge_request("eve", iid, json!({"labels": "dependencies"}));
    stage.push_again("eve", iid);
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    let why =
        "exempt by `features.exempt.upkeep`: its label `dependencies` and its author `eve` (`e*`)";
    assert!(ran.trace.contains(why), "{}", ran.trace);
    assert!(
        !stage.notes(iid)[0].contains("not in order"),
        "the old note is set right"
    );
    let iid = stage.merge_request("ana", "Mends a word.");
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.trace.contains(
            "exempt by `features.exempt.docs`: its source branch `change-1` (`change-1*`)"
        ),
        "{}",
        ran.trace
    );
    stage.edit_merge_request("ana", iid, json!({"description": "closes feature #77"}));
    stage.push_again("ana", iid);
    assert_eq!(
        stage.ran("link-check", iid).exit_code,
        Some(1),
        "an exemption is from naming a feature, not from naming it right"
    );
}

#[test]
fn an_exemption_that_cannot_be_read_or_exempts_everybody_is_refused() {
    let mut stage = Stage::with(&[(
        "  label: feature",
        "  type: An Issue\n  exempt:\n    all: {}\n    docs: {branches: ['docs/[a']}",
    )]);
    let iid = stage.merge_request("ana", "x");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(2), "{}", ran.trace);
    for said in [
        "`features.type` is `An Issue`",
        "`features.exempt.all` sets no condition",
        "`features.exempt.docs.branches[0]`: `docs/[a` is not a pattern",
    ] {
        assert!(ran.trace.contains(said), "{said}\n{}", ran.trace);
    }
}

#[test]
fn a_feature_has_the_type_and_the_project_that_the_configuration_asks_for() {
    let mut stage = Stage::with(&[(
        "  label: feature",
        "  type: issue\n  projects: [shop/ideas]",
    )]);
    let ideas = project(&stage, "ideas", &[BOT]);
    let other = project(&stage, "other", &[BOT]);
    for (id, title) in [(ideas, "Secret idea"), (other, "Secret other")] {
        let path = format!("projects/{id}/issues");
        stage
            .world
            .ask("root", Method::POST, &path, json!({"title": title}))
            .unwrap();
    }
    stage
        .world
        .ask(
            "olga",
            Method::POST,
            &stage.world.at("issues"),
            json!({"title": "Down", "issue_type": "incident"}),
        )
        .unwrap();
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.exit_code == Some(1)
            && ran
                .trace
                .contains("its type is `incident` and features are of type `issue`"),
        "{}",
        ran.trace
    );
    let iid = stage.merge_request("ana", "contributes to feature ideas#1");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(
        !ran.trace.contains("Secret"),
        "the readers of another project may be others: {}",
        ran.trace
    );
    let iid = stage.merge_request("ana", "contributes to feature other#1");
    let before = stage.world.api_requests();
    let ran = stage.ran("link-check", iid);
    let asked = &stage.world.emulator.requests()[before..];
    assert!(
        !asked.iter().any(|entry| entry.path.contains("other")),
        "it was not even looked up"
    );
    assert!(
        ran.exit_code == Some(1) && !ran.trace.contains("Secret"),
        "{}",
        ran.trace
    );
    assert_eq!(
        accepted(&ran.trace, "`features.projects`"),
        "contributes to feature #34",
        "{}",
        ran.trace
    );
}

#[test]
fn a_moved_feature_is_followed_to_where_it_is_now() {
    let mut stage = Stage::with(&[("  label: feature", "  closing_words: [delivers]")]);
    let ideas = project(&stage, "ideas", &[BOT]);
    stage.feature("Wanted");
    move_feature(&stage, &stage.world.at("issues/1"), ideas);
    let iid = stage.merge_request("ana", "- delivers feature #1");
    let ran = stage.ran("link-check", iid);
    assert_eq!(
        ran.exit_code,
        Some(1),
        "another project's title and state are its readers': {}",
        ran.trace
    );
    let mut stage = Stage::with(&[("  label: feature", "  projects: [shop/ideas, shop/plans]")]);
    let (ideas, plans) = (
        project(&stage, "ideas", &[BOT]),
        project(&stage, "plans", &[BOT]),
    );
    stage.feature("Wanted");
    move_feature(&stage, &stage.world.at("issues/1"), ideas);
    move_feature(&stage, &format!("projects/{ideas}/issues/1"), plans);
    let iid = stage.merge_request("ana", "- closes feature #1");
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(0), "{}", ran.trace);
    assert!(
        ran.trace.contains("the feature #1 was moved and is shop/plans#1 now; the link counts for shop/plans#1. Edit the description: write `- closes feature shop/plans#1`"),
        "{}",
        ran.trace
    );
    let linked = stage.facts().into_iter().find_map(|fact| {
        if let Fact::FeatureLinked { feature, .. } = fact {
            Some(feature.to_string())
        } else {
            None
        }
    });
    assert_eq!(linked.as_deref(), Some("shop/plans#1"));
    stage.edit_merge_request("ana", iid, json!({"state_event": "close"}));
    stage.merge_request("dan", "closes feature plans#1");
    let iid = stage.merge_request("eve", "closes feature #1");
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.exit_code == Some(1) && ran.trace.contains("by `dan` closes it already"),
        "the same feature by its new name: {}",
        ran.trace
    );
    let hidden = project(&stage, "hidden", &[]);
    stage.feature("Gone");
    move_feature(&stage, &stage.world.at("issues/2"), hidden);
    let iid = stage.merge_request("ana", "closes feature #2");
    let ran = stage.ran("link-check", iid);
    assert!(
        ran.exit_code == Some(1)
            && ran
                .trace
                .contains("#2 was moved, and where to cannot be told"),
        "{}",
        ran.trace
    );
    assert!(!ran.trace.contains("hidden#"), "{}", ran.trace);
}

#[test]
fn a_confidential_feature_leaves_no_word_of_itself_in_a_public_project() {
    let mut stage = Stage::new();
    let public = json!({"visibility": "public"});
    stage
        .world
        .ask("root", Method::PUT, "groups/shop", public.clone())
        .unwrap();
    stage
        .world
        .ask(
            "root",
            Method::PUT,
            &format!("projects/{}", stage.world.project),
            public,
        )
        .unwrap();
    for (iid, change) in [
        (1, json!({})),
        (2, json!({"state_event": "close"})),
        (3, json!({"labels": "unheard-of"})),
    ] {
        stage.feature("Buy the rival");
        stage.edit_feature(iid, json!({"confidential": true}));
        stage.edit_feature(iid, change);
    }
    for (description, code) in [
        ("closes feature #1", 0),
        ("contributes to feature #2", 1),
        ("contributes to feature #3", 1),
    ] {
        let iid = stage.merge_request("ana", description);
        let ran = stage.ran("link-check", iid);
        assert_eq!(ran.exit_code, Some(code), "{}", ran.trace);
        let artifact = stage
            .world
            .emulator
            .job_artifact(ran.id, "trainyard-events.ndjson")
            .unwrap_or_default();
        let notes = stage.notes(iid).join("\n");
        let report = |stage: &Stage, kind| stage.report_file(ran.id, kind).unwrap_or_default();
        assert!(report(&stage, "junit").contains("Every feature is open"));
        for (place, text) in [
            ("log", &ran.trace),
            ("events", &String::from_utf8_lossy(&artifact).into_owned()),
            ("notes", &notes),
            ("test report", &report(&stage, "junit")),
            ("links", &report(&stage, "annotations")),
            ("values", &report(&stage, "dotenv")),
        ] {
            for secret in [
                "rival",
                "unheard-of",
                "is closed",
                "lacks the label",
                "confidential",
            ] {
                assert!(!text.contains(secret), "{secret} in {place}:\n{text}");
            }
        }
        if code == 1 {
            assert!(
                ran.trace.contains("only told to those who may see it"),
                "{}",
                ran.trace
            );
        }
    }
}

#[test]
fn links_made_unmade_and_made_again_are_three_facts_and_a_retry_is_none() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    stage.feature("Other");
    let links = |stage: &Stage| -> Vec<String> {
        let shown = stage.facts().into_iter().filter_map(|fact| {
            if let Fact::FeatureLinked { feature, kind, .. } = fact {
                Some(format!("{kind} {}", feature.iid))
            } else if let Fact::FeatureUnlinked { feature, .. } = fact {
                Some(format!("no {}", feature.iid))
            } else {
                None
            }
        });
        shown.collect()
    };
    let iid = stage.merge_request("ana", "contributes to feature #1");
    let first = stage.ran("link-check", iid);
    let again = |stage: &mut Stage, description: &str| {
        stage.edit_merge_request("ana", iid, json!({"description": description}));
        let path = stage.world.at(&format!("merge_requests/{iid}/pipelines"));
        stage
            .world
            .ask("ana", Method::POST, &path, json!({}))
            .unwrap();
        stage.ran("link-check", iid)
    };
    stage
        .world
        .ask(
            "ana",
            Method::POST,
            &stage.world.at(&format!("jobs/{}/retry", first.id)),
            json!({}),
        )
        .unwrap();
    stage.run();
    assert_eq!(
        links(&stage),
        ["contributes to 1"],
        "the retried job repeats nothing"
    );
    again(&mut stage, "contributes to feature #2");
    assert_eq!(links(&stage)[1..], ["no 1", "contributes to 2"]);
    again(&mut stage, "closes feature #77");
    assert_eq!(links(&stage).len(), 3, "a refusal unlinks nothing");
    again(&mut stage, "contributes to features #2 and #1");
    assert_eq!(
        links(&stage)[3..],
        ["contributes to 1"],
        "on the same commit as before"
    );
    again(&mut stage, "closes feature #1, contributes to feature #2");
    assert_eq!(
        links(&stage)[4..],
        ["closes 1"],
        "from contributing to closing"
    );
    stage.run();
    stage.play("olga", iid, "validate:po");
    stage.play("quentin", iid, "validate:qa");
    stage.integrate("ana", iid);
    assert_eq!(
        links(&stage).len(),
        5,
        "the gate repeats what the pipeline told: {:?}",
        links(&stage)
    );
}

#[test]
fn a_check_costs_at_most_four_requests_and_two_for_each_link() {
    let mut stage = Stage::new();
    for title in ["One", "Two", "Three", "Four", "Five"] {
        stage.feature(title);
    }
    for (links, description) in [
        (1, "closes feature #1"),
        (2, "closes feature #1, contributes to feature #2"),
        (5, "contributes to features #1, #2, #3, #4 and #5"),
        (0, "nothing"),
    ] {
        let iid = stage.merge_request("ana", description);
        stage.run();
        let of = |ran: &&trainyard::demo::world::Ran| {
            ran.finished.name == "link-check" && ran.merge_request == Some(iid)
        };
        let ran = stage.world.ran.iter().rev().find(of).unwrap();
        // The notes on one feature and on the merge request are within the five of one link.
        let most = (4 + 2 * links).min(if links == 1 { 5 } else { usize::MAX });
        assert!(ran.requests <= most, "{description}: {}", ran.requests);
    }
}
