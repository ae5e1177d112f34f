//! What the server says to whoever has pushed: where to open or see the merge request, and warnings.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::push::Push;
use crate::shared::Shared;

/// What GitLab escapes in an address.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
const LINE: &str = "========================================================================";

/// The message, or nothing. A warning comes first.
pub(crate) fn of(shared: &Shared, push: &Push, warning: Option<&str>) -> String {
    let mut text = match warning {
        Some(warning) => format!("\n{LINE}\n\n  WARNINGS:\n  {warning}\n\n{LINE}\n\n"),
        None => String::new(),
    };
    let state = shared.state();
    let Some(project) = state.projects.get(push.project) else {
        return text;
    };
    if !project.settings.printing_merge_request_link_enabled
        || !project.settings.merge_requests_enabled
    {
        return text;
    }
    let base = format!(
        "{}/-/merge_requests",
        state.project_url(&shared.url, project.id)
    );
    let pushed = push.updates.iter().filter(|update| update.new.is_some());
    for branch in pushed.filter_map(|update| update.branch()) {
        if project.default_branch.as_deref() == Some(branch) {
            continue;
        }
        let mut open = state.open_merge_requests_from(project.id, branch);
        let (what, address) = match open.next() {
            Some(row) => (
                format!("View merge request for {branch}:"),
                format!("{base}/{}", row.iid),
            ),
            None => (
                format!("To create a merge request for {branch}, visit:"),
                format!(
                    "{base}/new?merge_request%5Bsource_branch%5D={}",
                    utf8_percent_encode(branch, ESCAPED)
                ),
            ),
        };
        text.push_str(&format!("\n{what}\n  {address}\n\n"));
    }
    text
}
