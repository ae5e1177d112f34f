//! What waits for the caller.

use serde_json::{Value, json};

use super::changes::{finished, id, payload};
use super::entity::renamed;
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, one, record, time_of, upper, user,
};
use crate::graphql::schema::{Family, Line, field};

/// The fields of the signed in user.
pub(super) const OF_USER: &[Line] = &[field(
    "todos(action: [TodoActionEnum!], state: [TodoStateEnum!], type: [TodoTargetEnum!], sort: TodoSort): TodoConnection",
    list,
)];

/// The mutations.
pub(super) const LINES: &[Line] = &[
    field(
        "todoMarkDone(input: TodoMarkDoneInput!): TodoMarkDonePayload",
        |c| {
            let id = id(c, "id", &["Todo"])?;
            let done = c
                .rest()
                .call("POST", &format!("todos/{id}/mark_as_done"), json!({}));
            payload(c, "TodoMarkDonePayload", done, |row| {
                vec![("todo", row.map_or(NOTHING, |row| Found::One(todo(row))))]
            })
        },
    ),
    field(
        "todosMarkAllDone(input: TodosMarkAllDoneInput!): TodosMarkAllDonePayload",
        |c| {
            let waiting = c.rest().list("todos", &json!({ "state": "pending" }))?;
            let ids: Vec<u64> = waiting
                .iter()
                .filter_map(|row| row["id"].as_u64())
                .collect();
            if let Err(error) = c.rest().call("POST", "todos/mark_as_done", json!({})) {
                return Err(crate::graphql::internal::refusal(&error));
            }
            let rows = c.rest().list("todos", &json!({ "state": "done" }))?;
            let moved = rows
                .iter()
                .filter(|row| row["id"].as_u64().is_some_and(|id| ids.contains(&id)));
            Ok(finished(
                c,
                "TodosMarkAllDonePayload",
                &[],
                vec![("todos", Found::Many(moved.map(todo).collect()))],
            ))
        },
    ),
];

/// The family of todos.
pub(super) const FAMILY: Family = Family {
    tables: &[],
    sdl: "
        enum TodoActionEnum {
            approval_required assigned build_failed directly_addressed marked member_access_requested mentioned merge_train_removed
            review_requested review_submitted unmergeable
        }
        enum TodoStateEnum { done pending }
        enum TodoTargetEnum { ISSUE MERGEREQUEST }
        enum TodoSort { CREATED_ASC CREATED_DESC }
        union TodoTarget = Issue | MergeRequest
        type Todo {
            action: TodoActionEnum! author: UserCore! body: String! createdAt: Time! id: ID! project: Project state: TodoStateEnum!
            target: TodoTarget! targetType: TodoTargetEnum! targetUrl: String
        }
        input TodoMarkDoneInput { clientMutationId: String id: TodoID! }
        type TodoMarkDonePayload { clientMutationId: String errors: [String!]! todo: Todo! }
        input TodosMarkAllDoneInput { clientMutationId: String }
        type TodosMarkAllDonePayload { clientMutationId: String errors: [String!]! todos: [Todo!] }
    ",
};

fn list(call: &Call<'_>) -> Outcome {
    let own = matches!(call.object, Object::User(id, _) if call.user() == Some(*id));
    if !own {
        return Ok(Found::Many(Vec::new()));
    }
    let states = call.texts("state").unwrap_or_else(|| vec!["pending"]);
    let (actions, types) = (call.texts("action"), call.texts("type"));
    let mut rows: Vec<Value> = Vec::new();
    for state in states {
        let mut filter = renamed(call.args, &[]);
        filter["state"] = json!(state);
        rows.extend(call.rest().list("todos", &filter)?);
    }
    let fits = |row: &&Value| {
        let (action, kind) = (row["action_name"].as_str(), row["target_type"].as_str());
        let kind = kind.map(upper);
        actions
            .as_ref()
            .is_none_or(|wanted| action.is_some_and(|own| wanted.contains(&own)))
            && types
                .as_ref()
                .is_none_or(|wanted| kind.is_some_and(|own| wanted.contains(&own.as_str())))
    };
    let mut found: Vec<Object> = rows.iter().filter(fits).map(todo).collect();
    if call.text("sort") == Some("CREATED_ASC") {
        found.reverse();
    }
    Ok(Found::Many(found))
}

fn todo(row: &Value) -> Object {
    let kind = row["target_type"].as_str().unwrap_or_default();
    let target = row["target"]["id"].as_u64().map(|id| {
        if kind == "MergeRequest" {
            Object::MergeRequest(id)
        } else {
            Object::Issue(id)
        }
    });
    let data = json!({
        "id": format!("gid://gitlab/Todo/{}", row["id"]), "action": row["action_name"], "body": row["body"], "state": row["state"],
        "targetType": upper(kind), "targetUrl": row["target_url"],
    });
    record("Todo", data)
        .with("createdAt", time_of(&row["created_at"]))
        .with("author", one(row["author"]["id"].as_u64().map(user)))
        .with(
            "project",
            one(row["project"]["id"].as_u64().map(Object::Project)),
        )
        .with("target", one(target))
        .object()
}
