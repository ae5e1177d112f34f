//! From configured jobs to the jobs of one pipeline: rules decide, variables are put in, needs are settled.

use std::collections::BTreeMap;

use super::definition::{
    AllowFailure, Downstream, EnvironmentUse, Inherit, JobDefinition, JobKind, Need, Variable,
    Variables, When,
};
use super::entry::{Decision, JobEntry, NeedEntry, Rule};
use super::expand::{Scope, Unknown, expand};
use super::rules::{Asked, first_match};
use super::source::{Files, Source};

/// GitLab's default for `ci_needs_size_limit`.
const MAX_NEEDS: usize = 50;

/// Everything the jobs of a pipeline are made from.
pub(super) struct Seedbed<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) files: &'a dyn Files,
    /// Global variables with those of the matching workflow rule.
    pub(super) variables: &'a Variables,
    pub(super) stages: &'a [String],
}

/// A job whose rules let it into the pipeline.
struct Sown<'a> {
    entry: &'a JobEntry,
    /// The rule that matched; `None`: the job has no rules.
    rule: Option<&'a Rule>,
    when: When,
}

/// The jobs that are in the pipeline; the errors come stage by stage, as GitLab finds them.
pub(super) fn sow(
    bed: &Seedbed<'_>,
    entries: &[JobEntry],
) -> Result<Vec<JobDefinition>, Vec<String>> {
    let decided: Vec<Result<Option<Sown<'_>>, String>> = entries
        .iter()
        .map(|entry| {
            bed.decide(entry)
                .map_err(|why| format!("Failed to parse rule for {}: {why}", entry.name))
        })
        .collect();
    let names: Vec<(&str, &str)> = decided
        .iter()
        .filter_map(|decided| decided.as_ref().ok().and_then(Option::as_ref))
        .map(|sown| (sown.entry.name.as_str(), sown.entry.stage.as_str()))
        .collect();
    let mut jobs = Vec::new();
    let mut errors: Vec<(usize, String)> = Vec::new();
    for (entry, decided) in entries.iter().zip(decided) {
        let stage = bed.stage_index(&entry.stage);
        match decided {
            Err(error) => errors.push((stage, error)),
            Ok(None) => {}
            Ok(Some(sown)) => match bed.job(&sown, &names) {
                Ok(job) => jobs.push(job),
                Err(found) => errors.extend(found.into_iter().map(|error| (stage, error))),
            },
        }
    }
    errors.sort_by_key(|(stage, _)| *stage);
    if errors.is_empty() {
        Ok(jobs)
    } else {
        Err(errors.into_iter().map(|(_, error)| error).collect())
    }
}

impl<'a> Seedbed<'a> {
    fn stage_index(&self, stage: &str) -> usize {
        self.stages
            .iter()
            .position(|known| known == stage)
            .unwrap_or(usize::MAX)
    }

    fn scope(&self, entry: &JobEntry, rule: Option<&Rule>) -> Scope {
        let inherited: Variables = match &entry.inherit_variables {
            Inherit::All => self.variables.clone(),
            Inherit::None => Variables::new(),
            Inherit::Only(names) => self
                .variables
                .iter()
                .filter(|variable| names.contains(&variable.key))
                .cloned()
                .collect(),
        };
        let mut predefined = vec![
            ("CI_JOB_NAME", entry.name.clone()),
            ("CI_JOB_STAGE", entry.stage.clone()),
        ];
        if let Some((index, total)) = entry.instance {
            predefined.push(("CI_NODE_INDEX", index.to_string()));
            predefined.push(("CI_NODE_TOTAL", total.to_string()));
        }
        let own = merged(&entry.variables, rule);
        Scope::new(self.source, &predefined, &[&inherited, &own])
    }

