//! Every complaint about keywords, once, in GitLab's words.

use crate::given::on_branch;

/// One faulty configuration a line block, and all errors GitLab finds in it.
fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(on_branch(text).errors(), *expected, "{text}");
    }
}

#[test]
fn the_configuration_as_a_whole() {
    check(&[
        ("", &["Please provide content of .gitlab-ci.yml"]),
        ("- a", &["Invalid configuration format"]),
        (
            "variables: {A: b}",
            &["jobs config should contain at least one visible job"],
        ),
        (
            ".hidden: {script: a}",
            &["jobs config should contain at least one visible job"],
        ),
        (
            "my job: {stage: test}\ntest: {script: a}",
            &["jobs my_job config should implement the script:, run:, or trigger: keyword"],
        ),
        (
            "test-1:\ntest: {script: a}",
            &["jobs test-1 config should implement the script:, run:, or trigger: keyword"],
        ),
        (
            "test: {script: a}\n.hidden:",
            &["jobs:.hidden config can't be blank"],
        ),
        (
            "default: [a]\ntest: {script: a}",
            &["default config should be a hash"],
        ),
        (
            "default: {stage: a}\ntest: {script: a}",
            &["default config contains unknown keys: stage"],
        ),
        (
            "default: {image: a}\nimage: b\ntest: {script: a}",
            &["image is defined in top-level and `default:` entry"],
        ),
        (
            "stages: [[1]]\ntest: {script: a}",
            &[
                "stages config should be an array of strings or a nested array of strings up to 10 levels deep",
            ],
        ),
        (
            "variables: [a]\ntest: {script: a}",
            &["variables config should be a hash"],
        ),
        (
            "variables: {A: [b]}\ntest: {script: a}",
            &["variable definition must be either a string or a hash"],
        ),
        (
            "variables: {A: {valu: b}}\ntest: {script: a}",
            &["variables:a config uses invalid data keys: valu"],
        ),
        (
            "variables: {A: {value: b, options: [c]}}\ntest: {script: a}",
            &["variables:a config value must be present in options"],
        ),
        (
            "variables: {A: {value: [b], expand: c, description: [d], options: e}}\ntest: {script: a}",
            &[
                "variables:a config value must be a scalar",
                "variables:a config description must be an alphanumeric string",
                "variables:a config expand should be a boolean value",
                "variables:a config options should be an array of strings",
            ],
        ),
    ]);
}

#[test]
fn the_workflow() {
    check(&[
        (
            "workflow: a\ntest: {script: a}",
            &[
                "workflow config should be a hash",
                "workflow config should be a hash",
            ],
        ),
        (
            "workflow: {rule: []}\ntest: {script: a}",
            &["workflow config contains unknown keys: rule"],
        ),
        (
            "workflow: {rules: []}\ntest: {script: a}",
            &["workflow:rules config can't be blank"],
        ),
        (
            "workflow: {rules: [{when: manual}]}\ntest: {script: a}",
            &["workflow:rules:rule when unknown value: manual"],
        ),
        (
            "workflow: {auto_cancel: {on_new_commit: a, on_job_failure: b}}\ntest: {script: a}",
            &[
                "workflow:auto_cancel on new commit must be one of: conservative, interruptible, none",
                "workflow:auto_cancel on job failure must be one of: none, all",
            ],
        ),
        (
            &format!(
                "workflow: {{name: {}}}\ntest: {{script: a}}",
                "n".repeat(256)
            ),
            &["workflow name is too long (maximum is 255 characters)"],
        ),
    ]);
}

