//! What a job is made of.

use std::collections::BTreeMap;

use serde_json::json;
use trainyard_emulator::ci::child_text;
use trainyard_emulator::ci::definition::{
    ArtifactsWhen, Bridge, ChildInclude, Downstream, Inherit, JobDefinition, JobKind, Strategy,
};

use crate::given::{build, on_branch, script};

fn bridge(job: &JobDefinition) -> &Bridge {
    match &job.kind {
        JobKind::Bridge(bridge) => bridge,
        JobKind::Build(_) => panic!("{} is not a trigger job", job.name),
    }
}

#[test]
fn scripts_may_nest_and_refer_to_others() {
    let text = "
.setup: {script: [one, [two]], after_script: [late]}
a:
  before_script: early
  script:
    - !reference [.setup, script]
    - three
  after_script: !reference [.setup, after_script]
";
    let job = on_branch(text).job("a");
    assert_eq!(build(&job).before_script, ["early"]);
    assert_eq!(script(&job), ["one", "two", "three"]);
    assert_eq!(build(&job).after_script, ["late"]);
}

#[test]
fn jobs_extend_others_and_share_anchors() {
    let text = "
.base: &base {image: alpine, variables: {A: base, B: base}, script: [base]}
.more: {extends: .base, variables: {B: more}}
a: {extends: [.more], variables: {C: own}}
b:
  <<: *base
  script: [own]
";
    let job = on_branch(text).job("a");
    let variables: Vec<(&str, &str)> = job
        .variables
        .iter()
        .map(|variable| (variable.key.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(variables, [("A", "base"), ("B", "more"), ("C", "own")]);
    let job = on_branch(text).job("b");
    assert_eq!(build(&job).image.as_deref(), Some("alpine"));
    assert_eq!(script(&job), ["own"]);
}

#[test]
fn defaults_fill_what_a_job_leaves_open() {
    let text = "
default:
  image: {name: 'alpine:3', entrypoint: ['']}
  before_script: [prepare]
  after_script: [tidy]
  tags: [linux]
  retry: 1
  timeout: 2 hours
  interruptible: true
  artifacts: {paths: [out]}
  services: [postgres]
  cache: {paths: [.cache]}
  hooks: {pre_get_sources_script: [hook]}
  id_tokens: {TOKEN: {aud: 'https://vault'}}
all: {script: x}
own: {script: x, image: busybox, tags: [], retry: {max: 2, when: script_failure, exit_codes: 7}, interruptible: false}
none: {script: x, inherit: {default: false, variables: [A]}}
some: {script: x, inherit: {default: [image]}}
";
    let given = on_branch(text);
    let all = given.job("all");
    assert_eq!(build(&all).image.as_deref(), Some("alpine:3"));
    assert_eq!(
        build(&all).image_settings,
        Some(json!({"name": "alpine:3", "entrypoint": [""]}))
    );
    assert_eq!(build(&all).before_script, ["prepare"]);
    assert_eq!(build(&all).after_script, ["tidy"]);
    assert_eq!(build(&all).services, [json!({"name": "postgres"})]);
    assert_eq!(build(&all).cache[0]["paths"], json!([".cache"]));
    assert_eq!(build(&all).cache[0]["policy"], "pull-push");
    assert_eq!(build(&all).pre_get_sources_script, ["hook"]);
    assert_eq!(build(&all).id_tokens["TOKEN"], ["https://vault"]);
    assert_eq!(
        build(&all).artifacts.as_ref().expect("artifacts").paths,
        ["out"]
    );
    // GitLab checks a default timeout and then forgets it.
    assert_eq!(
        (all.tags.as_slice(), all.retry.max, all.timeout_seconds),
        (["linux".to_owned()].as_slice(), 1, None)
    );
    assert!(all.interruptible);

    let own = given.job("own");
    assert_eq!(build(&own).image.as_deref(), Some("busybox"));
    assert_eq!(
        (own.retry.max, own.retry.when, own.retry.exit_codes),
        (2, vec!["script_failure".to_owned()], vec![7])
    );
    assert!(own.tags.is_empty() && !own.interruptible);

    let none = given.job("none");
    assert_eq!(build(&none).image, None);
    assert!(none.tags.is_empty() && build(&none).before_script.is_empty() && !none.interruptible);
    assert_eq!(none.inherit_variables, Inherit::Only(vec!["A".to_owned()]));

    let some = given.job("some");
    assert_eq!(build(&some).image.as_deref(), Some("alpine:3"));
    assert!(build(&some).before_script.is_empty());
}

#[test]
fn old_global_keywords_are_defaults() {
    let job = on_branch("image: alpine\nbefore_script: [a]\na: {script: x}").job("a");
    assert_eq!(build(&job).image.as_deref(), Some("alpine"));
    assert_eq!(build(&job).before_script, ["a"]);
}

#[test]
fn artifacts_and_their_reports_are_read() {
    let text = "
a:
  script: x
  artifacts:
    name: all
    paths: [a, b]
    exclude: [c]
    untracked: true
    when: always
    expire_in: 1 week
    expose_as: The result
    access: maintainer
    reports:
      dotenv: build.env
      junit: [one.xml, two.xml]
      annotations: links.json
      coverage_report: {coverage_format: cobertura, path: cov.xml}
b: {script: x, artifacts: {paths: [a], public: false}}
";
    let job = on_branch(text).job("a");
    let artifacts = build(&job).artifacts.clone().expect("artifacts");
    assert_eq!(artifacts.when, ArtifactsWhen::Always);
    assert_eq!(artifacts.paths, ["a", "b"]);
    assert_eq!(artifacts.exclude, ["c"]);
    assert!(artifacts.untracked);
    assert_eq!(artifacts.access.as_deref(), Some("maintainer"));
    assert_eq!(artifacts.expose_as.as_deref(), Some("The result"));
    assert_eq!(artifacts.reports["dotenv"], ["build.env"]);
    assert_eq!(artifacts.reports["junit"], ["one.xml", "two.xml"]);
    assert_eq!(artifacts.reports["coverage_report"], ["cov.xml"]);
    let job = on_branch(text).job("b");
    assert_eq!(
        build(&job)
            .artifacts
            .clone()
            .expect("artifacts")
            .access
            .as_deref(),
        Some("developer")
    );
}

#[test]
fn pages_jobs_publish_a_directory() {
    let text = "
pages: {script: x}
site: {script: x, pages: {publish: dist}, artifacts: {paths: [other]}}
";
    let paths = |name: &str| {
        build(&on_branch(text).job(name))
            .artifacts
            .clone()
            .expect("artifacts")
            .paths
    };
    assert_eq!(paths("pages"), ["public"]);
    assert_eq!(paths("site"), ["other", "dist"]);
    assert!(build(&on_branch(text).job("site")).pages);
    assert!(!build(&on_branch("pages: {script: x, pages: false}").job("pages")).pages);
}

#[test]
fn releases_and_the_rest_are_kept() {
    let text = "
a:
  script: x
  coverage: '/Total: (\\d+)%/'
  manual_confirmation: Really?
  when: manual
  release: {tag_name: v1, description: first, assets: {links: [{name: bin, url: 'https://x'}]}}
";
    let job = on_branch(text).job("a");
    assert_eq!(job.coverage.as_deref(), Some("Total: (\\d+)%"));
    assert_eq!(job.manual_confirmation.as_deref(), Some("Really?"));
    assert_eq!(
        build(&job).release.as_ref().expect("a release")["tag_name"],
        "v1"
    );
}

#[test]
fn psych_booleans_mean_what_they_mean_in_gitlab() {
    let text = "
variables: {PLAIN: yes, QUOTED: 'yes', OCTAL: 010, VERSION: 1.10, SHA: 12e45}
a: {script: x, interruptible: on, allow_failure: no}
";
    let pipeline = on_branch(text).pipeline();
    let values: Vec<&str> = pipeline
        .variables
        .iter()
        .map(|variable| variable.value.as_str())
        .collect();
    assert_eq!(values, ["true", "yes", "8", "1.1", "12e45"]);
    assert!(pipeline.jobs[0].interruptible);
}

#[test]
fn trigger_jobs_start_other_pipelines() {
    let text = "
variables: {GROUP: group}
simple: {trigger: $GROUP/other}
full:
  trigger:
    project: group/other
    branch: $CI_COMMIT_BRANCH
    strategy: mirror
    inputs: {level: 3}
    forward: {yaml_variables: false, pipeline_variables: true}
  variables: {A: b}
  resource_group: lock
child: {trigger: {include: ci/child.yml, strategy: depend}}
list:
  trigger:
    include:
      - local: ci/a.yml
        inputs: {x: 1}
      - {project: group/lib, file: [b.yml, c.yml], ref: v1}
      - component: $CI_SERVER_FQDN/group/lib/x@1.0.0
made: {stage: deploy, trigger: {include: [{artifact: made.yml, job: maker}]}, needs: [maker]}
maker: {script: x, artifacts: {paths: [made.yml]}}
";
    let given = on_branch(text);
    let simple = given.job("simple");
    assert_eq!(
        bridge(&simple).downstream,
        Downstream::Project {
            path: "group/other".to_owned(),
            branch: None
        }
    );
    assert_eq!(bridge(&simple).strategy, None);
    assert!(bridge(&simple).forward_yaml_variables && !bridge(&simple).forward_pipeline_variables);

    let full = given.job("full");
    let expected = Downstream::Project {
        path: "group/other".to_owned(),
        branch: Some("main".to_owned()),
    };
    assert_eq!(bridge(&full).downstream, expected);
    assert_eq!(bridge(&full).strategy, Some(Strategy::Mirror));
    assert!(!bridge(&full).forward_yaml_variables && bridge(&full).forward_pipeline_variables);
    assert_eq!(
        bridge(&full).inputs,
        BTreeMap::from([("level".to_owned(), json!(3))])
    );
    assert_eq!(full.resource_group.as_deref(), Some("lock"));

    let local = |path: &str| ChildInclude::Local {
        path: path.to_owned(),
        inputs: BTreeMap::new(),
    };
    assert_eq!(
        bridge(&given.job("child")).downstream,
        Downstream::Child(vec![local("ci/child.yml")])
    );
    let Downstream::Child(includes) = &bridge(&given.job("list")).downstream.clone() else {
        panic!("a child")
    };
    assert_eq!(includes.len(), 4);
    assert_eq!(
        child_text(includes),
        json!({"include": [
            {"local": "ci/a.yml", "inputs": {"x": 1}},
            {"project": "group/lib", "file": "b.yml", "ref": "v1", "inputs": {}},
            {"project": "group/lib", "file": "c.yml", "ref": "v1", "inputs": {}},
            {"component": "$CI_SERVER_FQDN/group/lib/x@1.0.0", "inputs": {}},
        ]})
        .to_string()
    );
    let made = ChildInclude::Artifact {
        path: "made.yml".to_owned(),
        job: "maker".to_owned(),
        inputs: BTreeMap::new(),
    };
    assert_eq!(
        bridge(&given.job("made")).downstream,
        Downstream::Child(vec![made])
    );
}

#[test]
fn a_child_pipeline_is_made_of_its_includes() {
    let includes = [
        ChildInclude::Artifact {
            path: "made.yml".to_owned(),
            job: "maker".to_owned(),
            inputs: BTreeMap::new(),
        },
        ChildInclude::Local {
            path: "ci/x.yml".to_owned(),
            inputs: BTreeMap::from([("name".to_owned(), json!("trial"))]),
        },
    ];
    let given = on_branch(&child_text(&includes))
        .artifact("maker", "made.yml", "made: {script: [x]}")
        .file(
            "ci/x.yml",
            "spec: {inputs: {name: }}\n---\n$[[ inputs.name ]]: {script: y}",
        );
    assert_eq!(given.job_names(), ["made", "trial"]);
    assert_eq!(
        on_branch(&child_text(&includes)).error(),
        "Job `maker` not found in parent pipeline or does not have artifacts!"
    );
}
