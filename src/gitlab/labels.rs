//! Labels on merge requests and issues. GitLab creates one that does not exist yet, as a label of the project.

use gitlab::api::projects::issues::EditIssue;
use gitlab::api::projects::merge_requests::EditMergeRequest;

use super::{GitLab, built};
use crate::domain::labelling::Relabel;
use crate::ports::{Answer, Place};

impl GitLab<'_> {
    /// Adds and takes away labels in one request: with the gate's own token where there is one, because GitLab lets only developers
    /// and above change a merge request.
    pub(super) fn write_labels(&self, place: &Place, change: &Relabel) -> Answer<()> {
        let reply = match place {
            Place::MergeRequest(iid) => {
                let mut edit = EditMergeRequest::builder();
                edit.project(self.project()).merge_request(*iid);
                for label in &change.add {
                    edit.add_label(label.as_str());
                }
                for label in &change.remove {
                    edit.remove_label(label.as_str());
                }
                self.main.send(&built(edit.build())?)?
            }
            Place::Feature(id) => {
                let mut edit = EditIssue::builder();
                edit.project(id.project.as_str()).issue(id.iid);
                for label in &change.add {
                    edit.add_label(label.as_str());
                }
                for label in &change.remove {
                    edit.remove_label(label.as_str());
                }
                self.main.send(&built(edit.build())?)?
            }
        };
        reply.done()
    }
}
