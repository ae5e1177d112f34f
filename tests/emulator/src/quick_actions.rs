//! Quick actions: lines of a comment or description that start with `/` and do something instead of saying it.
//!
//! Lines inside fenced code or quotation are text.

use serde_json::{Map, Value};

use crate::markdown;
use crate::merge_requests::auto_merge;
use crate::quick_action_effects as effects;
use crate::shared::Shared;
use crate::store::notes::Noteable;

/// The actions there are. Others that look like one stay in the text, as with GitLab.
const NAMES: [&str; 19] = [
    "approve",
    "assign",
    "close",
    "confidential",
    "draft",
    "label",
    "merge",
    "milestone",
    "ready",
    "rebase",
    "relabel",
    "remove_label",
    "remove_milestone",
    "reopen",
    "title",
    "unapprove",
    "unassign",
    "unlabel",
    "wip",
];

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
    for (line, fenced) in markdown::lines(body) {
        match command(line).filter(|_| !fenced) {
            Some(command) => commands.push(command),
            None => text.push(line),
        }
    }
    Parsed {
        text: if commands.is_empty() {
            body.to_owned()
        } else {
            text.join("\n").trim().to_owned()
        },
        commands,
    }
}

fn command(line: &str) -> Option<Command> {
    let rest = line.strip_prefix('/')?;
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = name.to_lowercase();
    NAMES.contains(&name.as_str()).then(|| Command {
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
        match effects::apply(shared, user, noteable, command, head) {
            Some(effect) => {
                if let Some(change) = effect.change {
                    merge_change(&mut outcome.changes, change);
                }
                outcome.summary.push(effect.summary);
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
