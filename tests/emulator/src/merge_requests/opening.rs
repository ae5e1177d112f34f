//! The diff versions of a merge request, and the refs that keep its heads.

use crate::git::{GitError, Repository};
use crate::shared::Shared;
use crate::store::merge_requests::DiffVersion;

/// Measures the difference between a source head and the target branch as they are now.
pub(crate) fn diff_version(
    shared: &Shared,
    repository: &Repository,
    head: &str,
    target_branch: &str,
) -> Result<DiffVersion, GitError> {
    let start = repository
        .resolve(&format!("refs/heads/{target_branch}"))?
        .unwrap_or_else(|| head.to_owned());
    let base = repository
        .merge_base(&start, head)?
        .unwrap_or_else(|| start.clone());
    let changed_files = repository.diff(&base, head)?.len();
    let patch_id = repository.patch_id(&base, head)?;
    let commits = repository.count_between(&base, head)?;
    let id = shared.state().next_iid(0, "merge_request_diffs");
    Ok(DiffVersion {
        id,
        head: head.to_owned(),
        base,
        start,
        created_at: shared.clock.now(),
        commits,
        patch_id,
        changed_files,
    })
}

/// Brings the head of a source branch into the project of the target branch, so that all questions can be asked there.
pub(crate) fn bring_head(
    shared: &Shared,
    source_project: u64,
    target_project: u64,
    head: &str,
) -> Result<(), GitError> {
    let source = shared.repository(source_project);
    shared.repository(target_project).bring(&source, head)
}

/// Points `refs/merge-requests/:iid/head` at the head of the source branch.
pub(crate) fn keep_head(repository: &Repository, iid: u64, head: &str) -> Result<(), GitError> {
    repository.set_ref(&format!("refs/merge-requests/{iid}/head"), head)
}
