//! The way from text to a pipeline that can be created.

use super::config::{self, Merged};
use super::definition::{AutoCancel, OnNewCommit, PipelineDefinition, Variables};
use super::entry::{self, AutoCancelEntry, Decision, JobEntry, Root};
use super::errors::ConfigErrors;
use super::expand::{Scope, Unknown, expand};
use super::report::Report;
use super::rules::{Asked, first_match};
use super::seed::{self, Seedbed};
use super::source::{Files, Source};
use super::{logic, normalize};

/// A configuration without errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub outcome: Outcome,
    /// Remarks GitLab shows beside the pipeline.
    pub warnings: Vec<String>,
}

/// Whether there is a pipeline to create.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Pipeline(PipelineDefinition),
    Filtered(Filtered),
}

/// Why a valid configuration gives no pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filtered {
    WorkflowRules,
    NoJobs,
}

impl Filtered {
    /// GitLab's text.
    pub fn message(self) -> &'static str {
        match self {
            Self::WorkflowRules => "Pipeline filtered out by workflow rules.",
            Self::NoJobs => {
                "Pipeline will not run for the selected trigger. \
                 The rules configuration prevented any jobs from being added to the pipeline."
            }
        }
    }
}

/// Compiles a configuration for one pipeline.
pub fn compile(source: &Source<'_>, files: &dyn Files) -> Result<Compiled, ConfigErrors> {
    let merged = config::merge(source, files).map_err(ConfigErrors::one)?;
    let read = read(&merged)?;
    create(source, files, read)
}

/// A configuration that is right in itself, whatever the pipeline.
pub(super) struct Read {
    pub(super) root: Root,
    pub(super) jobs: Vec<JobEntry>,
    pub(super) warnings: Vec<String>,
}

/// Reads all keywords and checks that the jobs fit together.
pub(super) fn read(merged: &Merged) -> Result<Read, ConfigErrors> {
    let mut report = Report::default();
    let mut root = entry::read(&mut report, &merged.tree);
    let Report { errors, warnings } = report;
    if !errors.is_empty() {
        return Err(ConfigErrors { errors, warnings });
    }
    let fails = |error: String| ConfigErrors {
        errors: vec![error],
        warnings: warnings.clone(),
    };
    let jobs = normalize::multiply(std::mem::take(&mut root.jobs))
        .map_err(|errors| fails(errors.join(", ")))?;
    logic::check(&root.stages, &jobs).map_err(fails)?;
    Ok(Read {
        root,
        jobs,
        warnings,
    })
}

/// Evaluates the workflow and the rules of all jobs.
pub(super) fn create(
    source: &Source<'_>,
    files: &dyn Files,
    read: Read,
) -> Result<Compiled, ConfigErrors> {
    let Read {
        root,
        jobs,
        warnings,
    } = read;
    let filtered = |why, warnings| {
        Ok(Compiled {
            outcome: Outcome::Filtered(why),
            warnings,
        })
    };
    let scope = Scope::new(source, &[], &[&root.variables]);
    let asked = Asked {
        source,
        files,
        scope: &scope,
    };
    let mut variables = root.variables.clone();
    let mut cancel = root.workflow.auto_cancel;
    if let Some(rules) = &root.workflow.rules {
        // A condition that cannot be weighed counts as one that does not hold.
        match first_match(rules, &asked) {
            Ok(Some(rule)) if rule.when != Some(Decision::Never) => {
                variables = override_variables(&variables, &rule.variables);
                cancel = over(cancel, rule.auto_cancel.unwrap_or_default());
            }
            Ok(_) | Err(_) => return filtered(Filtered::WorkflowRules, warnings),
        }
    }
    let bed = Seedbed {
        source,
        files,
        variables: &variables,
        stages: &root.stages,
    };
    let jobs = seed::sow(&bed, &jobs).map_err(|errors| ConfigErrors {
        errors: vec![errors.join("\n")],
        warnings: warnings.clone(),
    })?;
    let stages: Vec<String> = root
        .stages
        .iter()
        .filter(|stage| jobs.iter().any(|job| job.stage == **stage))
        .cloned()
        .collect();
    if stages
        .iter()
        .all(|stage| stage == ".pre" || stage == ".post")
    {
        return filtered(Filtered::NoJobs, warnings);
    }
    let name = pipeline_name(source, &root, &variables);
    if name.as_ref().is_some_and(|name| name.chars().count() > 255) {
        let error =
            "Failed to build pipeline metadata! Name is too long (maximum is 255 characters)"
                .to_owned();
        return Err(ConfigErrors {
            errors: vec![error],
            warnings,
        });
    }
    let auto_cancel = AutoCancel {
        on_new_commit: cancel.on_new_commit.unwrap_or(OnNewCommit::Conservative),
        all_on_job_failure: cancel.all_on_job_failure.unwrap_or(false),
    };
    let definition = PipelineDefinition {
        name,
        auto_cancel,
        stages,
        variables,
        jobs,
    };
    Ok(Compiled {
        outcome: Outcome::Pipeline(definition),
        warnings,
    })
}

fn pipeline_name(source: &Source<'_>, root: &Root, variables: &Variables) -> Option<String> {
    let name = root.workflow.name.as_ref()?;
    let scope = Scope::new(source, &[], &[variables]);
    let known = scope.expanded().unwrap_or_else(|_circle| scope.plain());
    let name = expand(name.trim(), &known, Unknown::Blank)
        .trim()
        .to_owned();
    (!name.is_empty()).then_some(name)
}

fn over(base: AutoCancelEntry, rule: AutoCancelEntry) -> AutoCancelEntry {
    AutoCancelEntry {
        on_new_commit: rule.on_new_commit.or(base.on_new_commit),
        all_on_job_failure: rule.all_on_job_failure.or(base.all_on_job_failure),
    }
}

/// The variables with others in place of those of equal names.
pub(super) fn override_variables(base: &Variables, over: &Variables) -> Variables {
    let kept = base
        .iter()
        .filter(|variable| !over.iter().any(|other| other.key == variable.key));
    kept.chain(over).cloned().collect()
}
