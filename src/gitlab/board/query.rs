//! The GraphQL text of looking at the board and of editing it. Only names of ours stand in the text; everything else is a variable.

use serde_json::{Map, Value, json};

use crate::domain::ids::{BranchName, ProjectPath};
use crate::domain::progress::Edit;
use crate::ports::{Place, Targets};

const NOTES: &str = "notes(filter: ONLY_COMMENTS, first: 100) { pageInfo { hasNextPage endCursor } nodes { id body author { username } } }";
/// The fields of an issue.
pub(in crate::gitlab) const ISSUE: &str = "id iid type title description state confidential moved movedTo { reference(full: true) } webUrl author { username } labels(first: 100) { nodes { title } }";
const MERGE_REQUEST: &str = "id iid title description state draft sourceBranch targetBranch diffHeadSha squashOnMerge shouldRemoveSourceBranch forceRemoveSourceBranch sourceProjectId targetProjectId webUrl author { username } labels(first: 100) { nodes { title } }";
const WHOLE: &str = "divergedFromTargetBranch mergeCommitSha diffRefs { baseSha }";
/// What may stand against merging it.
const CHECKED: &str = "detailedMergeStatus mergeableDiscussionsState resolvableDiscussionsCount resolvedDiscussionsCount";

/// The name under which the nth part of a query is answered.
pub(super) fn alias(index: usize) -> String {
    format!("n{index}")
}

/// The fields of a merge request that is looked at whole.
pub(in crate::gitlab) fn whole_merge_request() -> String {
    format!("{MERGE_REQUEST} {WHOLE} {CHECKED} {NOTES}")
}

/// Looks at the targets; `projects` are those of the features, `along` is what else is asked of the project.
pub(super) fn board(
    home: &ProjectPath,
    targets: &Targets,
    projects: &[(&ProjectPath, Vec<u64>)],
    along: &str,
) -> (String, Value) {
    let mut variables = Map::new();
    let mut declared = vec!["$home: ID!".to_owned()];
    variables.insert("home".to_owned(), json!(home.as_str()));
    let mut at_home = format!("visibility {along}");
    let others = targets
        .merge_requests
        .iter()
        .filter(|iid| targets.whole != Some(**iid))
        .map(u64::to_string)
        .collect::<Vec<_>>();
    if !others.is_empty() {
        declared.push("$others: [String!]".to_owned());
        variables.insert("others".to_owned(), json!(others));
        at_home.push_str(&format!(
            " mergeRequests(iids: $others, first: 100) {{ nodes {{ {MERGE_REQUEST} {NOTES} }} }}"
        ));
    }
    if !targets.standing.is_empty() {
        declared.push("$standing: [String!]".to_owned());
        let standing: Vec<String> = targets.standing.iter().map(u64::to_string).collect();
        variables.insert("standing".to_owned(), json!(standing));
        at_home.push_str(" mergeRequestsFfOnlyEnabled standing: mergeRequests(iids: $standing, first: 20) { nodes { shouldBeRebased divergedFromTargetBranch } } others: mergeRequests(state: opened, sort: UPDATED_ASC, first: 5) { nodes { shouldBeRebased divergedFromTargetBranch } }");
    }
    if !targets.leaving.is_empty() {
        declared.push("$landed: [String!], $sources: [String!]".to_owned());
        let landed: Vec<String> = targets.leaving.keys().map(u64::to_string).collect();
        let sources: Vec<&str> = targets.leaving.values().map(BranchName::as_str).collect();
        variables.insert("landed".to_owned(), json!(landed));
        variables.insert("sources".to_owned(), json!(sources));
        at_home.push_str(" merged: mergeRequests(iids: $landed, state: merged, first: 100) { nodes { iid sourceBranch sourceBranchProtected } } stacked: mergeRequests(state: opened, targetBranches: $sources, first: 100) { nodes { targetBranch } }");
    }
    if !targets.checked.is_empty() {
        declared.push("$checked: [String!]".to_owned());
        let checked: Vec<String> = targets.checked.iter().map(u64::to_string).collect();
        variables.insert("checked".to_owned(), json!(checked));
        at_home.push_str(&format!(
            " checked: mergeRequests(iids: $checked, first: 100) {{ nodes {{ iid {CHECKED} }} }}"
        ));
    }
    if let Some(whole) = targets.whole {
        declared.push("$whole: String!".to_owned());
        variables.insert("whole".to_owned(), json!(whole.to_string()));
        at_home.push_str(&format!(
            " mergeRequest(iid: $whole) {{ {} }}",
            whole_merge_request()
        ));
    }
    let mut text =
        format!("currentUser {{ username }} home: project(fullPath: $home) {{ {at_home} }}");
    for (index, (path, iids)) in projects.iter().enumerate() {
        let name = alias(index);
        declared.push(format!("${name}p: ID!, ${name}i: [String!]"));
        variables.insert(format!("{name}p"), json!(path.as_str()));
        let iids: Vec<String> = iids.iter().map(u64::to_string).collect();
        variables.insert(format!("{name}i"), json!(iids));
        text.push_str(&format!(
            " {name}: project(fullPath: ${name}p) {{ visibility issues(iids: ${name}i, first: 100) {{ nodes {{ {ISSUE} {NOTES} }} }} }}"
        ));
    }
    let text = format!("query({}) {{ {text} }}", declared.join(", "));
    (text, Value::Object(variables))
}

