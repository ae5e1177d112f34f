//! What a test gives to the compiler: a text, variables, and projects kept in memory.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trainyard_emulator::ci::definition::{JobDefinition, PipelineDefinition};
use trainyard_emulator::ci::{
    self, Assigned, Compiled, Component, ComponentError, ConfigErrors, Files, Lint, OutOfReach,
    Outcome, Source,
};

/// A configuration in the making; `on_branch` is where most tests start.
#[derive(Clone, Default)]
pub(crate) struct Given {
    text: String,
    predefined: BTreeMap<String, String>,
    assigned: BTreeMap<String, Assigned>,
    inputs: Map<String, Value>,
    changed: Option<Vec<String>>,
    files: Memory,
}

/// The configuration in a pipeline for a push to `main`.
pub(crate) fn on_branch(text: &str) -> Given {
    Given {
        text: text.to_owned(),
        ..Given::default()
    }
    .predefined("CI_PIPELINE_SOURCE", "push")
    .predefined("CI_COMMIT_BRANCH", "main")
    .predefined("CI_COMMIT_REF_NAME", "main")
    .predefined("CI_DEFAULT_BRANCH", "main")
    .predefined("CI_PROJECT_PATH", "group/app")
    .predefined("CI_SERVER_FQDN", "gitlab.test")
}

/// The configuration in a merge request pipeline.
pub(crate) fn in_merge_request(text: &str) -> Given {
    let mut given = on_branch(text)
        .predefined("CI_PIPELINE_SOURCE", "merge_request_event")
        .predefined("CI_MERGE_REQUEST_IID", "7")
        .predefined("CI_COMMIT_REF_NAME", "feature");
    given.predefined.remove("CI_COMMIT_BRANCH");
    given
}

/// The configuration in a pipeline for a tag.
pub(crate) fn on_tag(text: &str) -> Given {
    let mut given = on_branch(text)
        .predefined("CI_COMMIT_TAG", "v1")
        .predefined("CI_COMMIT_REF_NAME", "v1");
    given.predefined.remove("CI_COMMIT_BRANCH");
    given
}

