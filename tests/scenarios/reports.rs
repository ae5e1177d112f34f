//! Where people look: the log, the test summary, the links on the job's page, the values for later jobs. Nothing that somebody wrote
//! gets out of its place there.

use serde_json::{Value, json};
use trainyard::domain::event::Fact;
use trainyard_emulator::FinishedJob;

use crate::stage::Stage;

const PROJECT_CI: &str = include_str!("../../src/demo/project/gitlab-ci.yml");

/// What somebody could write to get out of a line, a section, an element or a value.
const HOSTILE: &str = "\r\u{1b}[0Ksection_end:1:trainyard_link_check_read\r\u{1b}[0K\u{1b}[2J\u{1b}[31m]]></failure></testcase><testcase name=\"forged\"/>\u{202e}$(id)`id`TRAINYARD_EPOCH=9\u{0008}";

impl Stage {
    /// GitLab's test report of the newest pipeline of a merge request.
    fn test_report(&self, iid: u64) -> Value {
        let pipeline = self.pipeline(iid);
        self.report_of(pipeline)
    }

    fn report_of(&self, pipeline: u64) -> Value {
        let path = self.world.at(&format!("pipelines/{pipeline}/test_report"));
        self.world.read("olga", &path).unwrap()
    }

    /// The file of a report of a job, as GitLab keeps it.
    pub(crate) fn report_file(&self, job: u64, kind: &str) -> Option<String> {
        let file = self.world.emulator.job_report(job, kind)?;
        Some(String::from_utf8(file).unwrap())
    }

    fn annotations(&self, job: u64) -> Value {
        serde_json::from_str(&self.report_file(job, "annotations").unwrap()).unwrap()
    }

    /// A merge request whose branch brings more jobs.
    fn merge_request_with_jobs(&mut self, description: &str, jobs: &str) -> u64 {
        let url = self.world.emulator.url().to_owned();
        let ci = PROJECT_CI.replace("@SERVER@", &url) + &jobs.replace("@SERVER@", &url);
        self.merge_request_with("ana", description, &[(".gitlab-ci.yml", &ci)])
    }
}

fn suite<'a>(report: &'a Value, job: &str) -> &'a Value {
    report["test_suites"]
        .as_array()
        .unwrap()
        .iter()
        .find(|suite| suite["name"] == job)
        .unwrap_or_else(|| panic!("no suite `{job}` in {report}"))
}

fn cases(suite: &Value) -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = suite["test_cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            (text("name"), text("status"))
        })
        .collect();
    cases.sort();
    cases
}

fn names(suite: &Value) -> Vec<String> {
    cases(suite).into_iter().map(|(name, _)| name).collect()
}

/// What our command said: from behind the command to the end of the runner's section.
fn said(ran: &FinishedJob) -> &str {
    let begin = ran.trace.find("$ trainyard").unwrap();
    let said = ran.trace[begin..].split_once('\n').unwrap().1;
    let end = said.find(":step_script").unwrap();
    &said[..said[..end].rfind("section_end").unwrap()]
}

#[test]
fn a_refused_link_shows_in_the_test_summary_by_its_rule() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let bad = stage.merge_request("ana", "closes feature #77\n\ncloses feature 1");
    let good = stage.merge_request("dan", "contributes to feature #1");
    stage.run();
    let report = stage.test_report(bad);
    let links = suite(&report, "link-check");
    assert_eq!(
        (&links["failed_count"], &links["suite_error"]),
        (&json!(2), &Value::Null)
    );
    let failed = links["test_cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"] == "Every feature exists and can be seen")
        .unwrap();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["classname"], "Links to features");
    let why = failed["system_output"].as_str().unwrap();
    for part in [
        "line 1 of the description",
        "there is no issue #77",
        "write the right number: `closes feature #34`",
    ] {
        assert!(why.contains(part), "{part}\n{why}");
    }
    let other = stage.test_report(good);
    assert_eq!(
        names(links),
        names(suite(&other, "link-check")),
        "GitLab compares by name"
    );
    assert_eq!(suite(&other, "link-check")["failed_count"], 0);
    let summary = stage
        .world
        .read(
            "olga",
            &stage.world.at(&format!(
                "pipelines/{}/test_report_summary",
                stage.pipeline(bad)
            )),
        )
        .unwrap();
    assert_eq!(summary["total"]["failed"], 2);
}