#[test]
fn the_keys_of_a_job() {
    check(&[
        (
            "test: {script: a, foo: b, Bar: c}",
            &["jobs:test config contains unknown keys: foo, bar"],
        ),
        ("test: {script: ''}", &["jobs:test script can't be blank"]),
        (
            "test: {script: a, when: b}",
            &["jobs:test when should be one of: on_success, on_failure, always, manual, delayed"],
        ),
        (
            "test: {script: a, dependencies: b}",
            &["jobs:test dependencies should be an array of strings"],
        ),
        (
            "test: {script: a, allow_failure: b}",
            &["jobs:test allow failure should be a hash or a boolean value"],
        ),
        (
            "test: {script: a, manual_confirmation: [b]}",
            &["jobs:test manual confirmation should be a string"],
        ),
        (
            "test: {script: a, when: delayed}",
            &[
                "jobs:test start in should be a duration",
                "jobs:test start in should not exceed the limit",
            ],
        ),
        (
            "test: {script: a, when: delayed, start_in: 2 weeks}",
            &["jobs:test start in should not exceed the limit"],
        ),
        (
            "test: {script: a, start_in: 1 day}",
            &["jobs:test start in must be blank"],
        ),
        (
            "test: {script: a, only: [main], rules: [{when: always}]}",
            &["jobs:test config key may not be used with `rules`: only"],
        ),
        (
            "test: {script: a, rules: b}",
            &["jobs:test rules should be an array containing hashes and arrays of hashes"],
        ),
        (
            "test: {script: a, resource_group: [b]}",
            &["jobs:test resource group should be a string"],
        ),
        (
            "test: {script: a, publish: b}",
            &["jobs:test publish can only be used within a `pages` job"],
        ),
        (
            "test: {script: a, trigger: b}",
            &[
                "jobs:test config these keys cannot be used together: script, trigger",
                "jobs:test config contains unknown keys: trigger",
            ],
        ),
        (
            "test: {script: {a: b}}",
            &[
                "jobs:test:script config should be a string or a nested array of strings up to 10 levels deep",
            ],
        ),
        (
            "test: {script: [a, 1]}",
            &[
                "jobs:test:script config should be a string or a nested array of strings up to 10 levels deep",
            ],
        ),
        (
            "test: {script: a, stage: [b]}",
            &["jobs:test:stage config should be a string"],
        ),
        (
            "test: {script: a, interruptible: b}",
            &["jobs:test:interruptible config should be a boolean value"],
        ),
        (
            "test: {script: a, timeout: soon}",
            &[
                "jobs:test:timeout config should be a duration",
                "jobs:test:timeout config should not exceed the limit",
            ],
        ),
        (
            "test: {script: a, timeout: 2 months}",
            &["jobs:test:timeout config should not exceed the limit"],
        ),
        (
            "test: {script: a, tags: b}",
            &["jobs:test:tags config should be an array of strings"],
        ),
        (
            "test: {script: a, coverage: b}",
            &["jobs:test:coverage config must be a regular expression with re2 syntax"],
        ),
        (
            "test: {script: a, retry: 3}",
            &["retry config must be less than or equal to 2"],
        ),
        (
            "test: {script: a, retry: -1}",
            &["retry config must be greater than or equal to 0"],
        ),
        (
            "test: {script: a, retry: often}",
            &["retry config has to be either an integer or a hash"],
        ),
        (
            "test: {script: a, retry: {max: 3, often: 1}}",
            &[
                "retry config contains unknown keys: often",
                "retry max must be less than or equal to 2",
            ],
        ),
        (
            "test: {script: a, retry: {max: b}}",
            &["retry max is not a number"],
        ),
        (
            "test: {script: a, retry: {when: [b]}}",
            &["retry when contains unknown values: b"],
        ),
        (
            "test: {script: a, retry: {when: b}}",
            &["retry when is not included in the list"],
        ),
        (
            "test: {script: a, retry: {exit_codes: b}}",
            &["retry exit codes should be an array of integers or an integer"],
        ),
        (
            "test: {script: a, allow_failure: {codes: 1}}",
            &["jobs:test:allow_failure config contains unknown keys: codes"],
        ),
        (
            "test: {script: a, allow_failure: {exit_codes: b}}",
            &["jobs:test:allow_failure exit codes should be an array of integers or an integer"],
        ),
        (
            "test: {script: a, variables: {A: {value: b, description: c}}}",
            &["jobs:test:variables:a config uses invalid data keys: description"],
        ),
        (
            "test: {script: a, inherit: {default: [stage], variables: 1, other: 2}}",
            &[
                "jobs:test:inherit config contains unknown keys: other",
                "jobs:test:inherit:default config contains unknown values: stage",
                "jobs:test:inherit:variables should be a bool or array of strings",
            ],
        ),
        (
            "test: {script: a, extends: {b: c}}",
            &["test: unknown keys in `extends` ([:b, \"c\"])"],
        ),
        (
            "test: {script: a, extends: .b}",
            &["test: unknown keys in `extends` (.b)"],
        ),
        (
            &format!("{}: {{script: a}}", "n".repeat(256)),
            &[&format!(
                "jobs:{} name is too long (maximum is 255 characters)",
                "n".repeat(256)
            )],
        ),
    ]);
}