impl Given {
    pub(crate) fn predefined(mut self, key: &str, value: &str) -> Self {
        self.predefined.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn assigned(mut self, key: &str, value: impl Into<Assigned>) -> Self {
        self.assigned.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn input(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn changed(mut self, paths: &[&str]) -> Self {
        self.changed = Some(paths.iter().map(|path| (*path).to_owned()).collect());
        self
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.local.insert(path.to_owned(), text.to_owned());
        self
    }

    /// A file of another project; its ref is `main` and also its default branch.
    pub(crate) fn project_file(mut self, project: &str, path: &str, text: &str) -> Self {
        let files = self.files.projects.entry(project.to_owned()).or_default();
        files.insert(path.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn artifact(mut self, job: &str, path: &str, text: &str) -> Self {
        self.files
            .artifacts
            .insert((job.to_owned(), path.to_owned()), text.to_owned());
        self
    }

    pub(crate) fn compiled(&self) -> Result<Compiled, ConfigErrors> {
        ci::compile(&self.source(), &self.files)
    }

    pub(crate) fn linted(&self, dry_run: bool) -> Lint {
        ci::lint(&self.source(), &self.files, dry_run)
    }

    fn source(&self) -> Source<'_> {
        Source {
            text: &self.text,
            predefined: &self.predefined,
            assigned: &self.assigned,
            inputs: &self.inputs,
            changed_paths: self.changed.as_deref(),
        }
    }

    pub(crate) fn pipeline(&self) -> PipelineDefinition {
        match self.compiled() {
            Ok(Compiled {
                outcome: Outcome::Pipeline(pipeline),
                ..
            }) => pipeline,
            Ok(Compiled {
                outcome: Outcome::Filtered(why),
                ..
            }) => panic!("no pipeline: {}", why.message()),
            Err(errors) => panic!("invalid: {errors}\n{}", self.text),
        }
    }

    /// The text with which GitLab says that there is no pipeline.
    pub(crate) fn filtered(&self) -> &'static str {
        match self.compiled() {
            Ok(Compiled {
                outcome: Outcome::Filtered(why),
                ..
            }) => why.message(),
            other => panic!("not filtered: {other:?}"),
        }
    }

    pub(crate) fn job(&self, name: &str) -> JobDefinition {
        let pipeline = self.pipeline();
        let names = pipeline
            .jobs
            .iter()
            .map(|job| job.name.clone())
            .collect::<Vec<_>>();
        let job = pipeline.jobs.into_iter().find(|job| job.name == name);
        job.unwrap_or_else(|| panic!("{name} is not among {names:?}"))
    }

    pub(crate) fn job_names(&self) -> Vec<String> {
        self.pipeline()
            .jobs
            .into_iter()
            .map(|job| job.name)
            .collect()
    }

    pub(crate) fn errors(&self) -> Vec<String> {
        match self.compiled() {
            Err(errors) => errors.errors,
            Ok(compiled) => panic!("valid: {compiled:?}\n{}", self.text),
        }
    }

    pub(crate) fn error(&self) -> String {
        self.errors().swap_remove(0)
    }
}

/// The commands of a job.
pub(crate) fn script(job: &JobDefinition) -> Vec<String> {
    build(job).script.clone()
}

/// The runner's part of a job.
pub(crate) fn build(job: &JobDefinition) -> &trainyard_emulator::ci::definition::Build {
    match &job.kind {
        trainyard_emulator::ci::definition::JobKind::Build(build) => build,
        trainyard_emulator::ci::definition::JobKind::Bridge(_) => {
            panic!("{} is a trigger job", job.name)
        }
    }
}

#[derive(Clone, Default)]
struct Memory {
    local: BTreeMap<String, String>,
    projects: BTreeMap<String, BTreeMap<String, String>>,
    artifacts: BTreeMap<(String, String), String>,
}

impl Files for Memory {
    fn local(&self, path: &str) -> Option<String> {
        self.local.get(path).cloned()
    }

    fn local_paths(&self) -> Vec<String> {
        self.local.keys().cloned().collect()
    }

    fn changed_since(&self, reference: &str) -> Option<Vec<String>> {
        (reference == "main").then(|| vec!["docs/a.md".to_owned()])
    }

    fn project(&self, path: &str, reference: Option<&str>) -> Result<Box<dyn Files>, OutOfReach> {
        let local = self.projects.get(path).ok_or(OutOfReach::Project)?;
        if reference.is_some_and(|reference| reference != "main") {
            return Err(OutOfReach::Reference);
        }
        Ok(Box::new(Self {
            local: local.clone(),
            ..self.clone()
        }))
    }

    fn component(&self, address: &str) -> Result<Component<'_>, ComponentError> {
        let (path, version) = address
            .split_once('@')
            .ok_or(ComponentError::UnsupportedPath)?;
        let path = path
            .strip_prefix("gitlab.test/")
            .ok_or(ComponentError::UnsupportedPath)?;
        let (project, name) = path
            .rsplit_once('/')
            .ok_or(ComponentError::UnsupportedPath)?;
        match version {
            "main" | "1.0.0" => {}
            "~latest" => return Err(ComponentError::LatestOutsideCatalog),
            "1" => return Err(ComponentError::PartialVersionOutsideCatalog),
            _ => return Err(ComponentError::NotFound),
        }
        let local = self
            .projects
            .get(project)
            .ok_or(ComponentError::NotAllowed)?;
        let text = local
            .get(&format!("templates/{name}.yml"))
            .ok_or(ComponentError::NotFound)?;
        Ok(Component {
            text: text.clone(),
            files: Box::new(Self {
                local: local.clone(),
                ..self.clone()
            }),
            name: name.to_owned(),
            sha: "c0ffee".to_owned(),
            version: (version == "1.0.0").then(|| version.to_owned()),
            reference: version.to_owned(),
        })
    }

    fn artifact(&self, job: &str, path: &str) -> Result<String, String> {
        let found = self
            .artifacts
            .get(&(job.to_owned(), path.to_owned()))
            .cloned();
        found.ok_or_else(|| {
            format!("Job `{job}` not found in parent pipeline or does not have artifacts!")
        })
    }
}