#[test]
fn validation_and_the_gate_list_their_rules_too() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.run();
    stage.play("mallory", iid, "validate:po");
    let refused = stage.test_report(iid);
    let player = "The player may decide in this role".to_owned();
    assert!(cases(suite(&refused, "validate:po")).contains(&(player.clone(), "failed".to_owned())));
    stage.play("olga", iid, "validate:po");
    stage.play("quentin", iid, "validate:qa");
    stage.run_but("nrt-tests");
    let report = stage.test_report(iid);
    assert!(cases(suite(&report, "validate:po")).contains(&(player, "success".to_owned())));
    let awaited = cases(suite(&report, "await-validation"));
    for role in ["po", "qa"] {
        let rule = format!("`{role}` has validated this content");
        assert!(
            awaited.contains(&(rule, "success".to_owned())),
            "{awaited:?}"
        );
    }
    stage.play("ana", iid, "integrate");
    stage.run_but("nrt-tests");
    let admitted = stage.last("nrt-admit");
    let gate = stage.report_of(admitted.pipeline_id);
    let rules = cases(suite(&gate, "nrt-admit"));
    assert_eq!(rules.len(), 10, "{rules:?}");
    assert!(rules.contains(&(
        "Every role has validated its content".to_owned(),
        "success".to_owned()
    )));
}

#[test]
fn links_on_the_job_page_lead_to_features_and_to_the_merge_request_that_holds_one() {
    let mut stage = Stage::new();
    stage.feature("Pay by <b>card</b>");
    stage.feature("Secret plan");
    stage.edit_feature(2, json!({"confidential": true}));
    let first = stage.merge_request("ana", "closes feature #1");
    let second = stage.merge_request("dan", "closes feature #1, contributes to feature #2");
    stage.run();
    let ran = stage.ran("link-check", second);
    let links = stage.annotations(ran.id);
    let project = stage.world.project_url();
    assert_eq!(
        links["Features"],
        json!([
            {"external_link": {"label": "#1 Pay by <b>card</b>", "url": format!("{project}/-/issues/1")}},
            {"external_link": {"label": "#2", "url": format!("{project}/-/merge_requests/{second}")}},
        ])
    );
    assert_eq!(
        links["Merge requests"][0],
        json!({"external_link": {"label": format!("!{first} closes #1"), "url": format!("{project}/-/merge_requests/{first}")}})
    );
    for kind in ["annotations", "junit"] {
        let text = stage.report_file(ran.id, kind).unwrap();
        assert!(!text.contains("Secret"), "{kind}: {text}");
    }
    assert!(!ran.trace.contains("Secret"), "{}", ran.trace);
}

#[test]
fn jobs_of_the_gate_link_the_merge_request_the_failed_test_and_the_release() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let bad = stage.merge_request_with(
        "dan",
        "contributes to feature #1",
        &[("shop/bad.price", "x\n")],
    );
    stage.integrate("dan", bad);
    stage.run();
    let project = stage.world.project_url();
    let link = |label: &str, path: &str| json!({"external_link": {"label": label, "url": format!("{project}/-/{path}")}});
    let change_set = link("!1", "merge_requests/1");
    for job in ["nrt-admit", "nrt-acquire", "nrt-release"] {
        let lists = stage.annotations(stage.last(job).id);
        assert_eq!(lists["Merge requests"][0], change_set, "{job}: {lists}");
    }
    let failed = stage.last("nrt-tests").id;
    assert_eq!(
        stage.annotations(stage.last("nrt-release").id)["Pipelines and jobs"][0],
        link("nrt-tests failed", &format!("jobs/{failed}"))
    );
    let good = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", good);
    stage.run();
    let landed = stage.annotations(stage.last("append-to-version").id);
    assert_eq!(landed["Merge requests"][0], link("!2", "merge_requests/2"));
    let main = stage.newest_of_main();
    let prepared = stage.play_in("rita", main, "release-prepare").unwrap();
    assert_eq!(
        stage
            .report_file(prepared.id, "dotenv")
            .unwrap()
            .lines()
            .count(),
        3
    );
    stage.run();
    let published = stage.annotations(stage.last("release-publish").id);
    assert_eq!(
        published["Releases"][0],
        link("Version 0.1.0", "releases/v0.1.0")
    );
}

