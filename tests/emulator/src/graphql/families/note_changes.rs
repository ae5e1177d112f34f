//! Mutations of comments, threads and emoji.

use serde_json::{Value, json};

use super::changes::{id, input, made, params, payload, text};
use super::entity::path;
use super::notes::{award, noteable};
use crate::errors::ApiError;
use crate::graphql::objects::{Call, Found, NOTHING, Object, Outcome, Problem, number_of, value};
use crate::graphql::schema::{Family, Line, field};

/// The classes in the global ids of notes.
const NOTES: &[&str] = &["Note", "DiscussionNote", "DiffNote"];

/// The mutations.
pub(super) const LINES: &[Line] = &[
    field(
        "createNote(input: CreateNoteInput!): CreateNotePayload",
        |c| {
            let address = target(c, "noteableId")?.0;
            let discussion = text(c, "discussionId")
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let tail = if discussion.is_empty() {
                "notes".to_owned()
            } else {
                format!("discussions/{discussion}/notes")
            };
            let mut params = params(
                c,
                &[
                    ("body", "body"),
                    ("internal", "internal"),
                    ("mergeRequestDiffHeadSha", "merge_request_diff_head_sha"),
                ],
            );
            if !discussion.is_empty() {
                params = json!({ "body": text(c, "body") });
            }
            let done = c.rest().call("POST", &format!("{address}/{tail}"), params);
            note(c, "CreateNotePayload", done)
        },
    ),
    field(
        "createDiscussion(input: CreateDiscussionInput!): CreateDiscussionPayload",
        |c| {
            let address = target(c, "noteableId")?.0;
            let done = c.rest().call(
                "POST",
                &format!("{address}/discussions"),
                params(c, &[("body", "body")]),
            );
            let done = done.map(|thread| thread["notes"][0].clone());
            note(c, "CreateDiscussionPayload", done)
        },
    ),
    field(
        "updateNote(input: UpdateNoteInput!): UpdateNotePayload",
        |c| {
            let address = note_address(c)?;
            let done = c
                .rest()
                .call("PUT", &address, params(c, &[("body", "body")]));
            note(c, "UpdateNotePayload", done)
        },
    ),
    field(
        "destroyNote(input: DestroyNoteInput!): DestroyNotePayload",
        |c| {
            let address = note_address(c)?;
            let done = c.rest().call("DELETE", &address, json!({}));
            payload(c, "DestroyNotePayload", done, |_| vec![("note", NOTHING)])
        },
    ),
    field(
        "discussionToggleResolve(input: DiscussionToggleResolveInput!): DiscussionToggleResolvePayload",
        |c| {
            let thread = text(c, "id")
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let address = {
                let state = c.state();
                let row = state.notes.iter().find(|row| row.discussion_id == thread);
                let row = row.filter(|row| super::notes::may_read(&state, c.user(), row));
                let object = match row.map(|row| row.noteable) {
                    Some(crate::store::notes::Noteable::MergeRequest(id)) => {
                        Object::MergeRequest(id)
                    }
                    Some(crate::store::notes::Noteable::Issue(_)) | None => {
                        return Err(Problem::no_access());
                    }
                };
                path(&state, &object).ok_or_else(Problem::no_access)?
            };
            let resolve = input(c).get("resolve").and_then(Value::as_bool) == Some(true);
            let done = c.rest().call(
                "PUT",
                &format!("{address}/discussions/{thread}"),
                json!({ "resolved": resolve }),
            );
            payload(c, "DiscussionToggleResolvePayload", done, |_| {
                vec![("discussion", Found::One(Object::Discussion(thread)))]
            })
        },
    ),
    field(
        "awardEmojiAdd(input: AwardEmojiAddInput!): AwardEmojiAddPayload",
        |c| {
            let (address, _) = target(c, "awardableId")?;
            let done = c.rest().call(
                "POST",
                &format!("{address}/award_emoji"),
                params(c, &[("name", "name")]),
            );
            let by = c.user().unwrap_or_default();
            let name = text(c, "name");
            payload(c, "AwardEmojiAddPayload", done, |row| {
                vec![(
                    "awardEmoji",
                    row.map_or(NOTHING, |_| Found::One(award(name, by))),
                )]
            })
        },
    ),
    field(
        "awardEmojiRemove(input: AwardEmojiRemoveInput!): AwardEmojiRemovePayload",
        |c| {
            let done = remove_award(c)?;
            match done {
                Some(done) => payload(c, "AwardEmojiRemovePayload", done, |_| {
                    vec![("awardEmoji", NOTHING)]
                }),
                None => Ok(super::changes::finished(
                    c,
                    "AwardEmojiRemovePayload",
                    &["User has not awarded emoji of type ".to_owned()
                        + text(c, "name")
                        + " on the awardable"],
                    vec![("awardEmoji", NOTHING)],
                )),
            }
        },
    ),
    field(
        "awardEmojiToggle(input: AwardEmojiToggleInput!): AwardEmojiTogglePayload",
        |c| {
            if let Some(done) = remove_award(c)? {
                return payload(c, "AwardEmojiTogglePayload", done, |_| {
                    vec![("awardEmoji", NOTHING), ("toggledOn", value(false))]
                });
            }
            let (address, _) = target(c, "awardableId")?;
            let done = c.rest().call(
                "POST",
                &format!("{address}/award_emoji"),
                params(c, &[("name", "name")]),
            );
            let by = c.user().unwrap_or_default();
            let name = text(c, "name");
            payload(c, "AwardEmojiTogglePayload", done, |row| {
                vec![
                    (
                        "awardEmoji",
                        row.map_or(NOTHING, |_| Found::One(award(name, by))),
                    ),
                    ("toggledOn", value(row.is_some())),
                ]
            })
        },
    ),
];

