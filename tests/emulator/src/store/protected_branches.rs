//! Protected branches: who may push to them and merge into them.

use super::State;

/// The rule for a branch or, with `*`, for several.
#[derive(Debug, Clone)]
pub struct ProtectedBranch {
    pub id: u64,
    pub project_id: u64,
    pub name: String,
    /// Access levels that may push: 0 nobody, 30, 40, 60 administrators.
    pub push_access_levels: Vec<i64>,
    pub merge_access_levels: Vec<i64>,
    pub allow_force_push: bool,
}

impl State {
    /// Protects a branch for Maintainers, as GitLab does with the default branch.
    pub fn protect_branch(&mut self, project: u64, name: &str) -> u64 {
        self.protected_branches.insert(|id| ProtectedBranch {
            id,
            project_id: project,
            name: name.to_owned(),
            push_access_levels: vec![40],
            merge_access_levels: vec![40],
            allow_force_push: false,
        })
    }

    /// The rules that cover a branch.
    pub fn protections<'a>(
        &'a self,
        project: u64,
        branch: &'a str,
    ) -> impl Iterator<Item = &'a ProtectedBranch> {
        self.protected_branches
            .iter()
            .filter(move |rule| rule.project_id == project && covers(&rule.name, branch))
    }

    /// Is the branch protected?
    pub fn is_protected_branch(&self, project: u64, branch: &str) -> bool {
        self.protections(project, branch).next().is_some()
    }
}

/// Does a name with `*` wildcards cover another name?
pub fn covers(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len())
        .filter(|at| rest.is_char_boundary(*at))
        .any(|at| covers(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn wildcards_cover_any_run_of_characters() {
        assert!(covers("feature/*", "feature/a/b"));
        assert!(covers("*-stable", "18-5-stable"));
        assert!(covers("main", "main"));
        assert!(!covers("main", "maintenance"));
        assert!(!covers("release/*-x", "release/1"));
    }
}