#[test]
fn a_later_job_receives_what_the_links_are() {
    let mut stage = Stage::new();
    stage.feature("One");
    stage.feature("Two");
    stage.feature("Three");
    let jobs = "
show-links:
  stage: validate
  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]
  script:
    - echo \"closes=$TRAINYARD_CLOSES contributes=$TRAINYARD_CONTRIBUTES closing=$TRAINYARD_CLOSING of=$TRAINYARD_FEATURES_PROJECT cut=$TRAINYARD_LINKS_CUT elsewhere=$TRAINYARD_FEATURES_ELSEWHERE\"
";
    let iid =
        stage.merge_request_with_jobs("closes features #1, #3 and contributes to feature #2", jobs);
    let shown = stage.ran("show-links", iid);
    assert!(
        shown
            .trace
            .contains("closes=1,3 contributes=2 closing=true of=shop/web cut=false elsewhere=0"),
        "{}",
        shown.trace
    );
    let refused = stage.merge_request("ana", "closes feature #99");
    let ran = stage.ran("link-check", refused);
    assert_eq!(
        stage.report_file(ran.id, "dotenv"),
        None,
        "links that are refused are handed on to nobody"
    );
}

#[test]
fn hostile_titles_and_descriptions_stay_where_they_belong() {
    let mut stage = Stage::new();
    stage.feature(&format!("Wanted {HOSTILE}"));
    let good = stage.merge_request("ana", &format!("closes feature #1 {HOSTILE}"));
    let bad = stage.merge_request("dan", &format!("closes feature #77 {HOSTILE}"));
    stage.edit_merge_request("ana", good, json!({"title": format!("T {HOSTILE}")}));
    for iid in [good, bad] {
        let ran = stage.ran("link-check", iid);
        let said = said(&ran);
        let marks: Vec<&str> = said
            .match_indices("\r\u{1b}[0K")
            .map(|(at, _)| said[..at].rsplit('\u{1b}').next().unwrap())
            .collect();
        assert!(
            !marks.is_empty()
                && marks
                    .iter()
                    .all(|mark| mark.starts_with("[0Ksection_start:1")
                        || mark.starts_with("[0Ksection_end:1")),
            "{marks:?}"
        );
        let starts = marks.iter().filter(|mark| mark.contains("_start:")).count();
        assert_eq!(starts * 2, marks.len(), "as many begin as end: {marks:?}");
        assert!(
            !said.contains("\u{1b}[2J") && !said.contains('\u{202e}') && !said.contains('\u{8}')
        );
        let report = stage.test_report(iid);
        let links = suite(&report, "link-check");
        assert_eq!(links["suite_error"], Value::Null);
        assert_eq!(cases(links).len(), 7, "{links}");
        assert!(!names(links).iter().any(|name| name == "forged"));
    }
    let ran = stage.ran("link-check", good);
    assert_eq!(
        stage.report_file(ran.id, "dotenv").unwrap(),
        "TRAINYARD_CLOSES=1\nTRAINYARD_CONTRIBUTES=\nTRAINYARD_CLOSING=true\nTRAINYARD_FEATURES_PROJECT=shop/web\nTRAINYARD_FEATURES_ELSEWHERE=0\nTRAINYARD_LINKS_CUT=false\n"
    );
    let lists = stage.annotations(ran.id);
    let label = lists["Features"][0]["external_link"]["label"]
        .as_str()
        .unwrap();
    assert!(
        !label.contains('\r') && !label.contains('\u{1b}') && !label.contains('\u{202e}'),
        "{label:?}"
    );
}

#[test]
fn the_headline_stands_outside_of_the_folded_sections() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #77");
    let ran = stage.ran("link-check", iid);
    let said = said(&ran);
    assert!(
        said.starts_with(
            "\u{1b}[31;1mrefused: the links of !1 are not in order\u{1b}[0;m\n  line 1"
        ),
        "{said:?}"
    );
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
    assert!(at("there is no issue") < at("section_start:"));
    assert!(said.contains("trainyard_link_check_checks[collapsed=true]"));
    assert!(
        said.contains("trainyard_link_check_next\r"),
        "what is next is not folded"
    );
}

