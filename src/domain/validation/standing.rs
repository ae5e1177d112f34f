//! Where each role stands, and what all of them amount to.

use super::plays::Run;
use crate::domain::ids::RoleName;
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Asked, Verdict};

/// Why a run of a validation job is not a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetAside {
    /// The player does not hold the role.
    NotInRole,
    /// The player wrote the merge request.
    IsAuthor,
    /// The player wrote commits of the merge request.
    IsCommitter,
    /// The player has validated it in another role, and the project wants different people.
    SamePerson {
        /// The role that this person's validation counts for.
        role: RoleName,
    },
    /// The player is a bot.
    IsBot,
    /// The player's account is blocked or deactivated.
    NotActive,
    /// The player's account is gone.
    Gone,
    /// Nobody pressed play.
    ByItself,
    /// It did not run in a pipeline of this merge request in this project.
    Elsewhere,
    /// It judged another content.
    OtherContent,
    /// The configuration knows no such role.
    UnknownRole,
    /// This merge request does not need the role's verdict.
    NotAsked,
}

/// Where one role stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its latest verdict on this content validates.
    Validated(Verdict),
    /// Its latest verdict on this content rejects.
    Rejected(Verdict),
    /// It has given no verdict on this content; it may have on an earlier one.
    Awaited { lapsed: Option<Verdict> },
}

impl Standing {
    /// A verdict that held on an earlier content.
    pub fn lapsed(&self) -> Option<&Verdict> {
        match self {
            Self::Awaited { lapsed } => lapsed.as_ref(),
            Self::Validated(_) | Self::Rejected(_) => None,
        }
    }

    /// The verdict that holds.
    pub fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Validated(verdict) | Self::Rejected(verdict) => Some(verdict),
            Self::Awaited { .. } => None,
        }
    }
}

/// Where every required role stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// In the order of the configuration.
    pub standings: Vec<(Asked, Standing)>,
    /// Runs that are not verdicts, and why; newest last.
    pub set_aside: Vec<(Run, SetAside)>,
    /// Verdicts that people gave in their role on earlier contents; newest last.
    pub earlier: Vec<Verdict>,
}

impl Judgement {
    /// Passes when every role validated; any standing rejection refuses; otherwise waits for the roles named.
    pub fn ruling(&self) -> Ruling<Vec<RoleName>, Verdict> {
        let rejections: Vec<Verdict> = self.rejections().cloned().collect();
        if !rejections.is_empty() {
            return Ruling::Refuse(rejections);
        }
        let awaited: Vec<RoleName> = self.awaited().cloned().collect();
        if awaited.is_empty() {
            Ruling::Pass
        } else {
            Ruling::Wait(awaited)
        }
    }

    /// The rejections that stand.
    pub fn rejections(&self) -> impl Iterator<Item = &Verdict> {
        self.standings
            .iter()
            .filter_map(|(_, standing)| match standing {
                Standing::Rejected(verdict) => Some(verdict),
                Standing::Validated(_) | Standing::Awaited { .. } => None,
            })
    }

    /// The roles that have given no verdict on this content.
    pub fn awaited(&self) -> impl Iterator<Item = &RoleName> {
        self.standings
            .iter()
            .filter(|(_, standing)| standing.verdict().is_none())
            .map(|(asked, _)| &asked.role)
    }

    /// The verdicts that hold, validations and rejections alike.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.standings
            .iter()
            .filter_map(|(_, standing)| standing.verdict().cloned())
            .collect()
    }
}
