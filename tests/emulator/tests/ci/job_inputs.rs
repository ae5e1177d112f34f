//! `inputs:` of jobs: what may be said, and what is wrong with it.

use serde_json::json;

use crate::given::{build, on_branch};

#[test]
fn a_job_has_typed_inputs_with_defaults() {
    let job = on_branch(
        "a: {script: x, inputs: {text: {default: b, options: [b, c]}, count: {type: number, default: 3}, list: {type: array, default: [1]}}}",
    )
    .job("a");
    let inputs: Vec<_> = build(&job)
        .inputs
        .iter()
        .map(|input| (input.name.as_str(), input.kind.as_str(), &input.default))
        .collect();
    assert_eq!(
        inputs,
        [
            ("text", "string", &json!("b")),
            ("count", "number", &json!(3)),
            ("list", "array", &json!([1]))
        ]
    );
}

#[test]
fn what_is_wrong_with_inputs_of_jobs_is_said_as_in_gitlab() {
    let cases = [
        ("[a]", "jobs:a:inputs config should be a hash"),
        ("{x: }", "jobs:a:inputs:x must have a default value"),
        ("{x: y}", "jobs:a:inputs:x config should be a hash"),
        (
            "{x: {default: y, rules: []}}",
            "jobs:a:inputs:x config contains unknown keys: rules",
        ),
        (
            "{x: {default: y, type: text}}",
            "jobs:a:inputs:x input type unknown value: text",
        ),
        (
            "{x: {default: y, options: [z]}}",
            "jobs:a inputs `x`: `y` cannot be used because it is not in the list of allowed options",
        ),
        (
            "{x: {default: y, type: number}}",
            "jobs:a inputs `x`: default value is not a number",
        ),
        (
            "{x: {default: y, regex: '^z'}}",
            "jobs:a inputs `x`: default value does not match required regex pattern",
        ),
    ];
    for (inputs, expected) in cases {
        let text = format!("a: {{script: x, inputs: {inputs}}}");
        assert_eq!(on_branch(&text).errors(), [expected], "{inputs}");
    }
}
