//! Faults that strike the requests of one job, whichever token it uses.

use serde_json::json;
use trainyard_emulator::faults::{Effect, Rule};

use crate::ci_world::CiWorld;

/// Two jobs that ask git with an access token of theirs; the fault names one of them.
#[test]
fn a_fault_strikes_the_job_it_names_and_no_other() {
    let ci = CiWorld::new(
        "
variables: { GIT_STRATEGY: none }
.asks:
  script: ['git ls-remote http://bot:$API_TOKEN@$CI_SERVER_FQDN/$CI_PROJECT_PATH.git || true', echo after]
bystander: { extends: .asks }
victim: { extends: .asks }
",
    );
    let (bot, _) = ci.world.member(ci.project, "bot", 40);
    let token = ci.world.token(bot, &["api"]);
    ci.world.root.post(
        &ci.path("variables"),
        json!({ "key": "API_TOKEN", "value": token, "masked": true }),
    );
    let rule = Rule::new(Effect::Kill).of_job("victim").times(9);
    ci.world.emulator.faults().add(rule);
    assert_eq!(ci.run("bystander").failure_reason, None);
    let killed = ci.run("victim");
    assert_eq!(
        killed.failure_reason.as_deref(),
        Some("runner_system_failure")
    );
    let jobs: Vec<Option<String>> = ci
        .world
        .emulator
        .requests()
        .into_iter()
        .filter(|entry| entry.who.username() == Some("bot"))
        .map(|entry| entry.job.map(|job| job.name))
        .collect();
    assert!(jobs.contains(&Some("bystander".to_owned())), "{jobs:?}");
    assert_eq!(jobs.last(), Some(&Some("victim".to_owned())));
}

/// Of a request that somebody dies of, the log says whether it changed anything.
#[test]
fn what_a_fatal_request_changed_is_in_the_log() {
    let ci = CiWorld::new(
        "
reader:
  script: ['git ls-remote http://bot:$API_TOKEN@$CI_SERVER_FQDN/$CI_PROJECT_PATH.git']
writer:
  script: ['git push http://bot:$API_TOKEN@$CI_SERVER_FQDN/$CI_PROJECT_PATH.git HEAD:refs/heads/new']
",
    );
    let (bot, _) = ci.world.member(ci.project, "bot", 40);
    let token = ci.world.token(bot, &["api"]);
    ci.world.root.post(
        &ci.path("variables"),
        json!({ "key": "API_TOKEN", "value": token, "masked": true }),
    );
    let fatal = [
        ("reader", ("GET", "git info/refs upload-pack"), false),
        ("writer", ("POST", "git receive-pack"), true),
    ];
    for (job, (method, route), changed) in fatal {
        let rule = Rule::new(Effect::Kill).by("bot").on(method, route);
        ci.world.emulator.faults().add(rule);
        let before = ci.world.emulator.fingerprint().unwrap();
        let killed = ci.run(job);
        assert!(killed.exit_code.is_none(), "{}", killed.trace);
        let log = ci.world.emulator.requests();
        let last = log.iter().rfind(|entry| entry.fault.is_some()).unwrap();
        assert_eq!(last.changed, Some(changed), "{job}");
        assert!(
            log.iter()
                .all(|entry| entry.fault.is_some() || entry.changed.is_none())
        );
        // The job itself has ended, which is a change; looking is none.
        let after = ci.world.emulator.fingerprint().unwrap();
        assert_ne!(before, after);
        assert_eq!(ci.world.emulator.fingerprint().unwrap(), after);
    }
}
