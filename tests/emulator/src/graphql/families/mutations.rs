//! Where mutations start.

use serde_json::Value;

use super::changes::finished;
use super::{
    issue_changes, merge_request_changes, note_changes, pipeline_changes, project_changes,
    release_changes, todos,
};
use crate::graphql::objects::{Found, value};
use crate::graphql::schema::{Family, Line, field, object};

const LINES: &[Line] = &[field(
    "echoCreate(input: EchoCreateInput!): EchoCreatePayload",
    |c| {
        let given = super::changes::input(c);
        let errors: Vec<String> = given
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let messages = given.get("messages").cloned().unwrap_or_default();
        let echoes = if messages.is_null() {
            value(Value::Array(Vec::new()))
        } else {
            Found::Value(messages)
        };
        Ok(finished(
            c,
            "EchoCreatePayload",
            &errors,
            vec![("echoes", echoes)],
        ))
    },
)];

/// The family of the root of mutations.
pub(super) const FAMILY: Family = Family {
    tables: &[object(
        "Mutation",
        &[
            LINES,
            merge_request_changes::LINES,
            issue_changes::LINES,
            note_changes::LINES,
            pipeline_changes::LINES,
            project_changes::LINES,
            release_changes::LINES,
            todos::LINES,
        ],
    )],
    sdl: "
        input EchoCreateInput { clientMutationId: String errors: [String!] messages: [String!] }
        type EchoCreatePayload { clientMutationId: String echoes: [String!] errors: [String!]! }
    ",
};
