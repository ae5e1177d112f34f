//! Files brought in by `include`.

use serde_json::json;

use crate::given::{build, on_branch, script};

const JOB: &str = "a: {script: own}";

#[test]
fn every_kind_of_include_is_merged_under_the_file_itself() {
    let text = "
include:
  - /ci/one.yml
  - local: ci/two.yml
  - project: Group/Lib
    ref: main
    file: [x.yml, /y.yml]
  - component: $CI_SERVER_FQDN/group/lib/deploy@1.0.0
variables: {WHO: main}
one: {variables: {B: main}}
";
    let given = on_branch(text)
        .file(
            "ci/one.yml",
            "one: {script: one, variables: {A: file, B: file}}\nvariables: {WHO: file, KEPT: file}",
        )
        .file("ci/two.yml", "two: {script: two}\none: {script: from-two}")
        .project_file("group/lib", "x.yml", "x: {script: x}")
        .project_file("group/lib", "y.yml", "y: {script: y}")
        .project_file(
            "group/lib",
            "templates/deploy.yml",
            "deploy: {script: deploy}",
        );
    assert_eq!(given.job_names(), ["one", "two", "x", "y", "deploy"]);
    assert_eq!(script(&given.job("one")), ["from-two"]);
    let pairs: Vec<(String, String)> = given
        .job("one")
        .variables
        .into_iter()
        .map(|variable| (variable.key, variable.value))
        .collect();
    assert_eq!(
        pairs,
        [
            ("A".to_owned(), "file".to_owned()),
            ("B".to_owned(), "main".to_owned())
        ]
    );
    assert_eq!(given.pipeline().variables[0].value, "main");
}

#[test]
fn a_single_include_and_variables_in_it_are_fine() {
    let given = on_branch(&format!("include: ci/$NAME.yml\n{JOB}"))
        .assigned("NAME", "x")
        .file("ci/x.yml", "x: {script: x}");
    assert_eq!(given.job_names(), ["x", "a"]);
    let given =
        on_branch(&format!("include: {{local: x.yml}}\n{JOB}")).file("x.yml", "x: {script: x}");
    assert_eq!(given.job_names(), ["x", "a"]);
}

#[test]
fn globs_bring_in_whatever_is_there() {
    let given = on_branch(&format!("include: 'ci/*.yml'\n{JOB}"))
        .file("ci/1.yml", "one: {script: x}")
        .file("ci/2.yml", "two: {script: x}")
        .file("ci/sub/3.yml", "three: {script: x}");
    assert_eq!(given.job_names(), ["one", "two", "a"]);
    let given = on_branch(&format!("include: '/ci/**.yml'\n{JOB}"))
        .file("ci/1.yml", "one: {script: x}")
        .file("ci/sub/3.yml", "three: {script: x}");
    assert_eq!(given.job_names(), ["one", "three", "a"]);
    assert_eq!(
        on_branch(&format!("include: 'none/*.yml'\n{JOB}")).job_names(),
        ["a"]
    );
}

