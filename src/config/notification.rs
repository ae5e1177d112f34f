//! The section `notification`: channels, who is told what, quiet hours, digests, reminders.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::reading::Section;
use crate::domain::ids::{ChannelName, RoleName, UserName};
use crate::domain::notification::calendar::{Calendar, Quiet};
use crate::domain::notification::reminder::{Escalation, Kind, Reminders};
use crate::domain::notification::rules::{Rule, Rules, Wishes, occasions};

/// How a project's people are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// Who is told what, and when.
    pub rules: Rules,
    /// How each channel is reached.
    pub channels: BTreeMap<ChannelName, Reach>,
}

/// How a channel is reached. Addresses and secrets are never here: only the names of the CI variables that hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// An incoming webhook of a chat.
    Chat {
        /// Which chat.
        chat: Chat,
        /// The variable that holds its address.
        url_variable: String,
    },
    /// Any receiver of JSON.
    Webhook {
        /// The variable that holds its address.
        url_variable: String,
        /// The variable that holds the key for the signature.
        secret_variable: Option<String>,
    },
    /// A program that reads JSON on its standard input.
    Command {
        /// The program and its arguments; no shell reads them.
        command: Vec<String>,
        /// The variables that it may see.
        variables: Vec<String>,
    },
}

/// Chats whose format we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chat {
    /// Slack.
    Slack,
    /// Mattermost.
    Mattermost,
    /// Microsoft Teams, by a workflow.
    Teams,
}

/// What `kind` may be.
#[derive(Debug, Clone, Copy)]
enum Kinds {
    Chat(Chat),
    Webhook,
    Command,
}

pub(super) const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Notification {
    pub(super) fn read(s: &mut Section) -> Self {
        let mut rules = Rules {
            calendar: calendar(s),
            ..Rules::default()
        };
        let mut channels = BTreeMap::new();
        for (name, wishes, reach) in s.entries("channels", channel) {
            rules.channels.insert(name.clone(), wishes);
            channels.insert(name, reach);
        }
        let read = s.entries("rules", |occasion, s| {
            s.known_name(occasion, &occasions())?;
            let rule = Rule {
                channels: s.optional_ids("channels"),
                mention: s.flag("mention"),
                urgent: s.flag("urgent"),
            };
            Some((occasion.to_owned(), rule))
        });
        rules.rules = read.into_iter().collect();
        rules.reminders = reminders(s);
        Self { rules, channels }
    }

    /// Names of channels and roles that nothing defines.
    pub(super) fn contradictions(&self, roles: &BTreeSet<&RoleName>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut named = |path: String, channel: &ChannelName| {
            if !self.channels.contains_key(channel) {
                problems.push(format!(
                    "`{path}` names the channel `{channel}`, which `notification.channels` does not define"
                ));
            }
        };
        for (occasion, rule) in &self.rules.rules {
            for channel in rule.channels.iter().flatten() {
                named(format!("notification.rules.{occasion}.channels"), channel);
            }
        }
        for (name, wishes) in &self.rules.channels {
            if let Some(fallback) = &wishes.fallback {
                named(format!("notification.channels.{name}.fallback"), fallback);
            }
        }
        let escalations = Kind::ALL.map(|kind| (kind, &self.rules.reminders.of(kind).escalation));
        for (kind, escalation) in &escalations {
            for channel in escalation.iter().flat_map(|e| &e.channels) {
                let path = format!("notification.reminders.{}.escalate.channels", kind.name());
                named(path, channel);
            }
        }
        for (name, wishes) in &self.rules.channels {
            if wishes.fallback.as_ref() == Some(name) {
                problems.push(format!(
                    "`notification.channels.{name}.fallback` is the channel itself; name another one"
                ));
            }
        }
        for (kind, escalation) in escalations {
            for role in escalation.iter().flat_map(|e| &e.roles) {
                if !roles.contains(role) {
                    problems.push(format!(
                        "`notification.reminders.{}.escalate.roles` names the role `{role}`, which `roles` does not define",
                        kind.name()
                    ));
                }
            }
        }
        problems
    }
}

/// A time zone by its name.
pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).ok().ok_or_else(|| {
        format!("is `{text}`, which is no time zone this machine knows; write one such as `Europe/Paris` or `UTC` (the image needs the package `tzdata`)")
    })
}

fn calendar(s: &mut Section) -> Calendar {
    let zone = s.checked("zone", zone);
    let quiet = s.optional_section("quiet", |s| {
        let days: Vec<Weekday> = s.choices("days", &DAYS).into_iter().collect();
        let (from, to) = (s.time("from"), s.time("to"));
        if from.is_some() != to.is_some() {
            s.problem("needs both `from` and `to`, such as `'19:00'` and `'08:00'`");
        }
        if DAYS.iter().all(|(_, day)| days.contains(day)) {
            s.problem("has every day of the week in `days`: nothing would ever be sent");
        }
        if from.is_some() && from == to {
            s.problem("has the same `from` and `to`; leave both out, or name whole days in `days`");
        }
        Quiet {
            from: from.unwrap_or(Time::midnight()),
            to: to.unwrap_or(Time::midnight()),
            days,
        }
    });
    Calendar {
        zone: zone.unwrap_or(TimeZone::UTC),
        quiet,
    }
}

