//! The policy table of notification and the kinds of reminders, as Markdown.

use crate::domain::notification::policy::{Matter, Note, POLICY, Row, Tier, Who};
use crate::domain::notification::reminder::{Kind, Reminders};

/// Who is told what.
pub(super) fn markdown() -> String {
    let mut text = String::from(
        "\n## Who is told\n\nOne row for each event. A project's rules can change channels, mentions and urgency (`docs/notification.md`).\n\n\
         | event | asks for | of | on GitLab | in channels | ends alarms about | why |\n|---|---|---|---|---|---|---|\n",
    );
    for row in POLICY {
        let cells = [
            row.fact.to_owned(),
            asks(row).to_owned(),
            who(row.who).to_owned(),
            note(row.note).to_owned(),
            channels(row),
            ended(row),
            row.why.to_owned(),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text.push_str(
        "\n## Reminders\n\n| kind | when | of whom | first | then every | at most |\n|---|---|---|---|---|---|\n",
    );
    let usual = Reminders::default();
    for kind in Kind::ALL {
        let (when, whom) = kind.meaning();
        let cadence = usual.of(kind);
        text.push_str(&format!(
            "| `{}` | {when} | {whom} | {} h | {} h | {} |\n",
            kind.name(),
            cadence.after.as_hours(),
            cadence.every.as_hours(),
            cadence.most
        ));
    }
    text
}

fn asks(row: &Row) -> &'static str {
    match row.tier {
        Tier::Silent => "nothing",
        Tier::Edited => "a look",
        Tier::News => "a look",
        Tier::Alarm => "action",
    }
}

fn who(who: Who) -> &'static str {
    match who {
        Who::Nobody => "-",
        Who::Author => "author",
        Who::RoleHolders => "people of the roles",
        Who::ReleaseManagers => "who closed the version, or people who may release",
        Who::Contributors => {
            "who closed the version, or people who may release; authors and validators of what it held"
        }
    }
}

fn note(note: Note) -> &'static str {
    match note {
        Note::Nothing => "-",
        Note::Edited => "the note is edited",
        Note::Mention => "a new note mentions them",
    }
}

fn channels(row: &Row) -> String {
    let what = match row.tier {
        Tier::Silent | Tier::Edited if row.settles.is_empty() => return "-".to_owned(),
        Tier::Silent | Tier::Edited => "recovery",
        Tier::News if row.settles.is_empty() => "news",
        Tier::News => "news, recovery",
        Tier::Alarm => "alarm",
    };
    let once = row.raises.is_some_and(Matter::is_told_once);
    let once = if once { ", once until it is over" } else { "" };
    let urgent = if row.urgent { ", urgent" } else { "" };
    format!("{what}{once}{urgent}")
}

fn ended(row: &Row) -> String {
    let names: Vec<&str> = row
        .settles
        .iter()
        .map(|matter| match matter {
            Matter::ChangeSet => "the change set",
            Matter::Environment => "the environment",
            Matter::Trials => "trials without a verdict",
            Matter::Release => "the release",
            Matter::Channel => "the channel",
        })
        .collect();
    if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    }
}
