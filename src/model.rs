//! Prints the event model as an event-storming board: the words, one diagram per context, one table of all events.
//!
//! Everything comes from the registry, so `docs/event-model.md` is generated and a test fails when it drifts.

mod policy;

use std::fmt::Write;

use crate::domain::event::registry::{Context, Entry, MODEL};
use crate::sinks::cloud_event::wire_type;

/// The words of the design, one per idea.
const GLOSSARY: &[(&str, &str)] = &[
    ("Feature", "an issue that people want in production"),
    (
        "Link",
        "between a merge request and a feature: *contributes* or *closes*; at most one merge request closes a feature",
    ),
    (
        "Change set",
        "a merge request frozen at a head commit, on its way to the version",
    ),
    (
        "Validation",
        "a verdict (*validated* or *rejected*) on a feature by a role, bound to the content it judged",
    ),
    (
        "Role",
        "in whose name a person validates: product owner, product manager, QA...",
    ),
    ("Ticket", "a change set's place in the queue"),
    (
        "NRT environment",
        "the one place where candidates are tried (NRT: non-regression tests)",
    ),
    (
        "Candidate",
        "the exact commit under trial: the head of the target branch plus one or more change sets",
    ),
    ("Trial", "one deployment and test of a candidate"),
    (
        "Verdict",
        "*validated* or *rejected*, the latter possibly naming culprits",
    ),
    (
        "Lease",
        "the right to use the NRT environment, held by one run at a time",
    ),
    (
        "Version",
        "the ordered change sets landed since the last release: *open*, *closing* or *released*",
    ),
    (
        "Landing",
        "merging what was validated and appending it to the version",
    ),
    ("Alert", "a message to a person who must act"),
    (
        "Channel",
        "where a team reads messages beside GitLab: a chat room, a webhook, a command",
    ),
    (
        "Reminder",
        "a message that something has waited for long, to whoever can end that",
    ),
];

/// The colours of event storming, with dark text so that they read on any background.
const CLASSES: &str = "\
classDef event fill:#ffb74d,color:#111,stroke:#b36b00
classDef command fill:#90caf9,color:#111,stroke:#1565c0
classDef actor fill:#fff59d,color:#111,stroke:#a68b00
classDef policy fill:#d1a3e0,color:#111,stroke:#6a1b9a
classDef readmodel fill:#a5d6a7,color:#111,stroke:#2e7d32
";

/// The whole model as a Markdown document.
pub fn markdown() -> String {
    let mut text = String::from(
        "# The event model\n\n\
         Generated from the code by `trainyard model`; a test fails when this file and the code differ.\n\n\
         ## Words\n\n| word | meaning |\n|---|---|\n",
    );
    for (word, meaning) in GLOSSARY {
        line(&mut text, format_args!("| **{word}** | {meaning} |"));
    }
    text.push_str(
        "\n## Board\n\n\
         Yellow: who acts. Blue: what they ask. Orange: what happened. Lilac: whenever that happened, then. Green: what can be \
         looked up afterwards.\n",
    );
    for context in Context::ALL {
        line(
            &mut text,
            format_args!("\n### {}\n\n{}\n", context.name(), purpose(context)),
        );
        line(
            &mut text,
            format_args!("```mermaid\n{}```", diagram(context)),
        );
    }
    text.push_str(
        "\n## Events\n\nAn event travels as a CloudEvent of the type in the last column; its own fields are in `customData`.\n\n\
         | event | meaning | command | actor | whenever it happens, then | read models | wire type |\n|---|---|---|---|---|---|---|\n",
    );
    for entry in MODEL {
        let policies = entry.policies.join("; ");
        let row = [
            entry.fact,
            entry.meaning,
            entry.command,
            entry.actor,
            &policies,
            &entry.read_models.join(", "),
        ];
        let row = row.map(|cell| if cell.is_empty() { "-" } else { cell });
        line(
            &mut text,
            format_args!("| {} | `{}` |", row.join(" | "), wire_type(entry)),
        );
    }
    text.push_str(&policy::markdown());
    text
}

/// The flowchart of one context, as Mermaid code.
///
/// GitLab renders a diagram by itself only under 2,000 characters (see its `render_sandboxed_mermaid.js`).
fn diagram(context: Context) -> String {
    let mut board = Board::default();
    for entry in MODEL.iter().filter(|entry| entry.context == context) {
        board.place(entry);
    }
    let mut code = String::from("flowchart LR\n");
    for (index, (label, kind)) in board.notes.iter().enumerate() {
        line(
            &mut code,
            format_args!("n{index}[\"{}\"]:::{}", quoted(label), kind.class()),
        );
    }
    for (from, to) in &board.arrows {
        let arrow = match board.notes[*to].1 {
            Kind::ReadModel => "-.->",
            Kind::Event | Kind::Command | Kind::Actor | Kind::Policy => "-->",
        };
        line(&mut code, format_args!("n{from}{arrow}n{to}"));
    }
    code.push_str(CLASSES);
    code
}

