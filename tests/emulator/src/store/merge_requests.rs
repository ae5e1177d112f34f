//! Merge requests with the history of their diffs.

use jiff::Timestamp;

use super::State;

/// Where a merge request is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeRequestState {
    Opened,
    Closed,
    /// Being merged at this moment.
    Locked,
    Merged,
}

impl MergeRequestState {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Locked => "locked",
            Self::Merged => "merged",
        }
    }
}

/// What is known about merging the two branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeStatus {
    /// A branch moved, and the check waits for its turn in the background.
    Checking,
    Checked(Mergeability),
}

/// What the last look at the two branches found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mergeability {
    pub conflicts: bool,
    /// The source branch holds all of the target branch.
    pub up_to_date: bool,
    /// Both branches are there, and there is something to merge.
    pub has_commits: bool,
}

impl MergeStatus {
    /// As the deprecated `merge_status` of the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Checked(found) if found.conflicts || !found.has_commits => "cannot_be_merged",
            Self::Checked(_) => "can_be_merged",
        }
    }
}

/// The difference between source and target as it was at one head of the source branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffVersion {
    pub id: u64,
    pub head: String,
    /// The merge base of head and target branch.
    pub base: String,
    /// The head of the target branch.
    pub start: String,
    pub created_at: Timestamp,
    /// How many commits it has.
    pub commits: u64,
    /// Stable under a rebase that changes nothing; absent for an empty diff.
    pub patch_id: Option<String>,
    pub changed_files: usize,
}

/// A merge that waits for the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoMerge {
    pub user_id: u64,
    pub sha: String,
    pub squash: bool,
    pub should_remove_source_branch: Option<bool>,
    pub merge_commit_message: Option<String>,
    pub squash_commit_message: Option<String>,
}

/// A merge request.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    pub id: u64,
    pub iid: u64,
    /// The project of the target branch.
    pub project_id: u64,
    pub source_project_id: u64,
    pub source_branch: String,
    pub target_branch: String,
    pub title: String,
    pub description: Option<String>,
    pub state: MergeRequestState,
    pub author_id: u64,
    pub assignee_ids: Vec<u64>,
    pub reviewer_ids: Vec<u64>,
    pub label_ids: Vec<u64>,
    pub milestone_id: Option<u64>,
    /// The head of the source branch, as last seen.
    pub sha: String,
    pub merge_status: MergeStatus,
    pub merge_commit_sha: Option<String>,
    pub squash_commit_sha: Option<String>,
    pub merge_error: Option<String>,
    pub rebase_in_progress: bool,
    pub auto_merge: Option<AutoMerge>,
    pub squash: bool,
    pub force_remove_source_branch: Option<bool>,
    /// What the one who merged chose for the source branch.
    pub should_remove_source_branch: Option<bool>,
    pub discussion_locked: Option<bool>,
    /// Seconds.
    pub time_estimate: i64,
    /// Commits of the target branch that were added to be read along.
    pub context_commits: Vec<String>,
    pub allow_collaboration: bool,
    /// Not to be merged before this instant.
    pub merge_after: Option<Timestamp>,
    pub head_pipeline_id: Option<u64>,
    /// The issues it would close, as of its last change.
    pub closes: Vec<u64>,
    /// Users who approved, with the instant.
    pub approvals: Vec<(u64, Timestamp)>,
    /// Oldest first; never empty.
    pub versions: Vec<DiffVersion>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub prepared_at: Option<Timestamp>,
    pub merged_at: Option<Timestamp>,
    pub merged_by: Option<u64>,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<u64>,
}

impl MergeRequest {
    /// Is it a draft, by its title?
    pub fn is_draft(&self) -> bool {
        without_draft_prefix(&self.title).len() < self.title.len()
    }

    /// Open, and not being merged.
    pub fn is_open(&self) -> bool {
        self.state == MergeRequestState::Opened
    }

    /// The newest version of the diff.
    pub fn diff(&self) -> Option<&DiffVersion> {
        self.versions.last()
    }
}

/// A title without the prefixes that make a draft.
pub fn without_draft_prefix(title: &str) -> &str {
    let mut rest = title;
    while let Some(shorter) = ["draft:", "[draft]", "(draft)"].iter().find_map(|prefix| {
        rest.get(..prefix.len())
            .filter(|head| head.eq_ignore_ascii_case(prefix))
            .map(|head| rest[head.len()..].trim_start())
    }) {
        rest = shorter;
    }
    rest
}

impl State {
    /// The merge request of a number in a project.
    pub fn merge_request(&self, project: u64, iid: u64) -> Option<&MergeRequest> {
        self.merge_requests_of(project)
            .find(|merge_request| merge_request.iid == iid)
    }

    /// The merge request of a number in a project, to change it.
    pub fn merge_request_mut(&mut self, project: u64, iid: u64) -> Option<&mut MergeRequest> {
        self.merge_requests
            .iter_mut()
            .find(|merge_request| merge_request.project_id == project && merge_request.iid == iid)
    }

    /// The merge requests into a project, oldest first.
    pub fn merge_requests_of(
        &self,
        project: u64,
    ) -> impl DoubleEndedIterator<Item = &MergeRequest> {
        self.merge_requests
            .iter()
            .filter(move |merge_request| merge_request.project_id == project)
    }

    /// The open merge requests from a branch of a project.
    pub fn open_merge_requests_from<'a>(
        &'a self,
        project: u64,
        branch: &'a str,
    ) -> impl Iterator<Item = &'a MergeRequest> {
        self.merge_requests.iter().filter(move |merge_request| {
            merge_request.is_open()
                && merge_request.source_project_id == project
                && merge_request.source_branch == branch
        })
    }

    /// The open merge requests into a branch of a project.
    pub fn open_merge_requests_into<'a>(
        &'a self,
        project: u64,
        branch: &'a str,
    ) -> impl Iterator<Item = &'a MergeRequest> {
        self.merge_requests_of(project)
            .filter(move |merge_request| {
                merge_request.is_open() && merge_request.target_branch == branch
            })
    }
}

#[cfg(test)]
mod tests {
    use super::without_draft_prefix;

    #[test]
    fn draft_prefixes_are_taken_off_whatever_their_case() {
        for title in ["Draft: x", "draft:x", "[Draft] x", "(DRAFT) Draft: x", "x"] {
            assert_eq!(without_draft_prefix(title), "x", "{title}");
        }
        assert_eq!(without_draft_prefix("Drafting x"), "Drafting x");
        assert_eq!(without_draft_prefix("é"), "é");
    }
}
