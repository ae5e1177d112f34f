//! Inputs that other files define (`spec:include`), rules of inputs, and includes that bring nothing in.

use crate::given::{Given, on_branch, script};

fn with_header(header: &str) -> Given {
    on_branch(&format!(
        "{header}\n---\na: {{script: 'echo $[[ inputs.own ]] $[[ inputs.more ]]'}}"
    ))
    .file(
        "more.yml",
        "inputs: {more: {default: 7, type: number}, third: {}}",
    )
    .file("strange.yml", "inputs: {more: {}}\njob: {script: x}")
    .project_file("group/lib", "own.yml", "inputs: {own: {default: shared}}")
}

#[test]
fn inputs_come_from_files_of_the_project_and_of_others() {
    let given = with_header(
        "spec: {include: [more.yml, {project: group/lib, file: own.yml}], inputs: {last: {default: x}}}",
    )
    .input("third", "given");
    assert_eq!(script(&given.job("a")), ["echo shared 7"]);
    let named: Vec<String> = given
        .linted(false)
        .includes
        .into_iter()
        .map(|included| format!("{} {}", included.kind, included.location))
        .collect();
    assert_eq!(named, ["local more.yml", "file own.yml"]);
}

#[test]
fn included_inputs_are_given_and_missed_like_any_others() {
    let header = "spec: {include: more.yml, inputs: {own: {}}}";
    let missing = with_header(header).error();
    assert_eq!(
        missing,
        "`third` input: required value has not been provided, `own` input: required value has not been provided"
    );
}

#[test]
fn an_input_has_one_definition_and_files_of_inputs_hold_nothing_else() {
    assert_eq!(
        with_header("spec: {include: more.yml, inputs: {more: {}}}").error(),
        "Duplicate input keys found: more. Input keys must be unique across all included files and inline specifications."
    );
    assert_eq!(
        with_header("spec: {include: strange.yml}").error(),
        "Header include file `strange.yml` contains unknown keys: [:job]"
    );
}

#[test]
fn rules_of_inputs_say_options_and_default() {
    let fault = |rule: &str| {
        let text = format!("spec: {{inputs: {{x: {{rules: [{rule}]}}}}}}\n---\na: {{script: x}}");
        on_branch(&text).error()
    };
    assert_eq!(
        fault("{options: [a]}"),
        "`x` input: rule must define 'options' with at least one value and a 'default'"
    );
    assert_eq!(
        fault("{options: [a], default: B}"),
        "`x` input: default 'b' must be one of the options"
    );
    assert_eq!(fault("{}"), "`x` input: can't be blank");
    assert_eq!(
        fault("{if: '$A', options: a, default: a}"),
        "`x` input: options should be an array"
    );
    assert_eq!(
        fault("{option: [a]}"),
        "`x` input: contains unknown keys: option"
    );
}

#[test]
fn an_include_that_brings_nothing_in_is_still_checked() {
    let fault = |include: &str| {
        on_branch(&format!("include: {include}\na: {{script: x}}"))
            .linted(false)
            .errors
    };
    assert_eq!(
        fault("{local: a.yml, rules: [{when: never}]}"),
        ["include config should be an array or a string"]
    );
    assert_eq!(
        fault("[{local: a.yml, foo: b, rules: [{when: never}]}]"),
        ["include:include config contains unknown keys: foo"]
    );
    assert_eq!(
        fault("[{project: group/lib}]"),
        ["include:include config must specify the file where to fetch the config from"]
    );
    assert_eq!(fault("[]"), [""; 0]);
}

#[test]
fn files_are_listed_level_by_level_and_the_first_fault_of_a_level_counts() {
    let given = on_branch("include: [outer.yml, last.yml]\na: {script: x}")
        .file("outer.yml", "include: inner.yml\no: {script: x}")
        .file("inner.yml", "i: {script: x}")
        .file("last.yml", "l: {script: x}");
    let named: Vec<String> = given
        .linted(false)
        .includes
        .into_iter()
        .map(|included| included.location)
        .collect();
    assert_eq!(named, ["outer.yml", "last.yml", "inner.yml"]);
    let faulty = on_branch("include: [gone.yml, no-yaml]\na: {script: x}");
    assert_eq!(faulty.error(), "Local file `gone.yml` does not exist!");
}