#[test]
fn a_file_gets_plain_text_and_nobody_gets_colours_who_wants_none() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let jobs = "
in-a-file:
  stage: validate
  needs: []
  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]
  script:
    - trainyard --server \"@SERVER@\" link-check > said.txt
    - cat -v said.txt
without-colours:
  stage: validate
  needs: []
  variables: {NO_COLOR: '1'}
  rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]
  script:
    - trainyard --server \"@SERVER@\" link-check
";
    let iid = stage.merge_request_with_jobs("closes feature #1", jobs);
    let file = stage.ran("in-a-file", iid).trace;
    let shown = file.split("cat -v said.txt").nth(1).unwrap();
    assert!(
        shown.contains("\nok: the links of !1 are in order\n"),
        "{shown}"
    );
    assert!(!shown.contains("^["), "{shown}");
    let ran = stage.ran("without-colours", iid);
    let said = said(&ran);
    assert!(
        said.starts_with("ok: the links of !1 are in order\n"),
        "{said:?}"
    );
    assert!(
        said.contains("section_start:") && !said.contains("\u{1b}[1m"),
        "{said:?}"
    );
}

#[test]
fn a_job_that_could_not_ask_gitlab_reports_an_error_and_no_old_result() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "closes feature #1");
    stage.break_down(100);
    let ran = stage.ran("link-check", iid);
    assert_eq!(ran.exit_code, Some(4), "{}", ran.trace);
    stage.world.emulator.faults().clear();
    let report = stage.test_report(iid);
    let links = suite(&report, "link-check");
    assert_eq!(
        cases(links),
        [("The job can do its work".to_owned(), "error".to_owned())]
    );
    assert_eq!(links["error_count"], 1);
}

#[test]
fn a_report_that_cannot_be_written_changes_nothing_that_was_done() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    // Folders where the files belong: as good as a full disk.
    let folders = "before_script: [mkdir trainyard-junit.xml trainyard-events.ndjson]";
    let gate = include_str!("../../ci-templates/nrt-lock.yml");
    let job = "\n\"nrt-admit$[[ inputs.suffix ]]\":\n";
    assert!(gate.contains(job));
    let gate = gate.replace(job, &format!("{job}  {folders}\n"));
    stage.push_to_main("ci-templates/nrt-lock.yml", &gate);
    let trial = include_str!("../../src/demo/project/nrt.yml");
    let trial = format!("{trial}\ndefault:\n  {folders}\n");
    stage.push_to_main("ci/nrt.yml", &trial);
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run();
    assert_eq!(stage.state(iid), "merged");
    let admitted = stage.last("nrt-admit");
    assert_eq!(admitted.exit_code, Some(0), "{}", admitted.trace);
    for part in [
        "joined the queue",
        "Warnings",
        "trainyard-junit.xml",
        "what the job decided and did stands",
        "check that the folder exists and is writable",
    ] {
        assert!(admitted.trace.contains(part), "{part}\n{}", admitted.trace);
    }
    let landed = stage.last("append-to-version");
    assert_eq!(landed.exit_code, Some(0), "{}", landed.trace);
    assert!(
        landed.trace.contains("trainyard-events.ndjson"),
        "{}",
        landed.trace
    );
}

#[test]
fn a_worker_that_cannot_hand_on_its_trial_takes_no_lease() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let worker = include_str!("../../ci-templates/nrt-worker.yml");
    let job = "\nnrt-acquire:\n";
    assert!(worker.contains(job));
    let folder = format!("{job}  before_script: [mkdir trainyard-trial.yml]\n");
    stage.push_to_main("ci-templates/nrt-worker.yml", &worker.replace(job, &folder));
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.integrate("ana", iid);
    stage.run();
    let acquire = stage.last("nrt-acquire");
    assert_eq!(acquire.exit_code, Some(2), "{}", acquire.trace);
    assert!(
        acquire.trace.contains("cannot write") && acquire.trace.contains("trainyard-trial.yml")
    );
    assert!(
        !stage
            .facts()
            .iter()
            .any(|fact| matches!(fact, Fact::LeaseGranted { .. }))
    );
    assert_eq!(
        stage.queue()["tickets"].as_array().unwrap().len(),
        1,
        "it waits"
    );
}
