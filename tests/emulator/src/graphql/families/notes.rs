//! Comments, threads and emoji.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::entity::many;
use crate::access::{self, Role};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, one, record, time, user, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::issuables;
use crate::store::State;
use crate::store::notes::{Note, Noteable};

const NOTE: &[Line] = &[
    field("id: NoteID!", |c| note(c, |row, _, _| value(note_gid(row)))),
    field("body: String!", |c| {
        note(c, |row, _, _| value(row.body.clone()))
    }),
    field("bodyHtml: String", |c| {
        note(c, |row, _, _| value(row.body.clone()))
    }),
    field("system: Boolean!", |c| {
        note(c, |row, _, _| value(row.system))
    }),
    field("internal: Boolean", |c| {
        note(c, |row, _, _| value(row.internal))
    }),
    field("confidential: Boolean @deprecated", |c| {
        note(c, |row, _, _| value(row.internal))
    }),
    field("resolvable: Boolean!", |c| {
        note(c, |row, _, _| value(row.is_resolvable()))
    }),
    field("resolved: Boolean!", |c| {
        note(c, |row, _, _| value(row.resolved_at.is_some()))
    }),
    field("resolvedAt: Time", |c| {
        note(c, |row, _, _| time(row.resolved_at))
    }),
    field("resolvedBy: UserCore", |c| {
        note(c, |row, _, _| one(row.resolved_by.map(user)))
    }),
    field("createdAt: Time!", |c| {
        note(c, |row, _, _| time(row.created_at))
    }),
    field("updatedAt: Time!", |c| {
        note(c, |row, _, _| time(row.updated_at))
    }),
    field("lastEditedAt: Time", |c| {
        note(c, |row, _, _| {
            time((row.updated_at > row.created_at).then_some(row.updated_at))
        })
    }),
    field("author: UserCore", |c| {
        note(c, |row, _, _| Found::One(user(row.author_id)))
    }),
    field("project: Project", |c| {
        note(c, |row, _, _| Found::One(Object::Project(row.project_id)))
    }),
    field("discussion: Discussion", |c| {
        note(c, |row, _, _| {
            Found::One(Object::Discussion(row.discussion_id.clone()))
        })
    }),
    field("position: DiffPosition", |c| {
        note(c, |row, _, _| {
            row.position
                .as_ref()
                .map_or(NOTHING, |place| position(&place.value))
        })
    }),
    field("url: String", |c| {
        note(c, |row, state, url| {
            let page = state.project_url(url, row.project_id);
            let iid = issuables::iid_of(state, row.noteable);
            let kind = match row.noteable {
                Noteable::Issue(_) => "issues",
                Noteable::MergeRequest(_) => "merge_requests",
            };
            value(format!("{page}/-/{kind}/{iid}#note_{}", row.id))
        })
    }),
    field("systemNoteIconName: String", |_| Ok(NOTHING)),
    field("userPermissions: NotePermissions!", |c| {
        let acting = c.user();
        let Object::Note(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let Some(row) = state.notes.get(*id) else {
            return Ok(NOTHING);
        };
        let own = access::in_project(&state, acting, row.project_id);
        let admin =
            !row.system && (acting == Some(row.author_id) || own.at_least(Role::Maintainer));
        let signed_in = acting.is_some();
        let data = json!({
            "adminNote": admin, "awardEmoji": signed_in, "createNote": signed_in, "readNote": true,
            "repositionNote": admin, "resolveNote": own.at_least(Role::Developer),
        });
        Ok(record("NotePermissions", data).found())
    }),
];

const DISCUSSION: &[Line] = &[
    field("id: DiscussionID!", |c| {
        thread(c, |rows| {
            value(format!("gid://gitlab/Discussion/{}", rows[0].discussion_id))
        })
    }),
    field("replyId: DiscussionID!", |c| {
        thread(c, |rows| {
            value(format!("gid://gitlab/Discussion/{}", rows[0].discussion_id))
        })
    }),
    field("createdAt: Time!", |c| {
        thread(c, |rows| time(rows[0].created_at))
    }),
    field("resolvable: Boolean!", |c| {
        thread(c, |rows| value(rows.iter().any(|row| row.is_resolvable())))
    }),
    field("resolved: Boolean!", |c| {
        thread(c, |rows| value(is_resolved(rows)))
    }),
    field("resolvedAt: Time", |c| {
        thread(c, |rows| {
            time(rows.iter().filter_map(|row| row.resolved_at).max())
        })
    }),
    field("resolvedBy: UserCore", |c| {
        thread(c, |rows| {
            one(rows.iter().find_map(|row| row.resolved_by).map(user))
        })
    }),
    field("notes: NoteConnection!", |c| {
        thread(c, |rows| many(rows.iter().map(|row| row.id), Object::Note))
    }),
    field("noteable: NoteableType", |c| {
        thread(c, |rows| {
            Found::One(match rows[0].noteable {
                Noteable::Issue(id) => Object::Issue(id),
                Noteable::MergeRequest(id) => Object::MergeRequest(id),
            })
        })
    }),
];

/// The family of comments.
pub(super) const FAMILY: Family = Family {
    tables: &[
        object("Note", &[NOTE]).implements(&["ResolvableInterface"]),
        object("Discussion", &[DISCUSSION]).implements(&["ResolvableInterface"]),
    ],
    sdl: "
        enum NotesFilterType { ALL_NOTES ONLY_ACTIVITY ONLY_COMMENTS }
        union NoteableType = Issue | MergeRequest
        interface NoteableInterface {
            discussions(after: String, before: String, first: Int, last: Int): DiscussionConnection!
            notes(after: String, before: String, filter: NotesFilterType = ALL_NOTES, first: Int, last: Int): NoteConnection!
        }
        interface ResolvableInterface { resolvable: Boolean! resolved: Boolean! resolvedAt: Time resolvedBy: UserCore }
        type NotePermissions {
            adminNote: Boolean! awardEmoji: Boolean! createNote: Boolean! readNote: Boolean! repositionNote: Boolean! resolveNote: Boolean!
        }
        type DiffPosition {
            diffRefs: DiffRefs! filePath: String! newLine: Int newPath: String oldLine: Int oldPath: String positionType: DiffPositionType!
        }
        enum DiffPositionType { file image text }
        type AwardEmoji { description: String! emoji: String! name: String! unicode: String! unicodeVersion: String! user: UserCore! }
    ",
};

/// The global id of a note, whose class tells whether it is part of a thread.
pub(super) fn note_gid(row: &Note) -> String {
    let class = row.kind().unwrap_or("Note");
    format!("gid://gitlab/{class}/{}", row.id)
}

/// A place in a diff.
fn position(sent: &Value) -> Found {
    let data = json!({
        "newLine": sent["new_line"], "oldLine": sent["old_line"], "newPath": sent["new_path"], "oldPath": sent["old_path"],
        "filePath": sent["new_path"].as_str().or(sent["old_path"].as_str()).unwrap_or_default(),
        "positionType": sent["position_type"].as_str().unwrap_or("text"),
    });
    let refs = json!({ "baseSha": sent["base_sha"], "headSha": sent["head_sha"], "startSha": sent["start_sha"] });
    record("DiffPosition", data)
        .with("diffRefs", record("DiffRefs", refs).found())
        .found()
}

/// May the user read the note?
pub(super) fn may_read(state: &State, acting: Option<u64>, row: &Note) -> bool {
    let insider = access::in_project(state, acting, row.project_id).at_least(Role::Planner);
    issuables::may_read(state, acting, row.noteable) && (insider || !row.internal)
}

fn note(call: &Call<'_>, read: fn(&Note, &State, &str) -> Found) -> Outcome {
    let Object::Note(id) = call.object else {
        return Ok(NOTHING);
    };
    let state = call.state();
    Ok(state
        .notes
        .get(*id)
        .map_or(NOTHING, |row| read(row, &state, call.url())))
}

fn thread(call: &Call<'_>, read: fn(&[&Note]) -> Found) -> Outcome {
    let Object::Discussion(id) = call.object else {
        return Ok(NOTHING);
    };
    let acting = call.user();
    let state = call.state();
    let rows: Vec<&Note> = state
        .notes
        .iter()
        .filter(|row| row.discussion_id == *id && may_read(&state, acting, row))
        .collect();
    Ok(if rows.is_empty() {
        NOTHING
    } else {
        read(&rows)
    })
}

fn is_resolved(rows: &[&Note]) -> bool {
    let mut open = rows.iter().filter(|row| row.is_resolvable()).peekable();
    open.peek().is_some() && open.all(|row| row.resolved_at.is_some())
}

/// How many threads of a merge request can be resolved, or are.
pub(super) fn threads(state: &State, merge_request: u64, resolved: bool) -> usize {
    let notes = || state.notes_on(Noteable::MergeRequest(merge_request));
    let all: BTreeSet<&str> = notes()
        .filter(|row| row.is_resolvable())
        .map(|row| row.discussion_id.as_str())
        .collect();
    all.into_iter()
        .filter(|id| {
            let rows: Vec<&Note> = notes().filter(|row| row.discussion_id == *id).collect();
            !resolved || is_resolved(&rows)
        })
        .count()
}

/// What can be commented, behind an object.
pub(super) fn noteable(object: &Object) -> Option<Noteable> {
    if let Object::MergeRequest(id) = object {
        return Some(Noteable::MergeRequest(*id));
    }
    let (Object::Issue(id) | Object::WorkItem(id)) = object else {
        return None;
    };
    Some(Noteable::Issue(*id))
}

/// The comments on the call's object.
pub(super) fn of_noteable(call: &Call<'_>) -> Outcome {
    let Some(noteable) = noteable(call.object) else {
        return Ok(NOTHING);
    };
    let (acting, filter) = (call.user(), call.text("filter").unwrap_or("ALL_NOTES"));
    let state = call.state();
    let found = state.notes_on(noteable).filter(|row| {
        may_read(&state, acting, row)
            && match filter {
                "ONLY_COMMENTS" => !row.system,
                "ONLY_ACTIVITY" => row.system,
                _all => true,
            }
    });
    Ok(many(found.map(|row| row.id), Object::Note))
}

/// The threads on the call's object.
pub(super) fn discussions(call: &Call<'_>) -> Outcome {
    let Some(noteable) = noteable(call.object) else {
        return Ok(NOTHING);
    };
    let acting = call.user();
    let state = call.state();
    let mut ids: Vec<&str> = Vec::new();
    for row in state.notes_on(noteable) {
        if may_read(&state, acting, row) && !ids.contains(&row.discussion_id.as_str()) {
            ids.push(&row.discussion_id);
        }
    }
    let found = ids.into_iter().map(|id| Object::Discussion(id.to_owned()));
    Ok(Found::Many(found.collect()))
}

/// The emoji on the call's object.
pub(super) fn awards(call: &Call<'_>) -> Outcome {
    let Some(noteable) = noteable(call.object) else {
        return Ok(NOTHING);
    };
    let state = call.state();
    let found = state
        .awards_on(noteable)
        .map(|row| award(&row.name, row.user_id));
    Ok(Found::Many(found.collect()))
}

/// An emoji somebody gave.
pub(super) fn award(name: &str, by: u64) -> Object {
    let data = json!({ "name": name, "description": name.replace('_', " "), "emoji": "", "unicode": "", "unicodeVersion": "6.0" });
    record("AwardEmoji", data)
        .with("user", Found::One(user(by)))
        .object()
}