#[test]
fn artifacts_environment_release_and_what_the_runner_uses() {
    check(&[
        (
            "test: {script: a, artifacts: b}",
            &[
                "jobs:test:artifacts config should be a hash",
                "jobs:test:artifacts config should be a hash",
            ],
        ),
        (
            "test: {script: a, artifacts: {path: b}}",
            &["jobs:test:artifacts config contains unknown keys: path"],
        ),
        (
            "test: {script: a, artifacts: {paths: b, when: c, expire_in: d, access: e, public: f}}",
            &[
                "jobs:test:artifacts config these keys cannot be used together: access, public",
                "jobs:test:artifacts public should be a boolean value",
                "jobs:test:artifacts paths should be an array of strings",
                "jobs:test:artifacts when should be one of: on_success, on_failure, always",
                "jobs:test:artifacts expire in should be a duration",
                "jobs:test:artifacts access should be one of: none, developer, maintainer, all",
            ],
        ),
        (
            "test: {script: a, artifacts: {expose_as: 'a/b'}}",
            &[
                "jobs:test:artifacts paths can't be blank",
                "jobs:test:artifacts expose as can contain only letters, digits, '-', '_' and spaces",
            ],
        ),
        (
            "test: {script: a, artifacts: {expose_as: b, paths: ['c*']}}",
            &["jobs:test:artifacts paths can't contain '*' when used with 'expose_as'"],
        ),
        (
            "test: {script: a, artifacts: {reports: b}}",
            &["jobs:test:artifacts reports should be a hash"],
        ),
        (
            "test: {script: a, artifacts: {reports: {unit: b, junit: {c: d}}}}",
            &[
                "jobs:test:artifacts:reports config contains unknown keys: unit",
                "jobs:test:artifacts:reports junit should be an array of strings or a string",
            ],
        ),
        (
            "test: {script: a, artifacts: {reports: {coverage_report: {coverage_format: x}}}}",
            &[
                "jobs:test:artifacts:reports:coverage_report coverage format must be one of supported formats: cobertura, jacoco.",
                "jobs:test:artifacts:reports:coverage_report path can't be blank",
                "jobs:test:artifacts:reports:coverage_report path should be a string",
            ],
        ),
        (
            "test: {script: a, environment: [b]}",
            &[
                "jobs:test:environment config should be a hash or a string",
                "jobs:test:environment name can't be blank",
                "jobs:test:environment name can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
                "jobs:test:environment name can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
            ],
        ),
        (
            "test: {script: a, environment: 'a/'}",
            &[
                "jobs:test:environment name can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
            ],
        ),
        (
            "test: {script: a, environment: {name: b, action: c, tier: d, url: [e]}}",
            &[
                "jobs:test:environment config contains unknown keys: tier",
                "jobs:test:environment url should be a string",
                "jobs:test:environment action should be start, stop, prepare, verify, or access",
            ],
        ),
        (
            "test: {script: a, release: {tag: b}}",
            &[
                "jobs:test:release config contains unknown keys: tag",
                "jobs:test:release tag name should be a string",
                "jobs:test:release tag name can't be blank",
                "jobs:test:release description should be a string",
                "jobs:test:release description can't be blank",
            ],
        ),
        (
            "test: {script: a, release: {tag_name: b, description: c, released_at: d, assets: {links: [e]}}}",
            &[
                "jobs:test:release released at must be a valid datetime",
                "jobs:test:release:assets links should be an array of hashes",
            ],
        ),
        (
            "test: {script: a, image: [b]}",
            &[
                "jobs:test:image config should be a hash or a string",
                "jobs:test:image name should be a string",
                "jobs:test:image name can't be blank",
            ],
        ),
        (
            "test: {script: a, image: {name: b, tag: c, entrypoint: d}}",
            &[
                "jobs:test:image entrypoint should be an array of strings",
                "jobs:test:image config contains unknown keys: tag",
            ],
        ),
        (
            "test: {script: a, image: {name: b, pull_policy: often}}",
            &["jobs:test:image:pull_policy config is not included in the list"],
        ),
        (
            "test: {script: a, services: b}",
            &["jobs:test:services config should be an array"],
        ),
        (
            "test: {script: a, services: [{name: b, port: 1}]}",
            &["jobs:test:services:service config contains unknown keys: port"],
        ),
        (
            "test: {script: a, cache: b}",
            &["jobs:test:caches config can only be a hash or an array"],
        ),
        (
            "test: {script: a, cache: {path: b, policy: c, when: d}}",
            &[
                "jobs:test:cache config contains unknown keys: path",
                "jobs:test:cache policy should be a variable or one of: pull-push, push, pull",
                "jobs:test:cache when should be one of: on_success, on_failure, always",
            ],
        ),
        (
            "test: {script: a, cache: {key: 'a/b', paths: c}}",
            &[
                "jobs:test:cache:key config cannot contain the \"/\" character",
                "jobs:test:cache:paths config should be an array of strings",
            ],
        ),
        (
            "test: {script: a, cache: {key: {files: []}}}",
            &["jobs:test:cache:key:files config requires at least 1 item"],
        ),
        (
            "test: {script: a, hooks: {before: b}}",
            &["jobs:test:hooks config contains unknown keys: before"],
        ),
        (
            "test: {script: a, id_tokens: {T: {audience: b}}}",
            &[
                "jobs:test:id_tokens:t config missing required keys: aud",
                "jobs:test:id_tokens:t config contains unknown keys: audience",
                "jobs:test:id_tokens:t aud should be an array of strings or a string",
            ],
        ),
    ]);
}

