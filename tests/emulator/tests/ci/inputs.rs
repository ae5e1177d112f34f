//! Inputs: what a file asks for, what it gets, and what is wrong with either.

use serde_json::{Value, json};
use trainyard_emulator::ci::Assigned;

use crate::given::{Given, build, on_branch, script};

/// The main file includes a file with this header and this body, giving it these inputs.
fn included(spec: &str, body: &str, inputs: Value) -> Given {
    let main = json!({"include": [{"local": "x.yml", "inputs": inputs}], "main": {"script": "x"}});
    on_branch(&main.to_string()).file("x.yml", &format!("spec:\n  inputs: {spec}\n---\n{body}"))
}

#[test]
fn values_keep_their_type_alone_and_are_text_within_text() {
    let body = "
$[[ inputs.name ]]-job:
  script:
    - echo $[[ inputs.count ]] $[[inputs.flag]]
    - $[[ inputs.more ]]
    - last $[[ inputs.more[1] ]]
  interruptible: $[[ inputs.flag ]]
  retry: $[[ inputs.count ]]
  tags: $[[ inputs.more ]]
  variables: {ALL: 'x $[[ inputs.more ]]'}
";
    let spec = "{name: , count: {type: number}, flag: {type: boolean, default: false}, more: {type: array}}";
    let given = included(
        spec,
        body,
        json!({"name": "one", "count": 2, "flag": true, "more": ["a", "b"]}),
    );
    let job = given.job("one-job");
    assert_eq!(script(&job), ["echo 2 true", "a", "b", "last b"]);
    assert!(job.interruptible);
    assert_eq!(job.retry.max, 2);
    assert_eq!(job.tags, ["a", "b"]);
    assert_eq!(job.variables[0].value, "x [\"a\", \"b\"]");
}

#[test]
fn texts_stand_for_values_of_other_types() {
    let spec = "{n: {type: number}, b: {type: boolean}, l: {type: array}}";
    let body = "a: {script: x, retry: '$[[ inputs.n ]]', interruptible: '$[[ inputs.b ]]', tags: '$[[ inputs.l ]]'}";
    let job = included(spec, body, json!({"n": "1", "b": "true", "l": "[\"t\"]"})).job("a");
    assert_eq!(
        (job.retry.max, job.interruptible, job.tags),
        (1, true, vec!["t".to_owned()])
    );
}

#[test]
fn functions_work_on_texts() {
    let spec = "{text: }";
    let cases = [
        ("$[[ inputs.text | truncate(1,3) ]]", "echo", "cho"),
        ("$[[ inputs.text | truncate(8,3) ]]x", "echo", "x"),
        (
            "$[[ inputs.text | expand_vars ]]",
            "on $NAME and $GONE",
            "on value and $GONE",
        ),
        (
            "$[[ inputs.text | expand_vars | truncate(0,4) ]]",
            "$NAME",
            "valu",
        ),
        (
            "$[[ inputs.text | posix_escape ]]",
            "it's a $x",
            "it\\'s\\ a\\ \\$x",
        ),
        ("$[[ inputs.text | posix_escape ]]", "", "''"),
    ];
    for (command, text, expected) in cases {
        let body = format!("a: {{script: \"{command}\"}}");
        let given = included(spec, &body, json!({"text": text})).assigned("NAME", "value");
        assert_eq!(script(&given.job("a")), [expected], "{command}");
    }
}

#[test]
fn defaults_options_and_patterns_hold() {
    let spec = "
    env: {options: [dev, prod], default: dev}
    level: {type: number, options: [1, 2], default: 1}
    version: {regex: '^v\\d+$', default: v1}
    nothing: {default: null}
    ruled:
      rules:
        - {if: '$[[ inputs.env ]] == \"prod\"', default: strict, options: [strict]}
        - {default: lax, options: [lax, strict]}
";
    let body = "a: {script: \"$[[ inputs.env ]] $[[ inputs.level ]] $[[ inputs.version ]] '$[[ inputs.nothing ]]' $[[ inputs.ruled ]]\"}";
    assert_eq!(
        script(&included(spec, body, json!({})).job("a")),
        ["dev 1 v1 '' lax"]
    );
    let given = included(
        spec,
        body,
        json!({"env": "prod", "level": 2, "version": "v22"}),
    );
    assert_eq!(script(&given.job("a")), ["prod 2 v22 '' strict"]);
    let given = included(spec, body, json!({"ruled": "strict"}));
    assert_eq!(script(&given.job("a")), ["dev 1 v1 '' strict"]);
}