    fn decide<'e>(&self, entry: &'e JobEntry) -> Result<Option<Sown<'e>>, String> {
        let scope = self.scope(entry, None);
        let asked = Asked {
            source: self.source,
            files: self.files,
            scope: &scope,
        };
        let own_when = entry.when.unwrap_or(When::OnSuccess);
        if let Some(rules) = &entry.rules {
            let Some(rule) = first_match(rules, &asked)? else {
                return Ok(None);
            };
            return Ok(match rule.when {
                Some(Decision::Never) => None,
                Some(Decision::Run(when)) => Some(Sown {
                    entry,
                    rule: Some(rule),
                    when,
                }),
                None => Some(Sown {
                    entry,
                    rule: Some(rule),
                    when: own_when,
                }),
            });
        }
        let wanted = entry.only.as_ref().is_none_or(|only| asked.all_of(only))
            && !entry
                .except
                .as_ref()
                .is_some_and(|except| asked.any_of(except));
        Ok(wanted.then_some(Sown {
            entry,
            rule: None,
            when: own_when,
        }))
    }

    fn job(&self, sown: &Sown<'_>, names: &[(&str, &str)]) -> Result<JobDefinition, Vec<String>> {
        let Sown { entry, rule, when } = *sown;
        let mut errors = Vec::new();
        let needs = rule
            .and_then(|rule| rule.needs.as_ref())
            .filter(|needs| !needs.is_empty())
            .or(entry.needs.as_ref())
            .map(|needs| self.needs(entry, needs, names, &mut errors));
        if let Err(circle) = self.scope(entry, None).expanded() {
            errors.push(format!("{}: {circle}", entry.name));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let scope = self.scope(entry, rule);
        let plain = scope.plain();
        let known = scope.expanded().unwrap_or_else(|_circle| plain.clone());
        let mut variables = merged(&entry.variables, rule);
        if let Some((index, total)) = entry.instance {
            variables.push(variable("CI_NODE_INDEX", index));
            variables.push(variable("CI_NODE_TOTAL", total));
        }
        Ok(JobDefinition {
            name: entry.name.clone(),
            stage: entry.stage.clone(),
            when,
            allow_failure: allow_failure(entry, rule),
            needs,
            cross_dependencies: entry.cross_dependencies.clone(),
            dependencies: entry.dependencies.clone(),
            variables,
            inherit_variables: entry.inherit_variables.clone(),
            interruptible: rule
                .and_then(|rule| rule.interruptible)
                .or(entry.interruptible)
                .unwrap_or(false),
            resource_group: entry
                .resource_group
                .as_ref()
                .map(|key| expand(key, &known, Unknown::Blank))
                .filter(|key| !key.trim().is_empty()),
            environment: entry
                .environment
                .as_ref()
                .map(|environment| EnvironmentUse {
                    name: expand(&environment.name, &known, Unknown::Blank),
                    ..environment.clone()
                }),
            manual_confirmation: entry.manual_confirmation.clone(),
            start_in_seconds: rule.and_then(|rule| rule.start_in).or(entry.start_in),
            timeout_seconds: entry.timeout,
            retry: entry.retry.clone().unwrap_or_default(),
            tags: entry
                .tags
                .iter()
                .map(|tag| expand(tag, &plain, Unknown::Kept))
                .collect(),
            coverage: entry.coverage.clone(),
            kind: kind(&entry.kind, &known),
        })
    }

    fn needs(
        &self,
        entry: &JobEntry,
        needs: &[NeedEntry],
        names: &[(&str, &str)],
        errors: &mut Vec<String>,
    ) -> Vec<Need> {
        let name = &entry.name;
        if needs.len() > MAX_NEEDS {
            errors.push(format!(
                "{name}: one job can only need {MAX_NEEDS} others, but you have listed {}. \
                 See needs keyword documentation for more details",
                needs.len()
            ));
            return Vec::new();
        }
        let own_stage = self.stage_index(&entry.stage);
        let present = |need: &NeedEntry| {
            names
                .iter()
                .any(|(other, stage)| *other == need.name && self.stage_index(stage) <= own_stage)
        };
        for need in needs.iter().filter(|need| !need.optional && !present(need)) {
            let other = &need.name;
            errors.push(format!(
                "'{name}' job needs '{other}' job, but '{other}' does not exist in the pipeline. \
                 This might be because of the only, except, or rules keywords. \
                 To need a job that sometimes does not exist in the pipeline, use needs:optional."
            ));
        }
        let kept = needs.iter().filter(|need| present(need));
        kept.map(|need| Need {
            job: need.name.clone(),
            artifacts: need.artifacts,
            optional: need.optional,
        })
        .collect()
    }
}

fn variable(key: &str, value: usize) -> Variable {
    Variable {
        key: key.to_owned(),
        value: value.to_string(),
        raw: false,
    }
}

/// The job's variables with those of its rule in place of equal names.
fn merged(own: &Variables, rule: Option<&Rule>) -> Variables {
    let Some(rule) = rule else { return own.clone() };
    super::compile::override_variables(own, &rule.variables)
}

/// A manual job outside of rules may fail, one that a rule makes manual may not.
fn allow_failure(entry: &JobEntry, rule: Option<&Rule>) -> AllowFailure {
    let said = rule.and_then(|rule| rule.allow_failure).map(|allowed| {
        if allowed {
            AllowFailure::Yes
        } else {
            AllowFailure::No
        }
    });
    said.or_else(|| entry.allow_failure.clone())
        .unwrap_or(match entry.when {
            Some(When::Manual) => AllowFailure::Yes,
            Some(When::OnSuccess | When::OnFailure | When::Always | When::Delayed) | None => {
                AllowFailure::No
            }
        })
}

/// The downstream project is known once variables are put in; child pipelines expand their own includes.
fn kind(kind: &JobKind, known: &BTreeMap<String, String>) -> JobKind {
    let mut kind = kind.clone();
    if let JobKind::Bridge(bridge) = &mut kind
        && let Downstream::Project { path, branch } = &mut bridge.downstream
    {
        *path = expand(path, known, Unknown::Blank);
        *branch = branch
            .take()
            .map(|branch| expand(&branch, known, Unknown::Blank));
    }
    kind
}
