//! A pipeline ready to be created: what is left of the CI configuration once includes, inputs, `extends`, `default` and
//! `rules` have been resolved for one source, ref and set of variables. Plain data, no behaviour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Ordered variables; a later entry of the same name wins.
pub type Variables = Vec<Variable>;

/// One variable of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    pub key: String,
    pub value: String,
    /// `expand: false` in the configuration: the runner leaves `$NAME` in the value alone.
    pub raw: bool,
}

/// What `compile` answers when the configuration is valid and `workflow:rules` let the pipeline be created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PipelineDefinition {
    /// `workflow:name`, variables expanded.
    pub name: Option<String>,
    /// `workflow:auto_cancel`.
    pub auto_cancel: AutoCancel,
    /// Stages in order, `.pre` first and `.post` last, only those that hold a job.
    pub stages: Vec<String>,
    /// Global `variables:` together with those of the matching workflow rule.
    pub variables: Variables,
    /// Jobs in configuration order; only those whose rules matched.
    pub jobs: Vec<JobDefinition>,
}

/// `workflow:auto_cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoCancel {
    pub on_new_commit: OnNewCommit,
    /// `on_job_failure: all`.
    pub all_on_job_failure: bool,
}

impl Default for AutoCancel {
    fn default() -> Self {
        Self {
            on_new_commit: OnNewCommit::Conservative,
            all_on_job_failure: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNewCommit {
    Conservative,
    Interruptible,
    None,
}

/// One job or bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDefinition {
    /// With the matrix suffix, for example `build: [linux, x86]`.
    pub name: String,
    pub stage: String,
    pub when: When,
    pub allow_failure: AllowFailure,
    /// `None`: wait for all earlier stages. `Some(empty)`: start at once.
    pub needs: Option<Vec<Need>>,
    /// Jobs of other pipelines whose artifacts are fetched.
    pub cross_dependencies: Vec<CrossDependency>,
    /// Jobs whose artifacts are fetched; `None`: all of the earlier stages (or all `needs` with `artifacts: true`).
    pub dependencies: Option<Vec<String>>,
    /// Job `variables:` with those of the matching rule, without the global ones.
    pub variables: Variables,
    /// `inherit:variables`: which global variables the job sees.
    pub inherit_variables: Inherit,
    pub interruptible: bool,
    /// With variables expanded at creation.
    pub resource_group: Option<String>,
    pub environment: Option<EnvironmentUse>,
    pub manual_confirmation: Option<String>,
    pub start_in_seconds: Option<u64>,
    pub timeout_seconds: Option<u64>,
    pub retry: Retry,
    pub tags: Vec<String>,
    pub coverage: Option<String>,
    pub kind: JobKind,
}

/// `needs:pipeline:job`, a job of another pipeline of the same family; variables are put in when the job starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossDependency {
    pub pipeline: String,
    pub job: String,
    pub artifacts: bool,
    /// The job runs even if there is no such job.
    pub optional: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    Build(Box<Build>),
    Bridge(Bridge),
}

/// What a runner executes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Build {
    pub image: Option<String>,
    /// `image:` as an object: `name`, and `entrypoint`, `pull_policy`, `docker`, `kubernetes` where given.
    pub image_settings: Option<serde_json::Value>,
    pub before_script: Vec<String>,
    pub script: Vec<String>,
    pub after_script: Vec<String>,
    pub artifacts: Option<Artifacts>,
    /// The `release:` keyword, as written.
    pub release: Option<serde_json::Value>,
    /// Service containers, each normalised to an object with at least `name`.
    pub services: Vec<serde_json::Value>,
    /// Cache definitions, each an object with GitLab's defaults filled in.
    pub cache: Vec<serde_json::Value>,
    /// Name of the variable to the audiences of the token it will hold.
    pub id_tokens: BTreeMap<String, Vec<String>>,
    /// `hooks:pre_get_sources_script`.
    pub pre_get_sources_script: Vec<String>,
    /// The job publishes its artifacts to Pages.
    pub pages: bool,
    /// What whoever plays or retries the job may set.
    pub inputs: Vec<JobInput>,
}

/// One of a job's `inputs:`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobInput {
    pub name: String,
    /// `string`, `number`, `boolean` or `array`.
    pub kind: String,
    pub default: serde_json::Value,
    pub options: Option<Vec<serde_json::Value>>,
    pub regex: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Artifacts {
    pub name: Option<String>,
    pub paths: Vec<String>,
    pub exclude: Vec<String>,
    pub untracked: bool,
    pub when: ArtifactsWhen,
    pub expire_in: Option<String>,
    pub expose_as: Option<String>,
    /// `all`, `developer`, `maintainer` or `none`.
    pub access: Option<String>,
    /// Report type (`dotenv`, `junit`, `annotations`, ...) to its paths.
    pub reports: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactsWhen {
    #[default]
    OnSuccess,
    OnFailure,
    Always,
}

/// A `trigger:` job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bridge {
    pub downstream: Downstream,
    pub strategy: Option<Strategy>,
    pub forward_yaml_variables: bool,
    pub forward_pipeline_variables: bool,
    /// `trigger:inputs` (or inputs beside an include), name to value.
    pub inputs: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Downstream {
    /// `trigger:include`: a child pipeline.
    Child(Vec<ChildInclude>),
    /// `trigger:project`.
    Project {
        path: String,
        branch: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildInclude {
    Local {
        path: String,
        inputs: BTreeMap<String, serde_json::Value>,
    },
    Artifact {
        path: String,
        job: String,
        inputs: BTreeMap<String, serde_json::Value>,
    },
    Project {
        project: String,
        file: String,
        reference: Option<String>,
        inputs: BTreeMap<String, serde_json::Value>,
    },
    Component {
        reference: String,
        inputs: BTreeMap<String, serde_json::Value>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    Depend,
    Mirror,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    OnSuccess,
    OnFailure,
    Always,
    Manual,
    Delayed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowFailure {
    No,
    Yes,
    ExitCodes(Vec<i32>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub job: String,
    pub artifacts: bool,
    pub optional: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inherit {
    All,
    None,
    Only(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentUse {
    /// With variables expanded at creation.
    pub name: String,
    pub url: Option<String>,
    /// `start`, `prepare`, `stop`, `verify` or `access`.
    pub action: String,
    pub deployment_tier: Option<String>,
    pub on_stop: Option<String>,
    /// A duration such as `1 week`.
    pub auto_stop_in: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// 0, 1 or 2.
    pub max: u8,
    /// Failure reasons that are retried; empty: always.
    pub when: Vec<String>,
    pub exit_codes: Vec<i32>,
}
