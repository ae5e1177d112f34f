//! Who says whether a trial passed, and what a rejection does to each of its change sets. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::event::Fact;
use super::ids::{MergeRequestId, ProjectPath, RoleName, TrialId, UserName};
use super::integration::ChangeSet;
use super::naming::{FailedCase, Named, Naming};
use super::nrt::Trial;
use super::trials::{Policy, Verdict};
use super::validation::Player;
use super::yard::Yard;

/// How many failing cases are kept of a change set.
const MOST_CASES: usize = 5;

/// The warning by which the log knows that people were asked for their verdict on a trial.
pub const ASKED: &str = "verdict asked";

/// Who decides whether a trial passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DecidedBy {
    /// The project's jobs.
    #[default]
    Tests,
    /// A person, as soon as the candidate is deployed; tests inform.
    Person,
    /// The project's jobs must pass, and then a person decides.
    Both,
}

impl DecidedBy {
    /// Whether nothing lands before a person has validated it.
    pub fn asks_a_person(self) -> bool {
        match self {
            Self::Tests => false,
            Self::Person | Self::Both => true,
        }
    }
}

/// A merge request as people name it: `!34`, `34` or `group/project!34`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    project: Option<ProjectPath>,
    iid: u64,
}

/// Why a text names no merge request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCulprit;

impl fmt::Display for NoCulprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a merge request, such as `!34`")
    }
}

impl std::error::Error for NoCulprit {}

impl FromStr for Culprit {
    type Err = NoCulprit;

    fn from_str(text: &str) -> Result<Self, NoCulprit> {
        let (project, number) = match text.trim().rsplit_once('!') {
            Some(("", number)) => (None, number),
            Some((project, number)) => {
                let project = project.parse().ok().ok_or(NoCulprit)?;
                (Some(project), number)
            }
            None => (None, text.trim()),
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let iid = number.parse().ok().filter(|_| digits).ok_or(NoCulprit)?;
        Ok(Self { project, iid })
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.project {
            Some(project) => write!(f, "{project}!{}", self.iid),
            None => write!(f, "!{}", self.iid),
        }
    }
}

/// Reads culprits as a person writes them: separated by commas, spaces or both.
///
/// # Errors
/// The first word that is none.
pub fn culprits(text: &str) -> Result<Vec<Culprit>, String> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().ok().ok_or_else(|| word.to_owned()))
        .collect()
}

/// The change sets of a trial that a person names.
///
/// # Errors
/// Those named that are not in it.
pub fn in_trial(trial: &Trial, named: &[Culprit]) -> Result<Vec<MergeRequestId>, Vec<Culprit>> {
    let is = |id: &MergeRequestId, culprit: &Culprit| {
        id.iid == culprit.iid && culprit.project.as_ref().is_none_or(|p| *p == id.project)
    };
    let strangers: Vec<Culprit> = named
        .iter()
        .filter(|culprit| !trial.change_sets.iter().any(|id| is(id, culprit)))
        .cloned()
        .collect();
    if !strangers.is_empty() {
        return Err(strangers);
    }
    let meant = |id: &&MergeRequestId| named.iter().any(|culprit| is(id, culprit));
    Ok(trial.change_sets.iter().filter(meant).cloned().collect())
}

/// Why somebody's verdict does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayNot {
    /// The player holds none of the roles.
    NotInRole,
    /// The player is a bot, a token's user or a service account.
    IsBot,
    /// The player's account is blocked or deactivated.
    NotActive,
}

/// Whether a person may say whether a trial passed. Without roles GitLab decides, by who may run jobs of the protected branch.
/// `own` is the user behind our own token: a bot, even where GitLab takes it for a person.
///
/// # Errors
/// Why not.
pub fn may_decide(
    player: &Player,
    own: &UserName,
    roles: &[RoleName],
    holders: &BTreeSet<UserName>,
) -> Result<(), MayNot> {
    if player.bot || player.name == *own {
        Err(MayNot::IsBot)
    } else if !player.active {
        Err(MayNot::NotActive)
    } else if !roles.is_empty() && !holders.contains(&player.name) {
        Err(MayNot::NotInRole)
    } else {
        Ok(())
    }
}

/// What was decided about a trial before, according to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Undecided,
    /// It may land.
    Validated,
    /// It may not.
    Rejected,
}

/// What the log says about a trial.
pub fn before(yard: &Yard, trial: TrialId) -> Before {
    if yard.rejected == Some(trial) {
        return Before::Rejected;
    }
    let landed = yard.versions.content.iter().any(|a| a.trial == trial);
    let current = yard
        .nrt
        .trial
        .as_ref()
        .filter(|current| current.id == trial);
    if landed || current.is_some_and(|current| current.validated) {
        Before::Validated
    } else {
        Before::Undecided
    }
}