#[test]
fn rules_needs_policies_and_parallel() {
    check(&[
        (
            "test: {script: a, rules: [{if: '$A = b'}]}",
            &["jobs:test:rules:rule if invalid expression syntax"],
        ),
        (
            "test: {script: a, rules: [{iff: $A, when: often}]}",
            &[
                "jobs:test:rules:rule when unknown value: often",
                "jobs:test:rules:rule config contains unknown keys: iff",
            ],
        ),
        (
            "test: {script: a, rules: [{}]}",
            &["jobs:test:rules:rule config can't be blank"],
        ),
        (
            "test: {script: a, rules: [{start_in: 1 day, allow_failure: b, interruptible: c}]}",
            &[
                "jobs:test:rules:rule config contains disallowed keys: start_in",
                "jobs:test:rules:rule allow failure should be a boolean value",
                "jobs:test:rules:rule interruptible should be a boolean value",
            ],
        ),
        (
            "test: {script: a, rules: [{when: delayed}]}",
            &[
                "jobs:test:rules:rule start in can't be blank",
                "jobs:test:rules:rule start in should be a duration",
                "jobs:test:rules:rule start in should not exceed the limit",
            ],
        ),
        (
            "test: {script: a, rules: [{changes: b, exists: 1}]}",
            &[
                "jobs:test:rules:rule:changes should be an array or a hash",
                "jobs:test:rules:rule:exists should be a string, an array of strings, or a hash",
            ],
        ),
        (
            "test: {script: a, rules: [{changes: {compare_to: main}}, {exists: {paths: [a], ref: b}}]}",
            &[
                "jobs:test:rules:rule:changes config missing required keys: paths",
                "jobs:test:rules:rule:changes paths should be an array of strings",
                "jobs:test:rules:rule:changes paths has too many entries (maximum 50)",
                "jobs:test:rules:rule:exists config missing required keys: project",
            ],
        ),
        (
            "test: {script: a, rules: [{variables: {A: {value: b}}}]}",
            &["jobs:test:rules:rule:variables:a config must be a string"],
        ),
        (
            &format!(
                "test: {{script: a, rules: [{{changes: [{}]}}]}}",
                ["a"; 51].join(", ")
            ),
            &["jobs:test:rules:rule:changes config has too many entries (maximum 50)"],
        ),
        (
            "test: {script: a, needs: b}",
            &["jobs:test:needs config can only be a hash or an array"],
        ),
        (
            "test: {script: a, needs: {}}",
            &["jobs:test:needs config can not be an empty hash"],
        ),
        (
            "test: {script: a, needs: [{optional: true}]}",
            &["jobs:test:needs:need has an unsupported type"],
        ),
        (
            "test: {script: a, needs: [{job: b, artifact: true}]}",
            &["jobs:test:needs:need config contains unknown keys: artifact"],
        ),
        (
            "test: {script: a, needs: [{job: b, parallel: 2}]}",
            &["jobs:test:needs config cannot use \"parallel: <number>\"."],
        ),
        (
            "test: {script: a, needs: [b], dependencies: [c]}\nb: {script: a}\nc: {script: a}",
            &["jobs:test dependencies the c should be part of needs"],
        ),
        (
            "test: {script: a, only: 1}",
            &["jobs:test:only has to be either an array of conditions or a hash"],
        ),
        (
            "test: {script: a, only: ['/(/']}",
            &[
                "jobs:test:only config should be an array of strings or regular expressions using re2 syntax",
            ],
        ),
        (
            "test: {script: a, except: {ref: [a], variables: ['$A =']}}",
            &[
                "jobs:test:except config contains unknown keys: ref",
                "jobs:test:except variables invalid expression syntax",
            ],
        ),
        (
            "test: {script: a, parallel: 201}",
            &["jobs:test:parallel config must be less than or equal to 200"],
        ),
        (
            "test: {script: a, parallel: 0}",
            &["jobs:test:parallel config must be greater than or equal to 1"],
        ),
        (
            "test: {script: a, parallel: 1.5}",
            &["jobs:test:parallel config must be an integer"],
        ),
        (
            "test: {script: a, parallel: b}",
            &["jobs:test:parallel should be an integer or a hash"],
        ),
        (
            "test: {script: a, parallel: {number: 1}}",
            &[
                "jobs:test:parallel config contains unknown keys: number",
                "jobs:test:parallel config missing required keys: matrix",
            ],
        ),
        (
            "test: {script: a, parallel: {matrix: b}}",
            &["jobs:test:parallel:matrix config should be an array of hashes"],
        ),
        (
            "test: {script: a, parallel: {matrix: [{}]}}",
            &["jobs:test:parallel:matrix:variables config requires at least 1 items"],
        ),
        (
            &format!(
                "test: {{script: a, parallel: {{matrix: [{{A: [{}]}}]}}}}",
                ["x"; 201].join(", ")
            ),
            &["jobs:test:parallel:matrix config generates too many jobs (maximum is 200)"],
        ),
    ]);
}