#[test]
fn pipelines_take_inputs_too() {
    let text = "spec: {inputs: {name: {default: none}, n: {type: number, default: 0}}}\n---\na: {script: 'echo $[[ inputs.name ]]', retry: '$[[ inputs.n ]]'}";
    assert_eq!(script(&on_branch(text).job("a")), ["echo none"]);
    let given = on_branch(text).input("name", "x").input("n", "2");
    assert_eq!(
        (script(&given.job("a")), given.job("a").retry.max),
        (vec!["echo x".to_owned()], 2)
    );
    assert_eq!(
        on_branch(text).input("other", 1).error(),
        "unknown input arguments: other"
    );
    assert_eq!(
        on_branch("a: {script: x}").input("other", 1).error(),
        "Given inputs not defined in the `spec` section of the included configuration file"
    );
    let mut many = on_branch(text);
    for number in 0..21 {
        many = many.input(&format!("i{number}"), 1);
    }
    assert_eq!(many.error(), "There cannot be more than 20 inputs");
}

#[test]
fn inputs_belong_to_the_file_that_declares_them() {
    let given = included(
        "{name: }",
        "include: {local: y.yml}\na: {script: x}",
        json!({"name": "n"}),
    )
    .file("y.yml", "y: {script: 'echo $[[ inputs.name ]]'}");
    assert_eq!(script(&given.job("y")), ["echo $[[ inputs.name ]]"]);
    let given = included(
        "{name: }",
        "include: {local: y.yml, inputs: {inner: '$[[ inputs.name ]]!'}}",
        json!({"name": "n"}),
    )
    .file(
        "y.yml",
        "spec: {inputs: {inner: }}\n---\ny: {script: '$[[ inputs.inner ]]'}",
    );
    assert_eq!(script(&given.job("y")), ["n!"]);
    assert_eq!(build(&given.job("main")).script, ["x"]);
}

