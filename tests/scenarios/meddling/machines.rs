//! Servers, tokens and disks that fail during a landing: it is finished once, or left to the next job, and no token is shown.

use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use trainyard_emulator::faults::{Effect, Rule};

use super::{about_to_land, is_free, landed, no_token_was_printed, two_about_to_land};
use crate::stage::Stage;

/// The token that the gate acts with is taken away during the trial, and people give it another one the next day.
#[test]
fn a_token_that_is_revoked_during_the_trial_is_named_and_with_another_one_all_goes_on() {
    for several in [false, true] {
        let (mut stage, iids) = if several {
            two_about_to_land("rebase_merge")
        } else {
            let (stage, iid) = about_to_land("rebase_merge");
            (stage, vec![iid])
        };
        let refused = Effect::Answer {
            status: 401,
            body: json!({"message": "401 Unauthorized"}),
        };
        let rule = Rule::new(refused).by("trainyard-bot").times(u32::MAX);
        let rule = stage.world.emulator.faults().add(rule);
        stage.run();
        let trace = stage.last("append-to-version").trace;
        assert_eq!(
            stage.last("append-to-version").exit_code,
            Some(4),
            "{trace}"
        );
        assert!(
            trace.contains("`TRAINYARD_GATE_TOKEN`"),
            "the variable is named: {trace}"
        );
        stage.world.emulator.faults().remove(rule);
        assert_eq!(landed(&stage), [0u64; 0]);
        crate::controls::tick(&mut stage, "nobody");
        stage.run();
        assert_eq!(landed(&stage), iids, "{trace}");
        assert!(is_free(&stage));
        no_token_was_printed(&stage);
    }
}

/// GitLab fails at one request of the landing, each in turn and in every way; the job's own retries and those of its template mend it.
#[test]
fn a_landing_that_meets_a_server_in_trouble_at_any_request_lands_once() {
    let troubles = [
        Effect::Html { status: 502 },
        Effect::TooManyRequests {
            retry_after: Some(0),
        },
        Effect::CutShort,
    ];
    for several in [false, true] {
        let (mut stage, iids) = if several {
            two_about_to_land("merge")
        } else {
            let (stage, iid) = about_to_land("rebase_merge");
            (stage, vec![iid])
        };
        let before = stage.moment();
        for effect in &troubles {
            for nth in 0.. {
                before.restore(&mut stage.world);
                let trouble = Rule::new(effect.clone())
                    .by("trainyard-bot")
                    .of_job("append-to-version");
                let rule = stage.world.emulator.faults().add(trouble.after(nth));
                stage.run();
                let rules = stage.world.emulator.faults().rules();
                let struck = rules
                    .iter()
                    .any(|standing| standing.id == rule && standing.hit > 0);
                let case = format!("{} at request {nth}, {several}", effect.name());
                assert_eq!(
                    landed(&stage),
                    iids,
                    "{case}: {}",
                    stage.last("append-to-version").trace
                );
                assert!(is_free(&stage), "{case}");
                for iid in &iids {
                    assert_eq!(stage.state(*iid), "merged", "{case}");
                    let notes = stage.notes(*iid);
                    assert_eq!(notes.len(), 1, "{case}: {notes:?}");
                }
                no_token_was_printed(&stage);
                if !struck {
                    assert!(nth >= 4, "{case}");
                    break;
                }
            }
        }
    }
}

/// A job whose every file fails as on a disk that is full: nothing can be written, and reading goes on.
fn on_a_full_disk(stage: &Stage, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_trainyard");
    Command::new("sh")
        .args(["-c", script, "sh", program])
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(stage.world.gate_environment())
        .current_dir(folder.path())
        .output()
        .unwrap()
}

#[test]
fn a_worker_on_a_full_disk_takes_no_environment_and_names_the_file() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run_but("nrt-acquire");
    assert_eq!(stage.play("ana", iid, "integrate").exit_code, Some(0));
    stage.run_but("nrt-acquire");
    let before = stage.world.state_of_project().unwrap();
    let ended = on_a_full_disk(&stage, &["nrt-lock", "acquire"]);
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("`trainyard-trial.yml`"), "{said}");
    assert_eq!(stage.world.state_of_project().unwrap(), before, "{said}");
    stage.run();
    assert_eq!(landed(&stage), [iid]);
}

#[test]
fn a_landing_on_a_full_disk_lands_once_or_leaves_it_to_the_next_job() {
    for several in [false, true] {
        let (mut stage, iids) = if several {
            two_about_to_land("merge")
        } else {
            let (stage, iid) = about_to_land("rebase_merge");
            (stage, vec![iid])
        };
        let epoch = stage.queue()["environment"]["lease"]["epoch"].to_string();
        let ended = on_a_full_disk(&stage, &["append-to-version", "--epoch", &epoch]);
        let said = String::from_utf8_lossy(&ended.stdout).into_owned()
            + &String::from_utf8_lossy(&ended.stderr);
        assert!(matches!(ended.status.code(), Some(0 | 4)), "{said}");
        stage.run();
        assert_eq!(landed(&stage), iids, "{said}");
        assert!(is_free(&stage), "{said}");
    }
}

/// The worst that can be said about a failure, by a program that is asked to say everything.
#[test]
fn no_failure_however_loud_shows_a_token() {
    let (stage, _) = two_about_to_land("ff");
    let epoch = stage.queue()["environment"]["lease"]["epoch"].to_string();
    let token = &stage.world.token("trainyard-bot").unwrap().to_owned();
    let in_a_header = STANDARD.encode(format!("trainyard:{token}"));
    let before = stage.moment();
    let mut stage = stage;
    let echo = Effect::Answer {
        status: 401,
        body: json!({"message": format!("no such token: {token}")}),
    };
    let page = Effect::Html { status: 502 };
    let receive = Some(("POST", "git receive-pack"));
    let fetch = Some(("GET", "git info/refs upload-pack"));
    let mut failed = 0;
    for (route, effect) in [
        (None, &echo),
        (None, &page),
        (receive, &echo),
        (receive, &page),
        (fetch, &echo),
        (Some(("POST", "graphql")), &echo),
        (Some(("POST", "projects/:id/variables")), &echo),
    ] {
        before.restore(&mut stage.world);
        let mut rule = Rule::new(effect.clone())
            .by("trainyard-bot")
            .times(u32::MAX);
        if let Some((method, route)) = route {
            rule = rule.on(method, route);
        }
        stage.world.emulator.faults().add(rule);
        let folder = tempfile::tempdir().unwrap();
        let ended = Command::new(env!("CARGO_BIN_EXE_trainyard"))
            .args([
                "--log-format",
                "text",
                "append-to-version",
                "--epoch",
                &epoch,
            ])
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(stage.world.gate_environment())
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("GIT_TRACE", "1")
            .env("GIT_TRACE_CURL", "1")
            .env("GIT_CURL_VERBOSE", "1")
            .env("GIT_TRACE_REDACT", "0")
            .env("CI_PROJECT_DIR", folder.path())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let mut said = ended.stdout;
        said.extend(ended.stderr);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                said.extend(std::fs::read(path).unwrap());
            }
        }
        let said = String::from_utf8_lossy(&said);
        failed += u32::from(ended.status.code() != Some(0));
        for secret in [token, in_a_header.as_str()] {
            let at = said.find(secret);
            let near = at.map(|at| {
                let from = said.floor_char_boundary(at.saturating_sub(300));
                said[from..at].to_owned()
            });
            assert_eq!(near, None, "{route:?} {}", effect.name());
        }
    }
    assert!(failed >= 5, "{failed}");
}
