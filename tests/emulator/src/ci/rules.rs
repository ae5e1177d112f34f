//! Which rule applies: conditions weighed against one pipeline.

use std::collections::BTreeMap;

use super::entry::{Changes, Clauses, Exists, Policy, Rule};
use super::expand::{Scope, Unknown, expand};
use super::glob;
use super::kept;
use super::pattern::Pattern;
use super::source::{Files, OutOfReach, Source};

/// The first rule whose conditions all hold; the error is a condition that cannot be weighed.
pub(super) fn first_match<'a>(
    rules: &'a [Rule],
    asked: &Asked<'_>,
) -> Result<Option<&'a Rule>, String> {
    for rule in rules {
        if asked.holds(&rule.clauses)? {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

/// What conditions are weighed against.
pub(super) struct Asked<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) files: &'a dyn Files,
    pub(super) scope: &'a Scope,
}

impl Asked<'_> {
    fn holds(&self, clauses: &Clauses) -> Result<bool, String> {
        if clauses
            .condition
            .as_ref()
            .is_some_and(|condition| !condition.holds(self.scope))
        {
            return Ok(false);
        }
        if let Some(changes) = &clauses.changes
            && !self.changed(changes)?
        {
            return Ok(false);
        }
        match &clauses.exists {
            Some(exists) => self.exist(exists),
            None => Ok(true),
        }
    }

    fn variables(&self) -> BTreeMap<String, String> {
        // Variables in a circle are reported where the job itself is built.
        self.scope
            .expanded()
            .unwrap_or_else(|_circle| self.scope.plain())
    }

    fn changed(&self, changes: &Changes) -> Result<bool, String> {
        let variables = self.variables();
        let compared;
        let paths = match &changes.compare_to {
            Some(reference) => {
                let reference = expand(reference, &variables, Unknown::Kept);
                compared = self
                    .files
                    .changed_since(&reference)
                    .ok_or_else(|| "rules:changes:compare_to is not a valid ref".to_owned())?;
                Some(compared.as_slice())
            }
            None => self.source.changed_paths,
        };
        let Some(paths) = paths else { return Ok(true) };
        if let Some(regexp) = &changes.regexp {
            let regexp = expand(regexp, &variables, Unknown::Kept);
            return any_matches(&regexp, paths, "rules:changes:regexp");
        }
        let patterns: Vec<String> = changes
            .paths
            .iter()
            .map(|pattern| expand(pattern, &variables, Unknown::Kept))
            .collect();
        Ok(glob::any_match(&patterns, paths))
    }

    fn exist(&self, exists: &Exists) -> Result<bool, String> {
        let variables = self.variables();
        let put = |text: &String| expand(text, &variables, Unknown::Kept);
        let paths = match &exists.project {
            None => self.files.local_paths(),
            Some(project) => {
                let (project, reference) = (put(project), exists.reference.as_ref().map(put));
                let files = self
                    .files
                    .project(&project, reference.as_deref())
                    .map_err(|why| match why {
                        OutOfReach::Project => {
                            format!("rules:exists:project `{project}` not found or access denied")
                        }
                        OutOfReach::Reference => format!(
                            "rules:exists:ref `{}` is not a valid ref in project `{project}`",
                            reference.as_deref().unwrap_or("HEAD")
                        ),
                    })?;
                files.local_paths()
            }
        };
        if let Some(regexp) = &exists.regexp {
            return any_matches(&put(regexp), &paths, "rules:exists:regexp");
        }
        let patterns: Vec<String> = exists.paths.iter().map(put).collect();
        let in_directory = patterns.iter().any(|pattern| {
            pattern.ends_with('/') && paths.iter().any(|path| path.starts_with(pattern.as_str()))
        });
        Ok(in_directory || glob::any_match(&patterns, &paths))
    }

    /// Whether every part of `only:` is true.
    pub(super) fn all_of(&self, policy: &Policy) -> bool {
        self.policy(policy).into_iter().all(|part| part)
    }

    /// Whether any part of `except:` is true.
    pub(super) fn any_of(&self, policy: &Policy) -> bool {
        self.policy(policy).into_iter().any(|part| part)
    }

    fn policy(&self, policy: &Policy) -> Vec<bool> {
        let refs = policy
            .refs
            .as_ref()
            .map(|refs| refs.iter().any(|pattern| self.is_ref(pattern)));
        let variables = policy
            .variables
            .as_ref()
            .map(|list| list.iter().any(|condition| condition.holds(self.scope)));
        let changes = policy
            .changes
            .as_ref()
            .map(|patterns| match self.source.changed_paths {
                Some(paths) => glob::any_match(patterns, paths),
                None => true,
            });
        let kubernetes = policy.kubernetes.then_some(false);
        [refs, variables, changes, kubernetes]
            .into_iter()
            .flatten()
            .collect()
    }

    fn is_ref(&self, pattern: &str) -> bool {
        let known = |name| {
            self.source
                .predefined
                .get(name)
                .map(String::as_str)
                .filter(|value| !value.is_empty())
        };
        let (pattern, path) = match pattern.split_once('@') {
            Some((pattern, path)) => (pattern, Some(path)),
            None => (pattern, None),
        };
        if path.is_some() && path != known("CI_PROJECT_PATH") {
            return false;
        }
        let source = known("CI_PIPELINE_SOURCE").unwrap_or_default();
        let source = source.strip_suffix("_event").unwrap_or(source);
        let of_merge_request = source == "merge_request" || known("CI_MERGE_REQUEST_IID").is_some();
        let tag = known("CI_COMMIT_TAG").is_some();
        let branch = !tag && !of_merge_request;
        if (tag && pattern == "tags") || (branch && pattern == "branches") {
            return true;
        }
        let plural = if source.ends_with("sh") {
            format!("{source}es")
        } else {
            format!("{source}s")
        };
        if pattern == source || pattern == plural {
            return true;
        }
        let name = known("CI_COMMIT_REF_NAME").unwrap_or_default();
        (branch || tag)
            && match Pattern::parse(pattern) {
                Some(pattern) => pattern.is_match(name),
                None => pattern == name,
            }
    }
}

/// Whether a pattern is found in any of the paths. GitLab's patterns can look around, which these cannot.
fn any_matches(pattern: &str, paths: &[String], keyword: &str) -> Result<bool, String> {
    let pattern = kept::regex(pattern).map_err(|_invalid| {
        format!("{keyword} `{pattern}` is not a pattern that is supported by this server")
    })?;
    Ok(paths.iter().any(|path| pattern.is_match(path)))
}
