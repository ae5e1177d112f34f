//! Notes and commit statuses: what people see.

use gitlab::api::projects::issues::notes as issue_notes;
use gitlab::api::projects::merge_requests::notes as merge_request_notes;
use gitlab::api::projects::repository::commits::{CommitStatusState, CreateCommitStatus};

use super::client::Reply;
use super::endpoints::{Get, Page, segment};
use super::{GitLab, built, translate, wire};
use crate::domain::ids::{BranchName, CommitSha, NoteId};
use crate::domain::labelling::Relabel;
use crate::outcome::Problem;
use crate::ports::{Announcements, Answer, Known, OwnNotes, Place};

impl GitLab<'_> {
    /// The user behind the token that writes notes.
    fn me(&self) -> Answer<&str> {
        if self.me.get().is_none() {
            let user: wire::User = self.writer().send(&Get::new("user"))?.json()?;
            let _ = self.me.set(user.username);
        }
        self.me
            .get()
            .map(String::as_str)
            .ok_or_else(|| Problem::bug("the bot's own name was asked for and not kept"))
    }

    /// Our note of a kind: by its marker and its author, never by its look. The oldest one, should there be two.
    fn find_note(&self, place: &Place, kind: &str) -> Answer<Option<NoteId>> {
        let path = match place {
            Place::MergeRequest(iid) => {
                format!("projects/{}/merge_requests/{iid}/notes", self.project())
            }
            Place::Feature(id) => format!(
                "projects/{}/issues/{}/notes",
                segment(id.project.as_str()),
                id.iid
            ),
        };
        let me = self.me()?;
        let marker = translate::marker(kind);
        let notes: Vec<wire::Note> = self.writer().list(10, |number| {
            let of = Get::new(path.clone())
                .with("sort", "asc")
                .with("order_by", "created_at");
            Ok(Page { of, number })
        })?;
        Ok(notes
            .into_iter()
            .find(|note| note.author.username == me && note.body.starts_with(&marker))
            .map(|note| NoteId(note.id)))
    }

    fn edit_note(&self, place: &Place, id: NoteId, body: &str) -> Answer<Reply> {
        match place {
            Place::MergeRequest(iid) => {
                let endpoint = merge_request_notes::EditMergeRequestNote::builder()
                    .project(self.project())
                    .merge_request(*iid)
                    .note(id.0)
                    .body(body)
                    .build();
                self.writer().send(&built(endpoint)?)
            }
            Place::Feature(feature) => {
                let endpoint = issue_notes::EditIssueNote::builder()
                    .project(feature.project.as_str())
                    .issue(feature.iid)
                    .note(id.0)
                    .body(body)
                    .build();
                self.writer().send(&built(endpoint)?)
            }
        }
    }

    fn create_note(&self, place: &Place, body: &str) -> Answer<NoteId> {
        let reply = match place {
            Place::MergeRequest(iid) => {
                let endpoint = merge_request_notes::CreateMergeRequestNote::builder()
                    .project(self.project())
                    .merge_request(*iid)
                    .body(body)
                    .build();
                self.writer().send(&built(endpoint)?)?
            }
            Place::Feature(feature) => {
                let endpoint = issue_notes::CreateIssueNote::builder()
                    .project(feature.project.as_str())
                    .issue(feature.iid)
                    .body(body)
                    .build();
                self.writer().send(&built(endpoint)?)?
            }
        };
        Ok(NoteId(reply.json::<wire::Created>()?.id))
    }
}

impl Announcements for GitLab<'_> {
    fn notes(&self, iid: u64) -> Answer<OwnNotes> {
        self.notes_of(iid)
    }

    fn keep_note(&self, place: &Place, kind: &str, known: Known, body: &str) -> Answer<NoteId> {
        let body = format!("{}\n{body}", translate::marker(kind));
        let existing = match known {
            Known::At(id) => Some(id),
            Known::Absent => None,
            Known::Unsure => self.find_note(place, kind)?,
        };
        if let Some(id) = existing {
            let reply = self.edit_note(place, id, &body)?;
            match reply.status {
                // Somebody deleted it, or it is another user's: the token was changed since.
                403 | 404 => {}
                _ => return reply.done().map(|()| id),
            }
        }
        self.create_note(place, &body)
    }

    fn relabel(&self, place: &Place, change: &Relabel) -> Answer<()> {
        self.write_labels(place, change)
    }

    fn set_status(
        &self,
        commit: &CommitSha,
        branch: &BranchName,
        validated: bool,
        text: &str,
    ) -> Answer<()> {
        let state = if validated {
            CommitStatusState::Success
        } else {
            CommitStatusState::Failed
        };
        let endpoint = CreateCommitStatus::builder()
            .project(self.project())
            .commit(commit.as_str())
            .ref_(branch.as_str())
            .name("trainyard/nrt")
            .state(state)
            .target_url(self.ci.job_url.as_str())
            .description(text)
            .build();
        let reply = self.main.send(&built(endpoint)?)?;
        // It has that state already: a retried job.
        if reply.status == 400 && reply.words().contains("Cannot transition status") {
            return Ok(());
        }
        reply.done()
    }
}
