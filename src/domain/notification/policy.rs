//! The one policy table: for every fact, who is told, and how. Printed in `docs/notification.md`; a fact without a row does
//! not compile.

use serde::{Deserialize, Serialize};

use crate::domain::event::{Fact, Subject};

/// How much a fact asks of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tier {
    /// Nothing: it is in the log and in the statistics.
    Silent,
    /// To be looked up: the note that is there says it.
    Edited,
    /// Good to know: channels are told.
    News,
    /// Somebody must act.
    Alarm,
}

/// Whom it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Nobody by name.
    Nobody,
    /// The author of the merge request.
    Author,
    /// The people of the roles that are asked.
    RoleHolders,
    /// Whoever closed the version, or else the people who may release.
    ReleaseManagers,
    /// The same, and everybody who wrote or validated what is in the version.
    Contributors,
}

/// What is done on GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Nothing.
    Nothing,
    /// The note on the merge request (or on the feature) is edited: nobody gets an e-mail.
    Edited,
    /// A new note mentions who must act: GitLab sends an e-mail.
    Mention,
}

/// What an alarm is about, for its end to be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Matter {
    /// One change set.
    ChangeSet,
    /// The NRT environment.
    Environment,
    /// Trials that end without a verdict.
    Trials,
    /// The release.
    Release,
    /// One channel.
    Channel,
}

impl Matter {
    /// Whether an alarm is raised once until it has ended: more of the same says nothing new.
    pub fn is_told_once(self) -> bool {
        match self {
            Self::Environment | Self::Trials | Self::Channel => true,
            Self::ChangeSet | Self::Release => false,
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The fact.
    pub fact: &'static str,
    /// How much it asks.
    pub tier: Tier,
    /// Of whom.
    pub who: Who,
    /// On GitLab.
    pub note: Note,
    /// Whether it goes out in quiet hours too, unless the project says otherwise.
    pub urgent: bool,
    /// What it is an alarm about.
    pub raises: Option<Matter>,
    /// The alarms that it ends: whoever got one of them is told.
    pub settles: &'static [Matter],
    /// Why it is so, in one sentence.
    pub why: &'static str,
}

macro_rules! policy {
    ($($fact:ident: $tier:ident, $who:ident, $note:ident, urgent $urgent:literal, raises $raises:expr,
        settles [$($settled:ident),*], $why:literal;)*) => {
        /// All rows, in the order of the story.
        pub const POLICY: &[Row] = &[$(Row {
            fact: stringify!($fact),
            tier: Tier::$tier,
            who: Who::$who,
            note: Note::$note,
            urgent: $urgent,
            raises: $raises,
            settles: &[$(Matter::$settled),*],
            why: $why,
        }),*];

        /// The name under which a fact stands in the table.
        fn name_in_table(fact: &Fact) -> &'static str {
            match fact {
                $(Fact::$fact { .. } => stringify!($fact),)*
            }
        }
    };
}

policy! {
    FeatureLinked: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "The job log and the notes say it.";
    FeatureUnlinked: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "The author just did it.";
    LinkRefused: Edited, Author, Edited, urgent false, raises None, settles [],
        "The author is at work on it, and reads the note and the failed job.";
    ValidationRequested: Edited, RoleHolders, Edited, urgent false, raises None, settles [],
        "Every push asks again; the note names the people, and `remind` mentions them when they do not answer.";
    FeatureValidated: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "The note says it.";
    FeatureRejected: Alarm, Author, Mention, urgent false, raises Some(Matter::ChangeSet), settles [],
        "The author must change something.";
    ValidationLapsed: Edited, RoleHolders, Edited, urgent false, raises None, settles [],
        "As for a request: the note names who is asked again.";
    ChangeSetQueued: Edited, Author, Edited, urgent false, raises None, settles [],
        "The author just asked for it: nobody is told of earlier trouble any more.";
    ChangeSetWithdrawn: Alarm, Author, Mention, urgent false, raises Some(Matter::ChangeSet), settles [],
        "It left the queue, perhaps by somebody else's hand; the author must ask again.";
    ChangeSetHeld: Alarm, Author, Mention, urgent false, raises Some(Matter::ChangeSet), settles [],
        "It waits by somebody's order, perhaps for the author to act; whoever holds their own is not told.";
    ChangeSetUnheld: Edited, Author, Edited, urgent false, raises None, settles [],
        "Nobody must act: it goes on by itself.";
    ChangeSetForced: News, Author, Edited, urgent false, raises None, settles [],
        "Everybody who waits is overtaken, and may want to know why.";
    QueuePaused: News, Nobody, Edited, urgent false, raises None, settles [],
        "Everybody who waits reads it on the merge request; nobody but whoever paused it can act.";
    QueueResumed: News, Nobody, Edited, urgent false, raises None, settles [],
        "It goes on by itself.";
    LeaseGranted: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Daily business.";
    ChangeSetUnqueued: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Daily business.";
    ChangeSetRebased: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "GitLab shows it on the merge request.";
    ChangeSetConflicted: Alarm, Author, Mention, urgent false, raises Some(Matter::ChangeSet), settles [],
        "Only the author can rebase it.";
    TrialStarted: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Daily business.";
    TrialValidated: Silent, Nobody, Nothing, urgent false, raises None, settles [Trials],
        "What follows is told: its change sets land.";
    TrialRejected: Silent, Nobody, Nothing, urgent false, raises None, settles [Trials],
        "What follows is told: change sets are rejected.";
    TrialAbandoned: Alarm, Nobody, Nothing, urgent false, raises Some(Matter::Trials), settles [],
        "When the environment, not the change, is to blame, whoever looks after it must look; told once until a trial has a verdict.";
    ChangeSetRejected: Alarm, Author, Mention, urgent false, raises Some(Matter::ChangeSet), settles [],
        "The author must push a fix.";
    LeaseReleased: Silent, Nobody, Nothing, urgent false, raises None, settles [Environment],
        "Daily business.";
    LeaseExpired: Alarm, Nobody, Nothing, urgent false, raises Some(Matter::Environment), settles [],
        "A run died while it held the environment: whoever looks after it must look; told once until it is given back in order.";
    LeaseBroken: Alarm, Nobody, Nothing, urgent false, raises Some(Matter::Environment), settles [],
        "A person says that something hung: whoever looks after the environment must look; told once until it is given back in order.";
    EnvironmentStuck: Alarm, Nobody, Nothing, urgent false, raises Some(Matter::Environment), settles [],
        "Nothing moves until somebody kicks it; told once until the environment is given back in order.";
    StateRepaired: News, Nobody, Nothing, urgent false, raises None, settles [],
        "Whoever repaired it knows; the others may wonder why numbers jump.";
    ChangeSetMerged: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "What follows is told: it is in the version.";
    LandedUntested: Alarm, Author, Mention, urgent true, raises Some(Matter::ChangeSet), settles [],
        "Nobody tested what the target holds now: the author must look at the difference.";
    SourceBranchesSettled: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Whoever asked for it sees that the branch is gone.";
    ChangeSetAppended: News, Author, Edited, urgent false, raises None, settles [ChangeSet],
        "Nobody must act; whoever was told of its trouble is told that it is over.";
    VersionClosed: News, Nobody, Nothing, urgent false, raises None, settles [],
        "The team may want to know that a release has begun.";
    VersionOpened: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "It follows from the release.";
    ReleaseTaken: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Bookkeeping: the job says it.";
    VersionDeployed: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "What follows is told: the version is released.";
    VersionReleased: News, Nobody, Edited, urgent false, raises None, settles [Release],
        "Everybody wants to know; the notes on merge requests and features say it too.";
    VersionAnnounced: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Bookkeeping: whoever it concerns was told just before.";
    ReleaseFailed: Alarm, ReleaseManagers, Mention, urgent true, raises Some(Matter::Release), settles [],
        "Production may be half deployed.";
    VersionWithdrawn: Alarm, Contributors, Mention, urgent true, raises Some(Matter::Release), settles [],
        "Production goes back, and what they wrote or validated is out no more; somebody must mend it.";
    HotfixAsked: News, Nobody, Edited, urgent false, raises None, settles [],
        "The team may want to know that something goes out before its turn, and why; its authors are named on the merge request.";
    ContributorWarned: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "It is the warning.";
    ChannelOpened: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "The configuration says it.";
    DeliveryStarted: Silent, Nobody, Nothing, urgent false, raises None, settles [],
        "Bookkeeping of the outbox.";
    DeliverySucceeded: Silent, Nobody, Nothing, urgent false, raises None, settles [Channel],
        "Bookkeeping; the fallback channel learns that a channel works again.";
    DeliveryFailed: Alarm, Nobody, Nothing, urgent true, raises Some(Matter::Channel), settles [],
        "The job log says it once, and the channel's fallback, where one is configured.";
}

/// The row of a fact.
pub fn row(fact: &Fact) -> &'static Row {
    let name = name_in_table(fact);
    POLICY
        .iter()
        .find(|row| row.fact == name)
        .expect("the table and its names come from the same macro")
}