/// The family of these mutations.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        type QuickActionsStatus { commandNames: [String!] commandsOnly: Boolean errorMessages: [String!] messages: [String!] }
        input CreateNoteInput {
            body: String! clientMutationId: String discussionId: DiscussionID internal: Boolean mergeRequestDiffHeadSha: String
            noteableId: NoteableID!
        }
        type CreateNotePayload { clientMutationId: String errors: [String!]! note: Note quickActionsStatus: QuickActionsStatus }
        input CreateDiscussionInput { body: String! clientMutationId: String noteableId: NoteableID! }
        type CreateDiscussionPayload { clientMutationId: String errors: [String!]! note: Note quickActionsStatus: QuickActionsStatus }
        input UpdateNoteInput { body: String clientMutationId: String id: NoteID! }
        type UpdateNotePayload { clientMutationId: String errors: [String!]! note: Note quickActionsStatus: QuickActionsStatus }
        input DestroyNoteInput { clientMutationId: String id: NoteID! }
        type DestroyNotePayload { clientMutationId: String errors: [String!]! note: Note }
        input DiscussionToggleResolveInput { clientMutationId: String id: DiscussionID! resolve: Boolean! }
        type DiscussionToggleResolvePayload { clientMutationId: String discussion: Discussion errors: [String!]! }
        input AwardEmojiAddInput { awardableId: AwardableID! clientMutationId: String name: String! }
        type AwardEmojiAddPayload { awardEmoji: AwardEmoji clientMutationId: String errors: [String!]! }
        input AwardEmojiRemoveInput { awardableId: AwardableID! clientMutationId: String name: String! }
        type AwardEmojiRemovePayload { awardEmoji: AwardEmoji clientMutationId: String errors: [String!]! }
        input AwardEmojiToggleInput { awardableId: AwardableID! clientMutationId: String name: String! }
        type AwardEmojiTogglePayload { awardEmoji: AwardEmoji clientMutationId: String errors: [String!]! toggledOn: Boolean! }
    ",
};

/// The address of what the input points to.
fn target(call: &Call<'_>, name: &str) -> Result<(String, Object), Problem> {
    let text = text(call, name);
    let object = if text.contains("/MergeRequest/") {
        Object::MergeRequest(number_of(text, &["MergeRequest"])?)
    } else {
        Object::Issue(number_of(text, &["Issue", "WorkItem"])?)
    };
    let state = call.state();
    let readable = noteable(&object)
        .is_some_and(|noteable| crate::issuables::may_read(&state, call.user(), noteable));
    let address = path(&state, &object).filter(|_| readable);
    address
        .map(|address| (address, object))
        .ok_or_else(Problem::no_access)
}

fn note_address(call: &Call<'_>) -> Result<String, Problem> {
    let id = id(call, "id", NOTES)?;
    let state = call.state();
    let row = state.notes.get(id);
    let row = row.filter(|row| super::notes::may_read(&state, call.user(), row));
    let object = row.map(|row| match row.noteable {
        crate::store::notes::Noteable::Issue(id) => Object::Issue(id),
        crate::store::notes::Noteable::MergeRequest(id) => Object::MergeRequest(id),
    });
    object
        .and_then(|object| path(&state, &object))
        .map(|address| format!("{address}/notes/{id}"))
        .ok_or_else(Problem::no_access)
}

/// The payload with a note; quick actions alone leave none.
fn note(call: &Call<'_>, name: &'static str, done: Result<Value, ApiError>) -> Outcome {
    payload(call, name, done, |row| {
        vec![
            ("note", made(row, Object::Note)),
            ("quickActionsStatus", NOTHING),
        ]
    })
}

/// Takes the caller's emoji away, if there is one.
fn remove_award(call: &Call<'_>) -> Result<Option<Result<Value, ApiError>>, Problem> {
    let (address, object) = target(call, "awardableId")?;
    let own = {
        let state = call.state();
        let on = noteable(&object).ok_or_else(Problem::no_access)?;
        let mut rows = state.awards_on(on);
        rows.find(|row| Some(row.user_id) == call.user() && row.name == text(call, "name"))
            .map(|row| row.id)
    };
    Ok(own.map(|id| {
        call.rest()
            .call("DELETE", &format!("{address}/award_emoji/{id}"), json!({}))
    }))
}
