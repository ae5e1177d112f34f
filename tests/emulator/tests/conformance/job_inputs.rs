//! Inputs of jobs: their defaults, and other values when a job is played or retried.

use serde_json::json;

use crate::ci_world::CiWorld;

#[test]
fn inputs_are_put_into_scripts_and_may_be_given_anew() {
    let ci = CiWorld::new(
        "
deploy:
  when: manual
  inputs:
    target: { default: staging, options: [staging, production] }
    count: { type: number, default: 2 }
  script: ['echo to ${{ job.inputs.target }} times ${{job.inputs.count}} >> out.txt', 'cat out.txt']
  artifacts: { paths: ['out.txt'], name: '${{ job.inputs.target }}' }
",
    );
    let pipeline = ci.latest();
    let id = ci.job_id(pipeline, "deploy");
    let play = |action: &str, id: u64, inputs| {
        ci.world.root.post(
            &ci.path(&format!("jobs/{id}/{action}")),
            json!({ "job_inputs": inputs }),
        )
    };
    let wrong = play("play", id, json!({ "target": "moon" }));
    assert_eq!(
        wrong.error(),
        (
            400,
            json!({ "message": "400 Bad request - `target` input: `moon` cannot be used because it is not in the list of allowed options" })
        )
    );
    let strange = play("play", id, json!({ "goal": "x" }));
    assert_eq!(
        strange.json()["message"],
        "400 Bad request - unknown input arguments: goal"
    );
    assert_eq!(
        play("play", id, json!({ "target": "production" })).status,
        200
    );
    let first = ci.must("deploy");
    assert!(
        first.trace.contains("\nto production times 2"),
        "{}",
        first.trace
    );
    let again = play("retry", id, json!({ "count": 5 }));
    assert_eq!(again.status, 201, "{}", again.json());
    assert!(ci.must("deploy").trace.contains("\nto staging times 5"));
}
