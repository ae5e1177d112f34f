//! Notes that are kept in place: features and merge requests as they stand, and all edits of a job in one request.
//!
//! GraphQL executes the edits of one mutation one after the other, and answers what it is asked about the last one after all of
//! them are made: so the board is looked at again without another request.

mod answers;
mod query;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::endpoints::{Get, Graph, Page, segment};
use super::opening::VARIABLES;
use super::{GitLab, translate, wire};
use crate::domain::ids::{FeatureId, ProjectPath};
use crate::domain::linking::Moved;
use crate::domain::progress::Edit;
use crate::outcome::Problem;
use crate::ports::{
    Answer, Board, Boards, FeatureOnBoard, MergeRequest, MergeRequestOnBoard, OwnNotes, Place,
    Posted, Targets,
};
use answers::{Issue, Notes, Project};
pub(super) use answers::{IssueNode, MergeRequestNode, refusal};
pub(super) use query::{ISSUE, whole_merge_request};

/// How many further pages of notes are read in search of ours.
const MOST_PAGES: usize = 20;
/// How many edits one request carries.
const EDITS: usize = 20;
/// How many merge requests of a feature are read: pages of a hundred.
const RELATED_PAGES: u64 = 3;

impl GitLab<'_> {
    /// Merge requests that GitLab relates to a feature by references.
    pub(super) fn related_to(&self, feature: &FeatureId) -> Answer<Vec<MergeRequest>> {
        let path = format!(
            "projects/{}/issues/{}/related_merge_requests",
            segment(feature.project.as_str()),
            feature.iid
        );
        let mut found: Vec<wire::MergeRequest> = Vec::new();
        let mut number = 1;
        loop {
            let page = Page {
                of: Get::new(path.clone()),
                number,
            };
            let reply = self.main.send(&page)?;
            if reply.status == 404 {
                // Hidden or not there: the feature itself is asked about, and tells.
                return Ok(Vec::new());
            }
            let next = reply.next_page;
            found.extend(reply.json::<Vec<wire::MergeRequest>>()?);
            match next {
                Some(next) if next > number && number < RELATED_PAGES => number = next,
                Some(_) | None => break,
            }
        }
        found
            .into_iter()
            .filter(|mr| mr.sha.is_some() && mr.project_id == Some(self.project()))
            .map(|mr| translate::merge_request(&self.ci.project, mr))
            .collect()
    }

    fn board_answer(&self, query: String, variables: Value, changes: bool) -> Answer<Value> {
        let graph = Graph {
            query: query.into(),
            variables,
        };
        let reply = if changes {
            self.writer().send(&graph)?
        } else {
            self.writer().ask(&graph)?
        };
        reply.json()
    }

    /// The user behind the token that writes, once the board was looked at.
    fn writer_is(&self, name: &str) -> bool {
        self.me.get().is_some_and(|me| me == name)
    }

    fn own_notes(&self, notes: &Notes) -> Answer<OwnNotes> {
        let mut own = OwnNotes::new();
        for note in &notes.nodes {
            let ours = note
                .author
                .as_ref()
                .is_some_and(|author| self.writer_is(&author.username));
            if let Some(kind) = translate::kind_of(&note.body).filter(|_| ours) {
                own.entry(kind.to_owned()).or_default().push(note.own()?);
            }
        }
        for notes in own.values_mut() {
            notes.sort_by_key(|own| own.id);
        }
        Ok(own)
    }

    /// Our notes among those of one page, or of the pages after it: a long discussion must not make us write a second one.
    fn find_own(
        &self,
        project: &ProjectPath,
        place: &str,
        iid: u64,
        notes: &Notes,
    ) -> Answer<OwnNotes> {
        let mut own = self.own_notes(notes)?;
        let mut page = notes.page_info.clone();
        for _ in 0..MOST_PAGES {
            let Some(cursor) = page
                .end_cursor
                .filter(|_| page.has_next_page && own.is_empty())
            else {
                break;
            };
            let variables =
                json!({"path": project.as_str(), "iid": iid.to_string(), "after": cursor});
            let answer = self.board_answer(query::more_notes(place), variables, false)?;
            let notes: Notes = answers::read(&answer, &["project", "noteable", "notes"])?;
            own = self.own_notes(&notes)?;
            page = notes.page_info;
        }
        Ok(own)
    }

    fn put_features(&self, board: &mut Board, path: &ProjectPath, found: Project) -> Answer<()> {
        let visibility = found.visibility();
        for issue in found.issues.into_iter().flat_map(|list| list.nodes) {
            let Issue {
                notes,
                address,
                issue,
                moved_to,
            } = issue.taken_apart();
            let notes = self.find_own(path, "issue", issue.iid, &notes)?;
            let mut feature = translate::feature(path, issue)?;
            if let Some(place) = moved_to.as_deref().and_then(translate::full_reference) {
                feature.moved = Some(Moved::To(place));
            }
            let on_board = FeatureOnBoard {
                feature,
                address,
                visibility,
                notes,
            };
            board.features.insert(on_board.feature.id.clone(), on_board);
        }
        Ok(())
    }

    fn put_merge_requests(&self, board: &mut Board, found: Vec<MergeRequestNode>) -> Answer<()> {
        for node in found {
            if node.has_no_head() {
                continue;
            }
            let on_board = self.merge_request_on_board(node)?;
            let iid = on_board.merge_request.id.iid;
            board.merge_requests.insert(iid, on_board);
        }
        Ok(())
    }

    /// A merge request as GraphQL tells it; only of one that was asked for whole all notes are searched for ours.
    pub(super) fn merge_request_on_board(
        &self,
        node: MergeRequestNode,
    ) -> Answer<MergeRequestOnBoard> {
        let (notes, address, whole, wire) = node.taken_apart();
        let notes = if whole {
            self.find_own(&self.ci.project, "mergeRequest", wire.iid, &notes)?
        } else {
            self.own_notes(&notes)?
        };
        let merge_request = translate::merge_request(&self.ci.project, wire)?;
        Ok(MergeRequestOnBoard {
            merge_request,
            address,
            notes,
        })
    }

    /// Asked for once: a second answer could only be the same.
    pub(super) fn writer_became_known(&self, user: Option<wire::User>) {
        if let Some(user) = user {
            let _ = self.me.set(user.username);
        }
    }

    /// What a query of the project brings along. Only the gate's own token reads variables.
    fn along(&self) -> &'static str {
        if self.bot.is_none() && self.carrier.is_wanted() {
            VARIABLES
        } else {
            ""
        }
    }

    fn put_home(&self, board: &mut Board, mut home: Project) -> Answer<()> {
        board.visibility = Some(home.visibility());
        board.method = home.method();
        board.leaving = home.leaving()?;
        let nodes = home.take_merge_requests();
        self.put_merge_requests(board, nodes)
    }
}