#[test]
fn trigger_jobs() {
    check(&[
        (
            "test: {needs: [b]}\nb: {script: a}",
            &["jobs:test config should contain either a trigger or a needs:pipeline"],
        ),
        (
            "test: {trigger: a, image: b}",
            &[
                "jobs:test config contains unknown keys: image",
                "jobs:test config should contain either a trigger or a needs:pipeline",
            ],
        ),
        (
            "test: {trigger: a, when: delayed}",
            &[
                "jobs:test when should be one of: on_success, on_failure, always, manual",
                "jobs:test config should contain either a trigger or a needs:pipeline",
            ],
        ),
        (
            "test: {trigger: a, allow_failure: {exit_codes: 1}}",
            &[
                "jobs:test allow failure should be a boolean value",
                "jobs:test config should contain either a trigger or a needs:pipeline",
            ],
        ),
        (
            "test: {trigger: [a]}",
            &["jobs:test:trigger has to be either a string or a hash"],
        ),
        (
            "test: {trigger: {project: a, strategy: wait, ref: b}}",
            &[
                "jobs:test:trigger config contains unknown keys: ref",
                "jobs:test:trigger strategy should be depend or mirror",
            ],
        ),
        (
            "test: {trigger: {branch: a}}",
            &[
                "jobs:test:trigger project should be a string",
                "jobs:test:trigger project can't be blank",
            ],
        ),
        (
            "test: {trigger: {include: a.yml, project: b}}",
            &["jobs:test:trigger config contains unknown keys: project"],
        ),
        (
            "test: {trigger: {include: {local: a.yml}}}",
            &["jobs:test:trigger:include config should be an array or a string"],
        ),
        (
            "test: {trigger: {include: [a.yml, b.yml, c.yml, d.yml]}}",
            &["jobs:test:trigger:include config is too long (maximum is 3)"],
        ),
        (
            "test: {trigger: {include: [{project: a}]}}",
            &[
                "jobs:test:trigger:include:include config must specify the file where to fetch the config from",
            ],
        ),
        (
            "test: {trigger: {include: [{artifact: a.yml}]}}",
            &[
                "jobs:test:trigger:include:include config must specify the job where to fetch the artifact from",
            ],
        ),
        (
            "test: {trigger: {project: a, forward: {variables: true, yaml_variables: 1}}}",
            &[
                "jobs:test:trigger:forward config contains unknown keys: variables",
                "jobs:test:trigger:forward yaml variables should be a boolean value",
            ],
        ),
        (
            "test: {trigger: a, parallel: 2}",
            &["jobs:test:parallel config cannot use \"parallel: <number>\"."],
        ),
    ]);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let cases = [
        ("test: {script: a, secrets: {}}", "secrets"),
        ("test: {run: []}", "run"),
        (
            "test: {script: a, needs: [{project: a, job: b, ref: c}]}",
            "needs:project",
        ),
        (
            "test: {script: a, needs: [{pipeline: a}]}",
            "needs:pipeline",
        ),
        (
            "test: {script: a, environment: {name: b, kubernetes: {}}}",
            "kubernetes",
        ),
        ("test: {script: a, pages: {path_prefix: b}}", "path_prefix"),
        (
            "test: {trigger: {include: ['https://example.org/a.yml']}}",
            "include:remote",
        ),
        (
            "test: {trigger: {include: [{template: a.yml}]}}",
            "include:template",
        ),
    ];
    for (text, keyword) in cases {
        let error = on_branch(text).error();
        let expected = format!("config uses `{keyword}`, which is not supported by this server");
        assert!(error.contains(&expected), "{text}: {error}");
    }
}

