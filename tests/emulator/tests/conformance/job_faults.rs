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