impl Boards for GitLab<'_> {
    fn board(&self, targets: &Targets) -> Answer<Board> {
        let mut by_project: BTreeMap<&ProjectPath, Vec<u64>> = BTreeMap::new();
        for feature in &targets.features {
            by_project
                .entry(&feature.project)
                .or_default()
                .push(feature.iid);
        }
        let projects: Vec<(&ProjectPath, Vec<u64>)> = by_project.into_iter().collect();
        let along = self.along();
        let (text, variables) = query::board(&self.ci.project, targets, &projects, along);
        let answer = self.board_answer(text, variables, false)?;
        let data: answers::BoardData = answers::read(&answer, &[])?;
        self.writer_became_known(data.current_user);
        let mut board = Board::default();
        let mut home = data.home.ok_or_else(|| {
            Problem::gitlab(
                format!(
                    "GitLab shows no project `{}` to the token in `{}`",
                    self.ci.project,
                    self.writer().token().variable()
                ),
                "give the token's user at least the role Reporter in the project",
            )
        })?;
        if let Some(variables) = home.ci_variables.take() {
            self.carrier.brought(self.listed(variables)?);
        }
        self.put_home(&mut board, home)?;
        let mut found = data.projects;
        for (index, (path, _)) in projects.iter().enumerate() {
            if let Some(project) = found.remove(&query::alias(index)).flatten() {
                self.put_features(&mut board, path, project)?;
            }
        }
        Ok(board)
    }

    fn post(&self, edits: &[(Place, Edit<String>)], targets: &Targets) -> Answer<Posted> {
        let at_home = targets
            .features
            .iter()
            .all(|id| id.project == self.ci.project);
        let mut posted = Posted::default();
        // What was taken away cannot be asked anything, so it goes first.
        let mut edits: Vec<&(Place, Edit<String>)> = edits.iter().collect();
        edits.sort_by_key(|(_, edit)| !matches!(edit, Edit::Remove { .. }));
        let chunks = edits.chunks(EDITS).count();
        for (index, chunk) in edits.chunks(EDITS).enumerate() {
            let look = at_home && index + 1 == chunks;
            let (text, variables) = query::edits(chunk, look.then_some(targets), self.along());
            let answer = self.board_answer(text, variables, true)?;
            for (index, (place, _)) in chunk.iter().enumerate() {
                if let Some(words) = answers::refusal(&answer, &query::alias(index)) {
                    posted.refused.push((place.clone(), words));
                }
            }
            if look
                && let Some(project) = answers::looked_at(&answer, &query::alias(chunk.len() - 1))?
            {
                let mut board = Board::default();
                let mut project: Project = project;
                if let Some(variables) = project.ci_variables.take() {
                    self.carrier.brought(self.listed(variables)?);
                }
                board.visibility = Some(project.visibility());
                let nodes = project.take_merge_requests();
                self.put_merge_requests(&mut board, nodes)?;
                self.put_features(&mut board, &self.ci.project, project)?;
                posted.board = Some(board);
            }
        }
        Ok(posted)
    }
}