#[test]
fn rules_decide_about_includes() {
    let text = format!(
        "
include:
  - {{local: x.yml, rules: [{{if: $CI_COMMIT_BRANCH == 'main'}}]}}
  - {{local: gone.yml, rules: [{{if: $CI_COMMIT_TAG}}]}}
  - {{local: gone.yml, rules: [{{exists: [gone.txt]}}]}}
  - {{local: y.yml, rules: [{{exists: [x.yml], changes: [src/*]}}]}}
  - {{local: gone.yml, rules: [{{if: $CI_COMMIT_BRANCH, when: never}}, {{when: always}}]}}
{JOB}"
    );
    let given = on_branch(&text)
        .file("x.yml", "x: {script: x}")
        .file("y.yml", "y: {script: x}");
    assert_eq!(
        given.clone().changed(&["src/a"]).job_names(),
        ["x", "y", "a"]
    );
    assert_eq!(given.changed(&["b"]).job_names(), ["x", "a"]);
}

#[test]
fn local_files_of_an_included_file_are_those_of_its_project() {
    let given = on_branch(&format!(
        "include:\n  - {{project: group/lib, file: x.yml}}\n  - gitlab.yml\n{JOB}"
    ))
    .file(
        "gitlab.yml",
        "include: {component: gitlab.test/group/lib/c@main}",
    )
    .file("shared.yml", "wrong: {script: x}")
    .project_file("group/lib", "x.yml", "include: shared.yml\nx: {script: x}")
    .project_file("group/lib", "shared.yml", "right: {script: x}")
    .project_file(
        "group/lib",
        "templates/c.yml",
        "include: {local: /shared.yml}\nc: {script: c}",
    );
    assert_eq!(given.job_names(), ["right", "x", "c", "a"]);
}

#[test]
fn extends_and_references_reach_across_files() {
    let given =
        on_branch("include: x.yml\na: {extends: .base, before_script: !reference [.base, script]}")
            .file("x.yml", ".base: {script: [shared]}");
    assert_eq!(build(&given.job("a")).before_script, ["shared"]);
    assert_eq!(script(&given.job("a")), ["shared"]);
}

#[test]
fn a_component_knows_itself() {
    let component = "
spec:
  component: [name, sha, version, reference]
  inputs: {who: }
---
$[[ component.name ]]:
  script:
    - echo $[[ component.sha ]] $[[ component.reference ]] '$[[ component.version ]]' $[[ inputs.who ]]
";
    let text = |version: &str| {
        format!(
            "include: [{{component: 'gitlab.test/group/lib/tool@{version}', inputs: {{who: me}}}}]"
        )
    };
    let given = |version: &str| {
        on_branch(&text(version)).project_file("group/lib", "templates/tool.yml", component)
    };
    assert_eq!(
        script(&given("1.0.0").job("tool")),
        ["echo c0ffee 1.0.0 '1.0.0' me"]
    );
    assert_eq!(
        script(&given("main").job("tool")),
        ["echo c0ffee main '' me"]
    );
}

#[test]
fn what_is_wrong_with_an_include_is_said_as_in_gitlab() {
    let cases = [
        ("include: gone.yml", "Local file `gone.yml` does not exist!"),
        ("include: empty.yml", "Local file `empty.yml` is empty!"),
        (
            "include: comment.yml",
            "Included file `comment.yml` does not have valid YAML syntax!",
        ),
        (
            "include: list.yml",
            "`list.yml`: Invalid configuration format",
        ),
        (
            "include: broken.yml",
            "`broken.yml`: (<unknown>): did not find expected ',' or ']' while parsing a flow sequence at line 1 column 4",
        ),
        (
            "include: README.md",
            "Included file `README.md` does not have YAML extension!",
        ),
        ("include: [1]", "Each include must be a hash or a string"),
        (
            "include: {local: [a]}",
            "Included file `[\"a\"]` does not have YAML extension!",
        ),
        (
            "include: {file: a.yml}",
            "`{\"file\":\"a.yml\"}` does not have a valid subkey for include. Valid subkeys are: `local`, `project`, \
             `remote`, `template`, `artifact`, `component`",
        ),
        (
            "include: {local: a.yml, template: b.yml}",
            "Each include must use only one of: `local`, `project`, `remote`, `template`, `artifact`, `component`",
        ),
        (
            "include: {template: a.yml}",
            "include:template is not supported by this server: GitLab's own templates are not part of this server",
        ),
        (
            "include: 'https://example.org/a.yml'",
            "include:remote is not supported by this server: this server fetches nothing from elsewhere",
        ),
        (
            "include: {project: group/none, file: a.yml}",
            "Project `group/none` not found or access denied! Make sure any includes in the pipeline configuration \
             are correctly defined.",
        ),
        (
            "include: {project: group/lib, file: a.yml, ref: v9}",
            "Project `group/lib` reference `v9` does not exist!",
        ),
        (
            "include: {project: group/lib, file: a.yml}",
            "Project `group/lib` file `a.yml` does not exist!",
        ),
        (
            "include: {project: group/lib, file: e.yml}",
            "Project `group/lib` file `e.yml` is empty!",
        ),
        (
            "include: {component: elsewhere.test/group/lib/x@main}",
            "Component 'elsewhere.test/group/lib/x@main' - the component path is not supported",
        ),
        (
            "include: {component: gitlab.test/group/none/x@main}",
            "Component 'gitlab.test/group/none/x@main' - project does not exist or you don't have sufficient permissions",
        ),
        (
            "include: {component: gitlab.test/group/lib/x@main}",
            "Component 'gitlab.test/group/lib/x@main' - content not found",
        ),
        (
            "include: {component: gitlab.test/group/lib/x@~latest}",
            "Component 'gitlab.test/group/lib/x@~latest' - The ~latest version reference is not supported for \
             non-catalog resources. Use a tag, branch, or commit SHA instead.",
        ),
        (
            "include: {component: gitlab.test/group/lib/x@1}",
            "Component 'gitlab.test/group/lib/x@1' - The partial semantic version reference is not supported for \
             non-catalog resources. Use a tag, branch, or commit SHA instead.",
        ),
        (
            "include: {artifact: a.yml}",
            "Job must be provided when including configs from artifacts",
        ),
        (
            "include: {artifact: e.yml, job: maker}",
            "File `e.yml` is empty!",
        ),
        (
            "include: {local: a.yml, rules: [{if: '$A ='}]}",
            "include:rule if invalid expression syntax",
        ),
        (
            "include: {local: a.yml, rules: [{when: manual}]}",
            "include:rule when unknown value: manual",
        ),
        (
            "include: {local: a.yml, rules: [{changes: {paths: [a], compare_to: gone}}]}",
            "include:rules:changes:compare_to is not a valid ref",
        ),
        (
            "include: inner.yml",
            "Local file `deep.yml` does not exist!",
        ),
        (
            "include: loop.yml",
            "Maximum of 150 nested includes are allowed!",
        ),
    ];
    for (include, expected) in cases {
        let given = on_branch(&format!("{include}\n{JOB}"))
            .file("empty.yml", "  \n")
            .file("comment.yml", "# nothing")
            .file("list.yml", "[a]")
            .file("broken.yml", "a: [b")
            .file("inner.yml", "include: deep.yml")
            .file("loop.yml", "include: loop.yml")
            .project_file("group/lib", "e.yml", "")
            .artifact("maker", "e.yml", "");
        assert_eq!(given.errors(), [expected], "{include}");
    }
}

#[test]
fn a_hundred_and_fifty_files_are_allowed() {
    let include = |count: usize| {
        let list = vec![json!({"local": "x.yml"}); count];
        on_branch(&json!({"include": list, "a": {"script": "x"}}).to_string())
            .file("x.yml", "x: {script: x}")
    };
    assert_eq!(include(150).job_names(), ["x", "a"]);
    assert_eq!(
        include(151).error(),
        "Maximum of 150 nested includes are allowed!"
    );
}
