//! Why a validated candidate is not what would land, and what follows for its change set.

use super::ids::BranchName;
use super::nrt::Abandoned;
use super::objections::objection;

/// Why a validated candidate is not what would land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// How its trial ends.
    pub abandoned: Abandoned,
    /// The change set leaves the queue for this reason; without one it keeps its place.
    pub withdrawn: Option<String>,
    /// What happened.
    pub text: String,
}

impl Obstacle {
    /// Its people changed it, or somebody objects.
    pub fn changed(text: &str) -> Self {
        Self {
            abandoned: Abandoned::ChangeSetChanged,
            withdrawn: Some(text.to_owned()),
            text: text.to_owned(),
        }
    }

    /// The target has another head than the one that the candidate stands on.
    pub fn target_moved(target: &BranchName) -> Self {
        Self::waits(
            Abandoned::TargetMoved,
            format!("`{target}` moved during the trial"),
        )
    }

    /// GitLab does not merge it, by its word for why. What somebody did to the target in that instant, or that GitLab is slow, is not
    /// its author's to mend.
    pub fn refused(status: &str, target: &BranchName) -> Self {
        match status {
            "need_rebase" | "conflict" => Self::waits(
                Abandoned::TargetMoved,
                format!("`{target}` moved in the instant of the merge"),
            ),
            "checking" | "unchecked" | "preparing" | "mergeable" => Self::waits(
                Abandoned::Infrastructure,
                "GitLab has not finished its merge checks".to_owned(),
            ),
            "ci_still_running" => {
                Self::changed("another pipeline of it was started during the trial, and runs still")
            }
            other => Self::changed(
                &objection(other)
                    .unwrap_or_else(|| format!("GitLab refuses to merge it: `{other}`")),
            ),
        }
    }

    fn waits(abandoned: Abandoned, text: String) -> Self {
        Self {
            abandoned,
            withdrawn: None,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main() -> BranchName {
        "main".parse().unwrap()
    }

    #[test]
    fn what_is_not_the_authors_to_mend_costs_nobody_the_place() {
        for (status, abandoned, text) in [
            (
                "conflict",
                Abandoned::TargetMoved,
                "`main` moved in the instant of the merge",
            ),
            (
                "need_rebase",
                Abandoned::TargetMoved,
                "`main` moved in the instant of the merge",
            ),
            (
                "checking",
                Abandoned::Infrastructure,
                "GitLab has not finished its merge checks",
            ),
        ] {
            let text = text.to_owned();
            let waits = Obstacle {
                abandoned,
                withdrawn: None,
                text,
            };
            assert_eq!(Obstacle::refused(status, &main()), waits, "{status}");
        }
        assert_eq!(Obstacle::target_moved(&main()).withdrawn, None);
    }

    #[test]
    fn what_people_object_to_takes_it_out_of_the_queue() {
        for (status, reason) in [
            (
                "not_approved",
                "GitLab would not merge it: approvals are missing (`not_approved`)",
            ),
            (
                "broken_status",
                "GitLab refuses to merge it: `broken_status`",
            ),
        ] {
            let refused = Obstacle::refused(status, &main());
            assert_eq!(refused, Obstacle::changed(reason));
            assert_eq!(refused.withdrawn.as_deref(), Some(reason));
        }
    }
}
