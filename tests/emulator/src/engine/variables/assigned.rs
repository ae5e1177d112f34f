//! CI/CD variables of the instance, groups and projects, as one job or configuration may see them.

use super::JobVariable;
use crate::store::State;
use crate::store::protected_branches::covers;
use crate::store::variables::{Owner, Variable};

/// Those of the instance, group variables, outermost group first, then the project's; filtered by protection and by environment scope.
pub(super) fn of_project(
    state: &State,
    project: u64,
    protected: bool,
    environment: Option<&str>,
) -> Vec<JobVariable> {
    let Some(found) = state.projects.get(project) else {
        return Vec::new();
    };
    let mut owners: Vec<Owner> = state
        .with_ancestors(found.namespace_id)
        .map(Owner::Group)
        .collect();
    owners.push(Owner::Instance);
    owners.reverse();
    owners.push(Owner::Project(project));
    owners
        .into_iter()
        .flat_map(|owner| of_owner(state, owner, protected, environment))
        .map(|variable| JobVariable {
            key: variable.key.clone(),
            value: variable.value.clone(),
            file: variable.variable_type == "file",
            masked: variable.masked,
            raw: variable.raw,
            public: false,
        })
        .collect()
}

fn of_owner<'a>(
    state: &'a State,
    owner: Owner,
    protected: bool,
    environment: Option<&str>,
) -> Vec<&'a Variable> {
    let mut fitting: Vec<&Variable> = state
        .variables_of(owner)
        .filter(|variable| protected || !variable.protected)
        .filter(|variable| in_scope(&variable.environment_scope, environment))
        .collect();
    // The most exact scope wins: `*`, then patterns, then the very name.
    fitting.sort_by_key(|variable| match variable.environment_scope.as_str() {
        "*" => 0,
        scope if scope.contains('*') => scope.len(),
        _ => usize::MAX,
    });
    fitting
}

fn in_scope(scope: &str, environment: Option<&str>) -> bool {
    scope == "*" || environment.is_some_and(|environment| covers(scope, environment))
}

#[cfg(test)]
mod tests {
    use super::in_scope;

    #[test]
    fn without_an_environment_only_the_widest_scope_counts() {
        assert!(in_scope("*", None));
        assert!(!in_scope("gate-state", None));
        assert!(!in_scope("review/*", Some("production")));
        assert!(in_scope("review/*", Some("review/1")));
        assert!(in_scope("production", Some("production")));
    }
}
