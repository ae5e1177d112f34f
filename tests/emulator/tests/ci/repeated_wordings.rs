//! What GitLab says twice, what it lets pass, and how it shows values that are no text.

use crate::given::on_branch;

fn errors(text: &str) -> Vec<String> {
    on_branch(text).linted(false).errors
}

#[test]
fn faults_of_defaults_are_said_again_for_every_job_that_takes_them_over() {
    let fault = "default:timeout config should be a duration";
    let limit = "default:timeout config should not exceed the limit";
    assert_eq!(
        errors("default: {timeout: x}\na: {script: x}\nb: {script: x, timeout: 1h}"),
        [fault, limit, fault, limit]
    );
    let global = "image name can't be blank";
    let found = errors("image: ''\na: {script: x}\nb: {script: x, inherit: {default: false}}");
    assert_eq!(found, [global; 3]);
}

#[test]
fn lists_of_known_words_show_every_stranger_as_ruby_would() {
    assert_eq!(
        errors("a: {script: x, retry: {when: [b, 1, null, {c: d}]}}"),
        [
            "retry when should be an array of strings or a string",
            "retry when contains unknown values: b, 1, , {:c=>\"d\"}",
        ]
    );
    assert_eq!(
        errors("a: {script: x, inherit: {default: [image, foo, 1]}}"),
        [
            "jobs:a:inherit:default config should be an array of strings",
            "jobs:a:inherit:default config contains unknown values: foo, 1",
        ]
    );
    assert_eq!(
        errors("a: {script: x, rules: [{when: [b, 1]}]}"),
        ["jobs:a:rules:rule when unknown value: [\"b\", 1]"]
    );
}

#[test]
fn options_of_images_are_checked_against_a_schema() {
    assert_eq!(
        errors("a: {script: x, image: {name: b, docker: {user: 1, arch: c}}}"),
        [
            "jobs:a:image executor opts value at `/docker/user` is not a string",
            "jobs:a:image executor opts object property at `/docker/arch` is a disallowed additional property",
        ]
    );
    assert_eq!(
        errors("a: {script: x, image: {name: b, kubernetes: {user: 1000}}}"),
        [""; 0]
    );
}

#[test]
fn needs_of_other_pipelines_are_for_jobs_with_a_script_and_five_at_most() {
    let need = "{pipeline: '$P', job: b}";
    assert_eq!(
        errors(&format!("a: {{trigger: c/d, needs: [{need}]}}")),
        ["jobs:a:needs config uses invalid types: cross_dependency"]
    );
    let many = [need; 6].join(", ");
    assert_eq!(
        errors(&format!("a: {{script: x, needs: [{many}]}}")),
        ["jobs:a:needs config must be less than or equal to 5"]
    );
    assert_eq!(
        errors(&format!(
            "a: {{script: x, needs: [{need}], dependencies: [b]}}"
        )),
        ["jobs:a needs corresponding to dependencies must be from the same pipeline"]
    );
    assert_eq!(
        errors("a: {script: x, needs: [1]}"),
        ["jobs:a:needs:need has an unsupported type"]
    );
}

#[test]
fn what_gitlab_does_not_look_at_passes() {
    for text in [
        "a: {script: x, cache: [null, {}, [{paths: [b]}]]}",
        "a: {script: x, cache: {policy: push-pull-push, paths: [b]}}",
        "a: {script: x, services: [null]}",
        "a: {script: x, needs: [null]}",
        "a: {script: x, id_tokens: {T: {aud: []}}}",
        "a: {script: x, rules: [{exists: {}}]}",
        "a: {script: x, release: {tag_name: v1, description: d, assets: {links: [{name: 1}]}}}",
        "a: {trigger: {project: b/c, forward: yes-please}}",
        "a: {trigger: {include: null}}",
    ] {
        assert_eq!(errors(text), [""; 0], "{text}");
    }
}

#[test]
fn jobs_that_ask_for_a_cluster_never_run_here() {
    let given = on_branch("a: {script: x, only: {kubernetes: active}}\nb: {script: x}");
    assert_eq!(given.job_names(), ["b"]);
    let given = on_branch("a: {script: x, except: {kubernetes: active}}");
    assert_eq!(given.job_names(), ["a"]);
}