/// The row of a fact's name.
pub fn row_named(name: &str) -> Option<&'static Row> {
    POLICY.iter().find(|row| row.fact == name)
}

/// The one thing that an alarm is about: the matter, and which one of its kind.
pub type About = (Matter, String);

/// What this fact is an alarm about, if it is one.
pub fn raised_by(fact: &Fact) -> Option<About> {
    if let Fact::TrialAbandoned { reason, .. } = fact
        && !reason.is_fruitless()
    {
        return None;
    }
    row(fact).raises.map(|matter| about(matter, fact))
}

/// The alarms that this fact ends.
pub fn settled_by(fact: &Fact) -> Vec<About> {
    row(fact)
        .settles
        .iter()
        .map(|matter| about(*matter, fact))
        .collect()
}

fn about(matter: Matter, fact: &Fact) -> About {
    let which = match (matter, fact.subject()) {
        (Matter::ChangeSet, subject @ Subject::MergeRequest(_))
        | (Matter::Channel, subject @ Subject::Channel(_)) => subject.to_string(),
        (
            Matter::ChangeSet
            | Matter::Channel
            | Matter::Environment
            | Matter::Trials
            | Matter::Release,
            Subject::MergeRequest(_)
            | Subject::Environment
            | Subject::Trial(_)
            | Subject::Version(_)
            | Subject::Channel(_),
        ) => String::new(),
    };
    (matter, which)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::registry::MODEL;

    #[test]
    fn the_table_holds_the_facts_of_the_model_in_its_order() {
        let of_model: Vec<&str> = MODEL.iter().map(|entry| entry.fact).collect();
        let of_table: Vec<&str> = POLICY.iter().map(|row| row.fact).collect();
        assert_eq!(of_table, of_model);
    }

    #[test]
    fn a_mention_is_for_somebody_who_must_act_and_every_alarm_can_end() {
        for row in POLICY {
            if row.note == Note::Mention {
                assert!(row.tier == Tier::Alarm && row.who != Who::Nobody, "{row:?}");
            }
            assert_eq!(row.tier == Tier::Alarm, row.raises.is_some(), "{row:?}");
            if let Some(matter) = row.raises {
                assert!(
                    POLICY.iter().any(|other| other.settles.contains(&matter)),
                    "{row:?}"
                );
            }
        }
    }
}