fn channel(name: &str, s: &mut Section) -> Option<(ChannelName, Wishes, Reach)> {
    let name = s.parse_key::<ChannelName>(name)?;
    let kinds = [
        ("slack", Kinds::Chat(Chat::Slack)),
        ("mattermost", Kinds::Chat(Chat::Mattermost)),
        ("teams", Kinds::Chat(Chat::Teams)),
        ("webhook", Kinds::Webhook),
        ("command", Kinds::Command),
    ];
    let kind = match s.choice("kind", &kinds) {
        Some(kind) => kind,
        None => {
            if !s.holds("kind") {
                s.problem("has no `kind`: `slack`, `mattermost`, `teams`, `webhook` or `command`");
            }
            s.ignore_the_rest();
            return None;
        }
    };
    let wishes = Wishes {
        digest: s.time("digest"),
        fallback: s.id("fallback"),
    };
    let reach = match kind {
        Kinds::Chat(chat) => Reach::Chat {
            chat,
            url_variable: address(s),
        },
        Kinds::Webhook => Reach::Webhook {
            url_variable: address(s),
            secret_variable: s.checked("secret_variable", variable_name),
        },
        Kinds::Command => {
            let command = s.texts("command");
            if command.is_empty() {
                s.problem(
                    "needs `command`, a list such as `[scripts/page.sh, --now]`; no shell reads it",
                );
            }
            let variables = s.ids::<VariableName>("variables");
            Reach::Command {
                command,
                variables: variables.into_iter().map(|name| name.0).collect(),
            }
        }
    };
    Some((name, wishes, reach))
}

fn address(s: &mut Section) -> String {
    match s.checked("url_variable", variable_name) {
        Some(name) => name,
        None => {
            if !s.holds("url_variable") {
                s.problem("needs `url_variable`: the name of the protected CI variable that holds the address, such as `CHAT_URL`");
            }
            String::new()
        }
    }
}

/// The name of a CI variable that a channel may use: none of GitLab's own, and none of our tokens.
struct VariableName(String);

impl std::str::FromStr for VariableName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        variable_name(text)
            .map(Self)
            .map_err(|why| format!("it {why}"))
    }
}

fn variable_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text.len() <= 255
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fits {
        let shown: String = text.chars().take(12).collect();
        let why = if text.contains("://") {
            "is an address; put it into a protected CI variable, and its name here, so that it stands in no file".to_owned()
        } else {
            format!("is `{shown}`, which is no name of a CI variable (letters, digits and `_`)")
        };
        return Err(why);
    }
    let ours = [
        "TRAINYARD_TOKEN",
        "TRAINYARD_GATE_TOKEN",
        "TRAINYARD_TRIGGER_TOKEN",
    ];
    if ours.contains(&text) || text.starts_with("CI_") || text.starts_with("GITLAB_") {
        return Err(format!(
            "is `{text}`, which is not for channels: tokens of GitLab stay with GitLab"
        ));
    }
    Ok(text.to_owned())
}

fn reminders(s: &mut Section) -> Reminders {
    let mut reminders = Reminders::default();
    s.section("reminders", |s| {
        for kind in Kind::ALL {
            let Some(change) = s.optional_section(kind.name(), |s| {
                let (after, every) = (s.duration("after"), s.duration("every"));
                let most = s.number("most", 0..=20);
                let escalation = s.optional_section("escalate", |s| {
                    let after = s.duration("after");
                    if after.is_none() && !s.holds("after") {
                        s.problem("needs `after`, such as `3d`");
                    }
                    let users: BTreeSet<UserName> = s.ids("users").into_iter().collect();
                    let (roles, channels) = (s.ids("roles"), s.ids("channels"));
                    if users.is_empty() && roles.is_empty() && channels.is_empty() {
                        s.problem("tells nobody: give it `users`, `roles` or `channels`");
                    }
                    Escalation {
                        after: after.unwrap_or_default(),
                        users,
                        roles,
                        channels,
                    }
                });
                (after, every, most, escalation)
            }) else {
                continue;
            };
            let (after, every, most, escalation) = change;
            reminders.set(kind, |cadence| {
                cadence.after = after.unwrap_or(cadence.after);
                cadence.every = every.unwrap_or(cadence.every);
                cadence.most = most.unwrap_or(cadence.most);
                cadence.escalation = escalation;
            });
        }
    });
    reminders
}

#[cfg(test)]
mod tests;