#[test]
fn how_jobs_fit_together() {
    check(&[
        (
            "test: {script: a, stage: foo}",
            &[
                "test job: chosen stage foo does not exist; available stages are .pre, build, test, deploy, .post",
            ],
        ),
        (
            "test: {script: a, dependencies: [b]}",
            &["test job: undefined dependency: b"],
        ),
        (
            "test: {script: a, needs: [b]}",
            &["test job: undefined need: b"],
        ),
        (
            "test: {script: a, stage: build, needs: [b]}\nb: {script: a}",
            &["test job: need b is not defined in current or prior stages"],
        ),
        (
            "test: {script: a, stage: build, dependencies: [b]}\nb: {script: a}",
            &["test job: dependency b is not defined in current or prior stages"],
        ),
        (
            "test: {script: a, needs: [b, b]}\nb: {script: a}",
            &["test has the following needs duplicated: b."],
        ),
        (
            "test: {script: a, rules: [{needs: [c]}]}",
            &["test job: undefined need: c"],
        ),
        (
            "a: {script: a, needs: [b]}\nb: {script: a, needs: [a]}",
            &["The pipeline has circular dependencies: topological sort failed: [\"a\", \"b\"]"],
        ),
        (
            "a: {script: a, needs: [a]}",
            &["The pipeline has circular dependencies: self-dependency: a"],
        ),
        (
            "test: {trigger: {include: [{artifact: a.yml, job: b}]}}",
            &["test job: undefined dependency: b"],
        ),
        (
            "test: {script: a, environment: {name: e, on_stop: b}}",
            &["test job: on_stop job b is not defined"],
        ),
        (
            "test: {script: a, environment: {name: e, on_stop: b}}\nb: {script: a}",
            &["test job: on_stop job b does not have environment defined"],
        ),
        (
            "test: {script: a, environment: {name: e, on_stop: b}}\nb: {script: a, environment: f}",
            &["test job: on_stop job b have different environment name"],
        ),
        (
            "test: {script: a, environment: {name: e, on_stop: b}}\nb: {script: a, environment: e}",
            &["test job: on_stop job b needs to have action stop defined"],
        ),
        (
            "a: {script: a, needs: ['$[[ matrix.OS ]]']}",
            &["a job: 'OS' does not exist in matrix configuration"],
        ),
    ]);
}