/// A rejection, with what people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Whom it names.
    pub verdict: Verdict<MergeRequestId>,
    /// Why, in one line; untrusted.
    pub reason: String,
    /// Where it can be seen: the address of a job.
    pub evidence: String,
    /// What the reports say.
    pub naming: Option<Naming>,
}

impl Rejection {
    /// By the project's jobs, one of which failed.
    pub fn by_tests(job: &str, evidence: String, naming: Naming) -> Self {
        let verdict = match &naming.named {
            Named::Guilty(named) => Verdict::Rejected {
                named: named.clone(),
            },
            Named::Suspected(among) => Verdict::Suspected {
                among: among.clone(),
            },
            Named::Nobody(_) => Verdict::Rejected { named: Vec::new() },
        };
        Self {
            verdict,
            reason: format!("`{job}` failed"),
            evidence,
            naming: Some(naming),
        }
    }

    /// The failing cases that a change set is told of.
    pub fn cases(&self, id: &MergeRequestId) -> Vec<&FailedCase> {
        let naming = self.naming.iter();
        naming.flat_map(|naming| naming.cases_of(id)).collect()
    }
}

/// What a rejection comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// What is recorded, in one entry.
    pub facts: Vec<Fact>,
    /// Who leaves the queue.
    pub left: Vec<ChangeSet>,
    /// Who waits again.
    pub again: Vec<ChangeSet>,
}

/// Works out whom a rejection costs the place in the queue; everybody else of the trial waits again.
pub fn reject(yard: &Yard, trial: &Trial, rejection: &Rejection, policy: &Policy) -> Rejected {
    let verdict = &rejection.verdict;
    let (conclusion, _) = yard.search.conclude(&trial.change_sets, verdict, policy);
    let leaves = |id: &MergeRequestId| conclusion.reject.iter().any(|(other, _)| other == id);
    let named: &[MergeRequestId] = match verdict {
        Verdict::Rejected { named } => named,
        Verdict::Suspected { among } => among,
        Verdict::Validated => &[],
    };
    let culprit = |id: &&MergeRequestId| named.contains(id) || leaves(id);
    let mut rejected = Rejected {
        facts: vec![Fact::TrialRejected {
            trial: trial.id,
            culprits: trial.change_sets.iter().filter(culprit).cloned().collect(),
            evidence: rejection.evidence.clone(),
        }],
        ..Rejected::default()
    };
    for id in &trial.change_sets {
        let Some(ticket) = yard.queue.ticket(id) else {
            continue;
        };
        let change_set = ticket.change_set.clone();
        if !leaves(id) {
            rejected.again.push(change_set);
            continue;
        }
        let cases = rejection.cases(id);
        rejected.facts.push(Fact::ChangeSetRejected {
            merge_request: id.clone(),
            head: change_set.head.clone(),
            trial: trial.id,
            reason: rejection.reason.clone(),
            evidence: Some(rejection.evidence.clone()),
            failures: cases
                .iter()
                .take(MOST_CASES)
                .map(|case| case.line())
                .collect(),
        });
        rejected.left.push(change_set);
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn culprits_are_read_as_people_write_them() {
        let read = |text| {
            culprits(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            read("!34, 35 shop/web!36").unwrap(),
            ["!34", "!35", "shop/web!36"]
        );
        assert_eq!(read(" ").unwrap(), Vec::<String>::new());
        for bad in ["ana", "!", "!x", "!!3", "#34", "+4", "!-3", "a b!3"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_person_of_the_role_decides_and_no_bot_ever() {
        let player = |name: &str, bot, active| Player {
            name: name.parse().unwrap(),
            bot,
            active,
            pressed_at: None,
        };
        let qa: Vec<RoleName> = vec!["qa".parse().unwrap()];
        let holders = BTreeSet::from(["quentin".parse().unwrap(), "robot".parse().unwrap()]);
        let own: UserName = "trainyard".parse().unwrap();
        let of_role = |player: &Player| may_decide(player, &own, &qa, &holders);
        assert_eq!(of_role(&player("quentin", false, true)), Ok(()));
        assert_eq!(of_role(&player("ana", false, true)), Err(MayNot::NotInRole));
        assert_eq!(of_role(&player("robot", true, true)), Err(MayNot::IsBot));
        assert_eq!(
            of_role(&player("quentin", false, false)),
            Err(MayNot::NotActive)
        );
        let nobody = BTreeSet::new();
        let anybody = |player: &Player| may_decide(player, &own, &[], &nobody);
        assert_eq!(anybody(&player("ana", false, true)), Ok(()));
        for bot in [
            player("robot", true, true),
            player("trainyard", false, true),
        ] {
            assert_eq!(anybody(&bot), Err(MayNot::IsBot));
        }
    }
}
