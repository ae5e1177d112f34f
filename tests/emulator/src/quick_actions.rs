//! Quick actions: lines of a comment or description that start with `/` and do something instead of saying it.
//!
//! Lines inside fenced code or quotation are text.

use serde_json::{Map, Value};

use crate::markdown;
use crate::merge_requests::auto_merge;
use crate::quick_action_effects as effects;
use crate::request_log::{RequestEntry, Who};
use crate::shared::Shared;
use crate::store::notes::Noteable;

/// The actions there are. Others that look like one stay in the text, as with GitLab.
const NAMES: [&str; 53] = [
    "approve",
    "assign",
    "assign_reviewer",
    "award",
    "clone",
    "close",
    "confidential",
    "copy_metadata",
    "done",
    "draft",
    "due",
    "duplicate",
    "estimate",
    "estimate_time",
    "label",
    "labels",
    "lock",
    "merge",
    "milestone",
    "move",
    "promote_to_incident",
    "react",
    "ready",
    "rebase",
    "relabel",
    "relate",
    "remove_due_date",
    "remove_estimate",
    "remove_label",
    "remove_milestone",
    "remove_reviewer",
    "remove_time_estimate",
    "remove_time_spent",
    "reopen",
    "request_review",
    "reviewer",
    "severity",
    "spend",
    "spend_time",
    "spent",
    "submit_review",
    "subscribe",
    "target_branch",
    "title",
    "todo",
    "unapprove",
    "unassign",
    "unassign_reviewer",
    "unlabel",
    "unlink",
    "unlock",
    "unsubscribe",
    "wip",
];

/// Actions of GitLab's that are not there. They are taken out of the text as GitLab does, and reported.
const LACKING: [&str; 18] = [
    "add_child",
    "add_contacts",
    "add_email",
    "board_move",
    "convert_to_ticket",
    "create_merge_request",
    "invite_email",
    "promote_to",
    "remove_child",
    "remove_contacts",
    "remove_email",
    "remove_parent",
    "remove_zoom",
    "set_parent",
    "tag",
    "timeline",
    "type",
    "zoom",
];

/// Actions that are nothing but a picture after their argument.
const PICTURES: [(&str, &str); 2] = [("shrug", "¯\\＿(ツ)＿/¯"), ("tableflip", "(╯°□°)╯︵ ┻━┻")];

/// One action as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) argument: String,
}

/// A text cut into what it says and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) text: String,
    pub(crate) commands: Vec<Command>,
}

/// What a list of actions came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// As `commands_changes` of the API.
    pub(crate) changes: Map<String, Value>,
    /// What was done, a sentence each.
    pub(crate) summary: Vec<String>,
    /// What could not be done.
    pub(crate) errors: Vec<String>,
}

/// Finds the actions of a text.
pub(crate) fn parse(body: &str) -> Parsed {
    let mut text = Vec::new();
    let mut commands = Vec::new();
    let mut drawn = false;
    for (line, fenced) in markdown::lines(body) {
        if let Some(picture) = picture(line).filter(|_| !fenced) {
            text.push(picture);
            drawn = true;
            continue;
        }
        match command(line).filter(|_| !fenced) {
            Some(command) => commands.push(command),
            None => text.push(line.to_owned()),
        }
    }
    Parsed {
        text: if commands.is_empty() && !drawn {
            body.to_owned()
        } else {
            text.join("\n").trim().to_owned()
        },
        commands,
    }
}

/// A line with `/shrug` or `/tableflip`, drawn.
fn picture(line: &str) -> Option<String> {
    let rest = line.strip_prefix('/')?;
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (_, picture) = PICTURES.iter().find(|(known, _)| *known == name)?;
    Some(format!("{} {picture}", argument.trim()).trim().to_owned())
}

fn command(line: &str) -> Option<Command> {
    let rest = line.strip_prefix('/')?;
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = name.to_lowercase();
    let known = NAMES.contains(&name.as_str()) || LACKING.contains(&name.as_str());
    known.then(|| Command {
        name,
        argument: argument.trim().to_owned(),
    })
}

/// Does the actions in the name of a user, with that user's rights. `head` is the commit that `/merge` may merge. Call it
/// without holding the state.
pub(crate) fn execute(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    commands: &[Command],
    head: Option<&str>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for command in commands {
        if LACKING.contains(&command.name.as_str()) {
            report_lacking(shared, user, &command.name);
        }
        match effects::apply(shared, user, noteable, command, head) {
            Some(effect) => {
                if let Some(change) = effect.change {
                    merge_change(&mut outcome.changes, change);
                }
                if effect.failed {
                    outcome.errors.extend(effect.summary);
                } else {
                    outcome.summary.extend(effect.summary);
                }
            }
            None => {
                let text = format!("Could not apply {} command.", command.name);
                outcome.errors.push(text);
            }
        }
    }
    if let Noteable::MergeRequest(id) = noteable {
        let place = {
            let state = shared.state();
            let row = state.merge_requests.get(id);
            row.map(|row| (row.project_id, row.iid))
        };
        if let Some((project, iid)) = place {
            auto_merge::merge_if_ready(shared, project, iid);
        }
    }
    outcome
}

/// Lists an action that is not there among the unknown requests.
fn report_lacking(shared: &Shared, user: u64, name: &str) {
    let username = {
        let state = shared.state();
        let user = state.users.get(user);
        user.map(|user| user.username.clone()).unwrap_or_default()
    };
    let text = format!("quick action `/{name}` is not implemented");
    shared.report.say(&text);
    shared.log.add(RequestEntry {
        number: shared.next_request(),
        method: "ACTION".to_owned(),
        route: None,
        path: format!("/{name}"),
        status: 501,
        who: Who::User { username },
        job: None,
        unknown: Some(text),
        ignored: Vec::new(),
        fault: None,
        changed: None,
    });
}

/// Several actions of one kind add to the same list.
fn merge_change(changes: &mut Map<String, Value>, (name, value): (&str, Value)) {
    match (changes.get_mut(name), value) {
        (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
        (_, value) => {
            changes.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn actions_are_lines_of_their_own_outside_code_and_quotation() {
        let body = "Hello\n/close\n```\n/reopen\n```\n> /merge\n /rebase\n/label ~a ~\"b c\"\n/unknown x\nthe /title";
        let parsed = parse(body);
        let names: Vec<_> = parsed
            .commands
            .iter()
            .map(|command| (command.name.as_str(), command.argument.as_str()))
            .collect();
        assert_eq!(names, [("close", ""), ("label", "~a ~\"b c\"")]);
        assert_eq!(
            parsed.text,
            "Hello\n```\n/reopen\n```\n> /merge\n /rebase\n/unknown x\nthe /title"
        );
        assert_eq!(parse(">>>\n/close\n>>>\n").commands, []);
    }
}