/// Makes edits in their order; with targets, looks at them after the last one, and asks what else is wanted of the project.
pub(super) fn edits(
    edits: &[&(Place, Edit<String>)],
    targets: Option<&Targets>,
    along: &str,
) -> (String, Value) {
    let mut variables = Map::new();
    let mut declared = Vec::new();
    let mut parts = Vec::new();
    for (index, (_, edit)) in edits.iter().enumerate() {
        let name = alias(index);
        let last = index + 1 == edits.len();
        // What was taken away cannot be asked anything.
        let may_look = last && !matches!(edit, Edit::Remove { .. });
        let look = targets
            .filter(|_| may_look)
            .map_or_else(String::new, |targets| {
                format!(
                    " project {{ {} {along} }}",
                    looking(targets, &mut declared, &mut variables)
                )
            });
        let (to, what, text) = match edit {
            Edit::Write { place, text } => {
                declared.push(format!("${name}t: NoteableID!"));
                (place.clone(), "createNote(input: {noteableId:", Some(text))
            }
            Edit::Change { id, text } => {
                declared.push(format!("${name}t: NoteID!"));
                (note(id.0), "updateNote(input: {id:", Some(text))
            }
            Edit::Remove { id } => {
                declared.push(format!("${name}t: NoteID!"));
                (note(id.0), "destroyNote(input: {id:", None)
            }
        };
        variables.insert(format!("{name}t"), json!(to));
        match text {
            Some(text) => {
                declared.push(format!("${name}b: String!"));
                variables.insert(format!("{name}b"), json!(text));
                parts.push(format!(
                    "{name}: {what} ${name}t, body: ${name}b}}) {{ errors note {{ id{look} }} }}"
                ));
            }
            None => parts.push(format!("{name}: {what} ${name}t}}) {{ errors }}")),
        }
    }
    let text = format!(
        "mutation({}) {{ {} }}",
        declared.join(", "),
        parts.join(" ")
    );
    (text, Value::Object(variables))
}

/// The next page of the notes at a place.
pub(super) fn more_notes(place: &str) -> String {
    let notes = NOTES.replacen("first: 100", "first: 100, after: $after", 1);
    format!(
        "query($path: ID!, $iid: String!, $after: String!) {{ project(fullPath: $path) {{ noteable: {place}(iid: $iid) {{ {notes} }} }} }}"
    )
}

fn looking(
    targets: &Targets,
    declared: &mut Vec<String>,
    variables: &mut Map<String, Value>,
) -> String {
    let mut text = "visibility".to_owned();
    let iids = |numbers: &mut dyn Iterator<Item = u64>| -> Vec<String> {
        numbers.map(|iid| iid.to_string()).collect()
    };
    if !targets.merge_requests.is_empty() {
        declared.push("$others: [String!]".to_owned());
        variables.insert(
            "others".to_owned(),
            json!(iids(&mut targets.merge_requests.iter().copied())),
        );
        text.push_str(&format!(
            " mergeRequests(iids: $others, first: 100) {{ nodes {{ {MERGE_REQUEST} {NOTES} }} }}"
        ));
    }
    if !targets.features.is_empty() {
        declared.push("$features: [String!]".to_owned());
        variables.insert(
            "features".to_owned(),
            json!(iids(&mut targets.features.iter().map(|id| id.iid))),
        );
        text.push_str(&format!(
            " issues(iids: $features, first: 100) {{ nodes {{ {ISSUE} {NOTES} }} }}"
        ));
    }
    text
}

fn note(id: u64) -> String {
    format!("gid://gitlab/Note/{id}")
}
