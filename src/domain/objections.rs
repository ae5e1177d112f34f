//! What people hold against merging: a push goes past GitLab's merge checks, so what lands by one is held to them here.

/// How the threads of a merge request stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threads {
    /// All of them are resolved, as far as is known.
    #[default]
    Resolved,
    /// Some are not, and GitLab would merge it all the same.
    Open,
    /// Some are not, and the project's settings in GitLab want them resolved.
    InTheWay,
}

impl Threads {
    /// Whether they keep it from landing, where the project's own rules want threads resolved or do not ask.
    pub fn block(self, wanted: bool) -> bool {
        match self {
            Self::Resolved => false,
            Self::Open => wanted,
            Self::InTheWay => true,
        }
    }
}

/// What people hold against merging: threads that the project wants resolved, or what GitLab itself would refuse it for.
pub fn against_merging(
    threads: Threads,
    resolved_wanted: bool,
    merge_status: &str,
) -> Option<String> {
    if threads.block(resolved_wanted) {
        return Some(
            "it has threads that are not resolved, and the project wants them resolved".to_owned(),
        );
    }
    objection(merge_status)
}

/// Why GitLab would refuse a merge, by its word for it, where only people can change that. `None` for what a trial and its landing bring
/// about by themselves, such as a rebase or a pipeline; what GitLab has not worked out yet is no reason either.
pub fn objection(merge_status: &str) -> Option<String> {
    let words = match merge_status {
        ""
        | "mergeable"
        | "checking"
        | "unchecked"
        | "preparing"
        | "approvals_syncing"
        | "need_rebase"
        | "conflict"
        | "ci_must_pass"
        | "ci_still_running"
        | "commits_status"
        | "not_open"
        | "draft_status"
        | "broken_status"
        | "security_policy_pipeline_check" => {
            return None;
        }
        "discussions_not_resolved" => "threads are unresolved",
        "not_approved" => "approvals are missing",
        "requested_changes" => "a reviewer asked for changes",
        "merge_request_blocked" | "blocked_status" => {
            "another merge request must be merged before it"
        }
        "merge_time" => "it is set to be merged later",
        "title_regex" => "its title is not as the project wants titles",
        "locked_paths" | "locked_lfs_files" => "somebody has locked files of it",
        "jira_association_missing" => "it names no Jira issue",
        "status_checks_must_pass" | "external_status_checks" => {
            "an external status check has not passed"
        }
        "security_policy_violations" | "policies_denied" => "a security policy forbids it",
        other => return Some(format!("GitLab would not merge it: `{other}`")),
    };
    Some(format!(
        "GitLab would not merge it: {words} (`{merge_status}`)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_block_where_gitlab_or_the_rules_want_them_resolved() {
        let asked = |threads: Threads| (threads.block(false), threads.block(true));
        assert_eq!(asked(Threads::Resolved), (false, false));
        assert_eq!(asked(Threads::Open), (false, true));
        assert_eq!(asked(Threads::InTheWay), (true, true));
    }

    #[test]
    fn threads_in_the_way_are_told_before_what_gitlab_says() {
        let told = |threads, status| against_merging(threads, false, status);
        let threads = told(Threads::InTheWay, "not_approved").unwrap();
        assert!(
            threads.contains("threads that are not resolved"),
            "{threads}"
        );
        let approvals = told(Threads::Open, "not_approved").unwrap();
        assert!(approvals.contains("approvals are missing"), "{approvals}");
        assert_eq!(told(Threads::Open, "mergeable"), None);
    }

    #[test]
    fn what_only_people_can_change_is_an_objection_and_an_unknown_word_too() {
        for passing in ["", "mergeable", "checking", "need_rebase", "ci_must_pass"] {
            assert_eq!(objection(passing), None, "{passing}");
        }
        for (word, told) in [
            (
                "not_approved",
                "GitLab would not merge it: approvals are missing (`not_approved`)",
            ),
            ("of_next_year", "GitLab would not merge it: `of_next_year`"),
        ] {
            assert_eq!(objection(word).as_deref(), Some(told));
        }
    }
}
