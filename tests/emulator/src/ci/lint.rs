//! What GitLab's linter says about a configuration.

use serde_json::{Value, json};

use super::compile::{self, Outcome};
use super::config;
use super::definition::{AllowFailure, Build, JobDefinition, JobKind, When};
use super::entry::{JobEntry, Policy};
use super::errors::ConfigErrors;
use super::source::{Files, Source};
use super::tree::Map;

/// The linter's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lint {
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
    /// The configuration with everything included; `None`: it could not be merged.
    pub merged_yaml: Option<String>,
    /// In order of stages; empty when there are errors.
    pub jobs: Vec<LintJob>,
    pub includes: Vec<Included>,
}

impl Lint {
    /// Whether the configuration is right.
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }
}

/// One file that was included, directly or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// `local`, `file` (of another project), `component` or `artifact`.
    pub kind: &'static str,
    pub location: String,
    /// The page that shows the file.
    pub blob: Option<String>,
    /// The address of its plain text.
    pub raw: Option<String>,
    /// What else was said of it.
    pub extra: Value,
    /// The project of the file that includes it.
    pub context_project: String,
    /// The commit of the file that includes it.
    pub context_sha: String,
}

/// A job as the linter lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct LintJob {
    pub name: String,
    pub stage: String,
    pub before_script: Vec<String>,
    pub script: Vec<String>,
    pub after_script: Vec<String>,
    pub tag_list: Vec<String>,
    pub environment: Option<String>,
    pub when: When,
    pub allow_failure: bool,
    /// `only:` as GitLab shows it; absent in a dry run.
    pub only: Option<Value>,
    /// `except:` as GitLab shows it; absent in a dry run.
    pub except: Option<Value>,
    /// Needs as GitLab shows them; absent in a dry run.
    pub needs: Option<Value>,
}

/// Checks a configuration; a dry run also evaluates rules as the creation of a pipeline would.
pub fn lint(source: &Source<'_>, files: &dyn Files, dry_run: bool) -> Lint {
    let merged = match config::merge(source, files) {
        Ok(merged) => merged,
        Err(error) => {
            return Lint {
                errors: vec![error],
                ..Lint::default()
            };
        }
    };
    let mut lint = Lint {
        merged_yaml: Some(text(&merged.tree)),
        includes: merged.includes.clone(),
        ..Lint::default()
    };
    let checked = compile::read(&merged).and_then(|read| {
        lint.warnings.clone_from(&read.warnings);
        if dry_run {
            return created(source, files, read);
        }
        let of_stage = |stage: &String| {
            read.jobs
                .iter()
                .filter(|job| job.stage == *stage)
                .map(configured)
                .collect::<Vec<_>>()
        };
        Ok(read.root.stages.iter().flat_map(of_stage).collect())
    });
    match checked {
        Ok(jobs) => lint.jobs = jobs,
        Err(ConfigErrors { errors, warnings }) => {
            lint.errors = errors;
            lint.warnings = warnings;
        }
    }
    lint
}

fn created(
    source: &Source<'_>,
    files: &dyn Files,
    read: compile::Read,
) -> Result<Vec<LintJob>, ConfigErrors> {
    let compiled = compile::create(source, files, read)?;
    match compiled.outcome {
        Outcome::Pipeline(pipeline) => {
            let of_stage = |stage: &String| {
                pipeline
                    .jobs
                    .iter()
                    .filter(|job| job.stage == *stage)
                    .map(sown)
                    .collect::<Vec<_>>()
            };
            Ok(pipeline.stages.iter().flat_map(of_stage).collect())
        }
        Outcome::Filtered(why) => Err(ConfigErrors {
            errors: vec![why.message().to_owned()],
            warnings: compiled.warnings,
        }),
    }
}

/// The merged configuration; stages that are listed get those at the edges.
fn text(tree: &Map) -> String {
    let mut tree = tree.clone();
    if let Some(Value::Array(stages)) = tree.get_mut("stages")
        && !stages.is_empty()
    {
        stages.retain(|stage| stage != ".pre" && stage != ".post");
        stages.insert(0, ".pre".into());
        stages.push(".post".into());
    }
    let yaml = serde_yaml::to_string(&tree).expect("a tree of plain values can be written");
    format!("---\n{yaml}")
}

fn build(kind: &JobKind) -> Build {
    match kind {
        JobKind::Build(build) => (**build).clone(),
        JobKind::Bridge(_) => Build::default(),
    }
}

fn configured(job: &JobEntry) -> LintJob {
    let Build {
        before_script,
        script,
        after_script,
        ..
    } = build(&job.kind);
    let needs = job.needs.as_ref().map(|needs| {
        let one = |need: &super::entry::NeedEntry| {
            json!({"name": need.name, "artifacts": need.artifacts, "optional": need.optional})
        };
        needs.iter().map(one).collect()
    });
    LintJob {
        name: job.name.clone(),
        stage: job.stage.clone(),
        before_script,
        script,
        after_script,
        tag_list: job.tags.clone(),
        environment: job
            .environment
            .as_ref()
            .map(|environment| environment.name.clone()),
        when: job.when.unwrap_or(When::OnSuccess),
        allow_failure: match &job.allow_failure {
            Some(AllowFailure::Yes) => true,
            Some(AllowFailure::No | AllowFailure::ExitCodes(_)) => false,
            None => job.when == Some(When::Manual),
        },
        only: job.only.as_ref().map(policy),
        except: job.except.as_ref().map(policy),
        needs,
    }
}

fn policy(policy: &Policy) -> Value {
    let mut shown = Map::new();
    let variables = policy.variables.as_ref().map(|list| {
        let texts = list.iter().map(|condition| condition.text().to_owned());
        texts.collect::<Vec<String>>()
    });
    for (key, list) in [
        ("refs", policy.refs.as_ref()),
        ("variables", variables.as_ref()),
        ("changes", policy.changes.as_ref()),
    ] {
        if let Some(list) = list {
            shown.insert(key.to_owned(), json!(list));
        }
    }
    if policy.kubernetes {
        shown.insert("kubernetes".to_owned(), json!("active"));
    }
    Value::Object(shown)
}

fn sown(job: &JobDefinition) -> LintJob {
    let Build {
        before_script,
        script,
        after_script,
        ..
    } = build(&job.kind);
    LintJob {
        name: job.name.clone(),
        stage: job.stage.clone(),
        before_script,
        script,
        after_script,
        tag_list: job.tags.clone(),
        environment: job
            .environment
            .as_ref()
            .map(|environment| environment.name.clone()),
        when: job.when,
        allow_failure: job.allow_failure == AllowFailure::Yes,
        only: None,
        except: None,
        needs: None,
    }
}