#[test]
fn what_only_the_creation_of_the_pipeline_shows() {
    check(&[
        (
            "a: {script: a, rules: [{if: $NEVER}]}\nb: {script: a, needs: [a]}",
            &[
                "'b' job needs 'a' job, but 'a' does not exist in the pipeline. This might be because of the only, except, \
             or rules keywords. To need a job that sometimes does not exist in the pipeline, use needs:optional.",
            ],
        ),
        (
            "a: {script: a, rules: [{changes: {paths: [x], compare_to: gone}}]}",
            &["Failed to parse rule for a: rules:changes:compare_to is not a valid ref"],
        ),
        (
            "a: {script: a, rules: [{exists: {paths: [x], project: group/gone}}]}",
            &[
                "Failed to parse rule for a: rules:exists:project `group/gone` not found or access denied",
            ],
        ),
        (
            "a: {script: a, variables: {A: $B, B: $A}}",
            &["a: circular variable reference detected: [\"A\", \"B\"]"],
        ),
    ]);
    let mut many = String::new();
    let mut names = Vec::new();
    for number in 0..51 {
        many.push_str(&format!("j{number}: {{script: a}}\n"));
        names.push(format!("j{number}"));
    }
    many.push_str(&format!(
        "last: {{script: a, needs: [{}]}}\n",
        names.join(", ")
    ));
    assert_eq!(
        on_branch(&many).error(),
        "last: one job can only need 50 others, but you have listed 51. See needs keyword documentation for more details"
    );
}

#[test]
fn an_open_last_rule_without_workflow_rules_is_a_warning() {
    let text = "Test: {script: a, rules: [{if: $A}, {when: on_success}]}";
    let warnings = on_branch(text).compiled().expect("valid").warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with(
        "jobs:Test may allow multiple pipelines to run for a single action due to `rules:when` clause with no `workflow:rules`"
    ));
    let with_workflow = format!("workflow: {{rules: [{{when: always}}]}}\n{text}");
    assert!(
        on_branch(&with_workflow)
            .compiled()
            .expect("valid")
            .warnings
            .is_empty()
    );
}