/// The kinds of sticky notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Actor,
    Command,
    Event,
    Policy,
    ReadModel,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Command => "command",
            Self::Event => "event",
            Self::Policy => "policy",
            Self::ReadModel => "readmodel",
        }
    }
}

/// Sticky notes, each once, and the arrows between them.
#[derive(Default)]
struct Board {
    notes: Vec<(String, Kind)>,
    arrows: Vec<(usize, usize)>,
}

impl Board {
    fn place(&mut self, entry: &Entry) {
        let command = self.note(entry.command, Kind::Command);
        let event = self.note(entry.fact, Kind::Event);
        for actor in entry.actor.split(", ") {
            let (label, kind) = match actor.strip_prefix("policy: ") {
                Some(rule) => (rule, Kind::Policy),
                None if actor == "policy" => (actor, Kind::Policy),
                None => (actor, Kind::Actor),
            };
            let actor = self.note(label, kind);
            self.arrow(actor, command);
        }
        self.arrow(command, event);
        for policy in entry.policies {
            let policy = self.note(policy, Kind::Policy);
            self.arrow(event, policy);
        }
        for model in entry.read_models {
            let model = self.note(model, Kind::ReadModel);
            self.arrow(event, model);
        }
    }

    fn note(&mut self, label: &str, kind: Kind) -> usize {
        let known = self
            .notes
            .iter()
            .position(|(other, of)| other == label && *of == kind);
        known.unwrap_or_else(|| {
            self.notes.push((label.to_owned(), kind));
            self.notes.len() - 1
        })
    }

    fn arrow(&mut self, from: usize, to: usize) {
        if !self.arrows.contains(&(from, to)) {
            self.arrows.push((from, to));
        }
    }
}

fn purpose(context: Context) -> &'static str {
    match context {
        Context::Linking => "Which merge requests serve which feature.",
        Context::Validation => "People judge what a closing merge request brings.",
        Context::Integration => "Change sets wait for the NRT environment.",
        Context::Nrt => "One candidate at a time is deployed and tested.",
        Context::Versioning => "What was validated lands, is numbered, deployed and published.",
        Context::Notification => "People who must act are told, once.",
    }
}

/// A label in the quotes of Mermaid: nothing that ends them, nothing that it reads as Markdown or a list.
fn quoted(label: &str) -> String {
    let label = label.replace('"', "#quot;").replace(['`', '\n', '\\'], " ");
    if label.starts_with(|c: char| c.is_ascii_digit()) {
        format!("no. {label}")
    } else {
        label
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/event-model.md");

    /// `TRAINYARD_BLESS=1 cargo test --lib event_model` rewrites the file.
    #[test]
    fn the_committed_event_model_is_what_the_code_says() {
        #[expect(
            clippy::disallowed_methods,
            reason = "whether the file is to be rewritten"
        )]
        let bless = std::env::var_os("TRAINYARD_BLESS").is_some();
        if bless {
            std::fs::write(COMMITTED, markdown()).unwrap();
        }
        let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
        assert_eq!(
            committed,
            markdown(),
            "run `TRAINYARD_BLESS=1 cargo test --lib event_model`"
        );
    }

    #[test]
    fn gitlab_renders_every_diagram() {
        for context in Context::ALL {
            let code = diagram(context);
            assert!(code.len() < 2_000, "{}: {}", context.name(), code.len());
            assert!(!code.contains('`') && !code.contains("\\n"), "{code}");
            assert!(code.lines().count() < 100 && !code.contains("&"), "{code}");
        }
    }

    #[test]
    fn every_fact_is_in_one_diagram_and_in_the_table() {
        let text = markdown();
        for entry in MODEL {
            let node = format!("[\"{}\"]:::event", entry.fact);
            assert_eq!(text.matches(&node).count(), 1, "{node}");
            assert!(text.contains(&format!("| {} | {} |", entry.fact, entry.meaning)));
            assert!(text.contains(&wire_type(entry)));
        }
    }

    #[test]
    fn a_label_can_neither_end_its_quotes_nor_become_a_list() {
        assert_eq!(quoted("a \"b\" `c`\\n"), "a #quot;b#quot;  c  n");
        assert_eq!(quoted("1. first"), "no. 1. first");
    }
}