#[test]
fn what_is_wrong_with_inputs_is_said_as_in_gitlab() {
    let body = "a: {script: '$[[ inputs.x ]]'}";
    let cases = [
        (
            "{x: }",
            body,
            json!({}),
            "`x.yml`: `x` input: required value has not been provided",
        ),
        (
            "{x: }",
            body,
            json!({"x": "a", "y": 1, "z": 2}),
            "`x.yml`: unknown input arguments: y, z",
        ),
        (
            "{x: }",
            body,
            json!([1]),
            "`x.yml`: Given inputs must be a hash",
        ),
        (
            "{x: {type: number}}",
            body,
            json!({"x": "a"}),
            "`x.yml`: `x` input: provided value is not a number",
        ),
        (
            "{x: {type: boolean}}",
            body,
            json!({"x": "a"}),
            "`x.yml`: `x` input: provided value is not a boolean",
        ),
        (
            "{x: {type: array}}",
            body,
            json!({"x": "a"}),
            "`x.yml`: `x` input: provided value is not an array",
        ),
        (
            "{x: {type: number, default: a}}",
            body,
            json!({}),
            "`x.yml`: `x` input: default value is not a number",
        ),
        (
            "{x: {options: [a, b]}}",
            body,
            json!({"x": "c"}),
            "`x.yml`: `x` input: `c` cannot be used because it is not in the list of allowed options",
        ),
        (
            "{x: {type: number, options: [1]}}",
            body,
            json!({"x": 2}),
            "`x.yml`: `x` input: `2` cannot be used because it is not in the list of the allowed options",
        ),
        (
            "{x: {type: boolean, options: [true]}}",
            body,
            json!({"x": true}),
            "`x.yml`: `x` input: Options can only be used with string and number inputs",
        ),
        (
            "{x: {regex: '^a$'}}",
            body,
            json!({"x": "b"}),
            "`x.yml`: `x` input: provided value does not match required RegEx pattern",
        ),
        (
            "{x: {regex: '('}}",
            body,
            json!({"x": "b"}),
            "`x.yml`: `x` input: invalid regular expression",
        ),
        (
            "{x: {type: number, regex: '1'}}",
            body,
            json!({"x": 1}),
            "`x.yml`: `x` input: RegEx validation can only be used with string inputs",
        ),
        (
            "{x: {type: text}}",
            body,
            json!({"x": 1}),
            "`x.yml`: header:spec:inputs:x input type unknown value: text",
        ),
        (
            "{x: {required: true}}",
            body,
            json!({"x": 1}),
            "`x.yml`: header:spec:inputs:x config contains unknown keys: required",
        ),
        (
            "{x: {options: a, description: [b], regex: 1}}",
            body,
            json!({"x": 1}),
            "`x.yml`: header:spec:inputs:x input description must be an alphanumeric string, \
             header:spec:inputs:x input regex should be a string, header:spec:inputs:x input options should be an array",
        ),
        (
            "{x: {rules: [{default: a}], default: b}}",
            body,
            json!({}),
            "`x.yml`: header:spec:inputs:x config these keys cannot be used together: rules, default",
        ),
        (
            "{x: }",
            "a: {script: '$[[ inputs.y ]]'}",
            json!({"x": 1}),
            "`x.yml`: unknown interpolation provided: `y` in `inputs.y`",
        ),
        (
            "{x: }",
            "a: {script: '$[[ xy ]]'}",
            json!({"x": 1}),
            "`x.yml`: invalid pattern used for interpolation. valid pattern is $[[ inputs.input ]]",
        ),
        (
            "{x: }",
            "a: {script: '$[[ inputs.x | shout ]]'}",
            json!({"x": "a"}),
            "`x.yml`: no function matching `shout`: check that the function name, arguments, and types are correct",
        ),
        (
            "{x: }",
            "a: {script: '$[[ inputs.x | expand_vars | expand_vars | expand_vars | expand_vars ]]'}",
            json!({"x": "a"}),
            "`x.yml`: too many functions in interpolation block",
        ),
        (
            "{x: {type: number}}",
            "a: {script: '$[[ inputs.x | truncate(0,1) ]]'}",
            json!({"x": 1}),
            "`x.yml`: error in `truncate` function: invalid input type: truncate can only be used with string inputs",
        ),
        (
            "{x: }",
            "a: {script: '$[[ inputs.x | expand_vars ]]'}",
            json!({"x": "$SECRET"}),
            "`x.yml`: error in `expand_vars` function: variable expansion error: masked variables cannot be expanded",
        ),
        (
            "{x: {type: array}}",
            "a: {script: '$[[ inputs.x[3] ]]'}",
            json!({"x": ["a"]}),
            "`x.yml`: array index 3 out of bounds (size: 1) in `inputs.x[3]`",
        ),
        (
            "{x: }",
            "a: {script: '$[[ inputs.x[0] ]]'}",
            json!({"x": "a"}),
            "`x.yml`: cannot index into non-array value at [0] in `inputs.x[0]`",
        ),
        (
            "{x: {type: array}}",
            "a: {script: '$[[ inputs.x[a] ]]'}",
            json!({"x": []}),
            "`x.yml`: invalid array index in `inputs.x[a]`: `a` is not a valid index",
        ),
    ];
    let secret = Assigned {
        value: "s3cret".to_owned(),
        raw: false,
        masked: true,
    };
    for (spec, body, inputs, expected) in cases {
        let given = included(spec, body, inputs.clone()).assigned("SECRET", secret.clone());
        assert_eq!(given.errors(), [expected], "{spec} {inputs}");
    }
}

#[test]
fn what_is_wrong_with_a_header_is_said_as_in_gitlab() {
    let cases = [
        ("spec: [a]", "header:spec config should be a hash"),
        (
            "spec: {input: {}}",
            "header:spec config contains unknown keys: input",
        ),
        (
            "spec: {}\nother: 1",
            "header config contains unknown keys: other",
        ),
        (
            "spec: {component: [size]}",
            "header:spec:component config contains unknown values: size",
        ),
        (
            "spec: {include: [a.yml]}",
            "Local file `a.yml` does not exist!",
        ),
        (
            "spec: {include: [{template: a.yml}]}",
            "header:spec:include:include config contains unknown keys: template",
        ),
        (
            "spec: {include: {local: a.yml}}",
            "header:spec:include config should be an array or a string",
        ),
        (
            "spec: {description: [a]}",
            "header:spec config description should be a string",
        ),
    ];
    for (header, expected) in cases {
        let text = format!("{header}\n---\na: {{script: x}}");
        assert_eq!(on_branch(&text).errors(), [expected], "{header}");
    }
}
