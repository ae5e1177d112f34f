//! What a project decides about its messages: which channels there are, what each is told, and when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::Time;

use super::calendar::Calendar;
use super::letter::Sort;
use super::policy::{self, Note, Tier};
use super::reminder::Reminders;
use crate::domain::event::Fact;
use crate::domain::ids::ChannelName;

/// What a project may say of one occasion, or of all of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// The channels that are told; all of them when not given.
    pub channels: Option<Vec<ChannelName>>,
    /// Whether the people who must act are mentioned on GitLab.
    pub mention: Option<bool>,
    /// Whether it goes out in quiet hours and without waiting for a digest.
    pub urgent: Option<bool>,
}

/// How one channel wants its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The time of day at which what is not urgent comes, all at once.
    pub digest: Option<Time>,
    /// The channel that is told when this one does not work.
    pub fallback: Option<ChannelName>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Quiet hours.
    pub calendar: Calendar,
    /// By occasion or group.
    pub rules: BTreeMap<String, Rule>,
    /// The channels.
    pub channels: BTreeMap<ChannelName, Wishes>,
    /// When who is reminded.
    pub reminders: Reminders,
}

/// How long a message is worth sending when a channel does not work.
pub const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The group of an occasion, for rules about all of it.
pub fn group(sort: Sort) -> &'static str {
    match sort {
        Sort::Alarm | Sort::Recovery | Sort::Test => "alarms",
        Sort::Reminder => "reminders",
        Sort::News => "news",
    }
}

/// Everything that a rule can be about: the groups, the facts that channels are told, the kinds of reminders.
pub fn occasions() -> BTreeSet<&'static str> {
    let facts = policy::POLICY
        .iter()
        .filter(|row| matches!(row.tier, Tier::Alarm | Tier::News))
        .map(|row| row.fact);
    let groups = [Sort::Alarm, Sort::News, Sort::Reminder].map(group);
    let reminders = super::reminder::Kind::ALL.map(super::reminder::Kind::name);
    facts.chain(groups).chain(reminders).collect()
}

impl Rules {
    /// Whether a channel is told of an occasion.
    pub fn tells(&self, channel: &ChannelName, occasion: &str, sort: Sort) -> bool {
        let named = self.said(occasion, sort, |rule| rule.channels.as_ref());
        named.is_none_or(|channels| channels.contains(channel))
    }

    /// Whether an occasion goes out at once, whatever the hour.
    pub fn is_urgent(&self, occasion: &str, sort: Sort) -> bool {
        let usual = policy::row_named(occasion).is_some_and(|row| row.urgent);
        self.said(occasion, sort, |rule| rule.urgent.as_ref())
            .copied()
            .unwrap_or(usual || sort == Sort::Test)
    }

    /// Whether people are mentioned on GitLab because of a fact.
    pub fn mentions(&self, fact: &Fact) -> bool {
        policy::row(fact).note == Note::Mention && self.mentions_of(fact.name(), Sort::Alarm)
    }

    /// The same for an occasion of any sort.
    pub fn mentions_of(&self, occasion: &str, sort: Sort) -> bool {
        self.said(occasion, sort, |rule| rule.mention.as_ref())
            .copied()
            .unwrap_or(true)
    }

    /// What the rule of the occasion says, or else that of its group.
    fn said<'a, T>(
        &'a self,
        occasion: &str,
        sort: Sort,
        of: impl Fn(&'a Rule) -> Option<&'a T>,
    ) -> Option<&'a T> {
        let rule = |name: &str| self.rules.get(name).and_then(&of);
        rule(occasion).or_else(|| rule(group(sort)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_an_occasion_beats_that_of_its_group() {
        let name = |text: &str| text.parse::<ChannelName>().unwrap();
        let to = |channels: &[&str]| Rule {
            channels: Some(channels.iter().map(|c| name(c)).collect()),
            ..Rule::default()
        };
        let rules = Rules {
            rules: BTreeMap::from([
                ("alarms".to_owned(), to(&["team"])),
                ("ReleaseFailed".to_owned(), to(&["team", "pager"])),
                (
                    "LeaseExpired".to_owned(),
                    Rule {
                        urgent: Some(true),
                        ..Rule::default()
                    },
                ),
            ]),
            ..Rules::default()
        };
        let tells = |channel, occasion, sort| rules.tells(&name(channel), occasion, sort);
        assert!(tells("team", "ChangeSetRejected", Sort::Alarm));
        assert!(!tells("pager", "ChangeSetRejected", Sort::Alarm));
        assert!(tells("pager", "ReleaseFailed", Sort::Alarm));
        assert!(
            tells("pager", "VersionReleased", Sort::News),
            "without a rule everybody is told"
        );
        assert!(!tells("pager", "LeaseExpired", Sort::Alarm));
        assert!(rules.is_urgent("LeaseExpired", Sort::Alarm));
        assert!(
            rules.is_urgent("ReleaseFailed", Sort::Alarm),
            "by the table"
        );
        assert!(!rules.is_urgent("ChangeSetRejected", Sort::Alarm));
    }
}
