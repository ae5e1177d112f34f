//! From GitLab's records of jobs to where each role stands: who may decide, and which run counts.

use std::collections::{BTreeMap, BTreeSet};

use super::plays::{Play, Run, Way};
use super::standing::{Judgement, SetAside, Standing};
use super::{Asked, Decision, Verdict};
use crate::domain::ids::{CommitSha, RoleName, UserName};

/// Who may decide, as the project configured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// Whether the author's own verdict counts.
    pub author: bool,
    /// Whether the verdict of somebody who wrote commits of the merge request counts.
    pub committers: bool,
    /// Whether one person may validate in several roles.
    pub several_roles: bool,
}

/// The people that the rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Concerned<'a> {
    /// Who holds each required role.
    pub holders: &'a BTreeMap<RoleName, BTreeSet<UserName>>,
    /// Who wrote the merge request.
    pub author: &'a UserName,
    /// Who wrote its commits, as far as GitLab knows them; looked at only where committers may not validate.
    pub committers: &'a BTreeSet<UserName>,
    /// The user behind our own token: a bot, even where GitLab takes it for a person.
    pub own: Option<&'a UserName>,
    /// What the project allows.
    pub who: Who,
}

/// Everything the validation rule needs to know.
#[derive(Debug, Clone)]
pub struct ValidationFacts<'a> {
    /// Roles whose verdict is required.
    pub asked: &'a [Asked],
    /// All roles that the configuration defines.
    pub defined: &'a [RoleName],
    /// The people.
    pub people: Concerned<'a>,
    /// Commits whose content is the one under question: the head, and earlier heads with the same patch id.
    pub content: &'a BTreeSet<CommitSha>,
    /// All runs that GitLab knows of, in any order.
    pub runs: &'a [Run],
}

/// Whether a person may give a verdict for a role.
fn may_decide(player: &UserName, role: &RoleName, people: &Concerned<'_>) -> Result<(), SetAside> {
    let holders = people.holders.get(role).ok_or(SetAside::UnknownRole)?;
    if people.own == Some(player) {
        Err(SetAside::IsBot)
    } else if !holders.contains(player) {
        Err(SetAside::NotInRole)
    } else if player == people.author && !people.who.author {
        Err(SetAside::IsAuthor)
    } else if player != people.author
        && people.committers.contains(player)
        && !people.who.committers
    {
        Err(SetAside::IsCommitter)
    } else {
        Ok(())
    }
}

/// Weighs every run: the latest verdict of a role on this content counts.
pub fn judge(facts: &ValidationFacts<'_>) -> Judgement {
    let mut runs: Vec<&Run> = facts.runs.iter().collect();
    runs.sort_by_key(|run| run.order());
    let mut judgement = Judgement::default();
    let mut latest: BTreeMap<&RoleName, Standing> = BTreeMap::new();
    for run in runs {
        let role = &run.play.role;
        match weigh(run, facts, &latest) {
            Ok(verdict) => {
                let standing = match verdict.decision {
                    Decision::Validate => Standing::Validated(verdict),
                    Decision::Reject => Standing::Rejected(verdict),
                };
                latest.insert(role, standing);
            }
            Err((why, earlier)) => {
                if let Some(verdict) = earlier.map(|verdict| *verdict) {
                    if latest
                        .get(role)
                        .is_none_or(|standing| standing.verdict().is_none())
                    {
                        let lapsed = Some(verdict.clone());
                        latest.insert(role, Standing::Awaited { lapsed });
                    }
                    judgement.earlier.push(verdict);
                }
                judgement.set_aside.push((run.clone(), why));
            }
        }
    }
    judgement.standings = facts
        .asked
        .iter()
        .map(|asked| {
            let standing = latest.remove(&asked.role);
            (
                asked.clone(),
                standing.unwrap_or(Standing::Awaited { lapsed: None }),
            )
        })
        .collect();
    judgement
}

/// A verdict; or why not, with the verdict that it is on another content.
fn weigh(
    run: &Run,
    facts: &ValidationFacts<'_>,
    latest: &BTreeMap<&RoleName, Standing>,
) -> Result<Verdict, (SetAside, Option<Box<Verdict>>)> {
    let play = &run.play;
    let no = |why| Err((why, None));
    match play.way {
        Way::ByHand => {}
        Way::ByItself => return no(SetAside::ByItself),
        Way::Elsewhere => return no(SetAside::Elsewhere),
    }
    if !facts.defined.contains(&play.role) {
        return no(SetAside::UnknownRole);
    }
    if !facts.asked.iter().any(|asked| asked.role == play.role) {
        return no(SetAside::NotAsked);
    }
    let Some(player) = &run.player else {
        return no(SetAside::Gone);
    };
    if player.bot {
        return no(SetAside::IsBot);
    }
    if !player.active {
        return no(SetAside::NotActive);
    }
    if let Err(why) = may_decide(&player.name, &play.role, &facts.people) {
        return no(why);
    }
    let verdict = Verdict {
        role: play.role.clone(),
        decision: play.decision,
        by: player.name.clone(),
        at: play.at,
        commit: play.commit.clone(),
        job: play.job,
    };
    if !facts.content.contains(&play.commit) {
        return Err((SetAside::OtherContent, Some(Box::new(verdict))));
    }
    if !facts.people.who.several_roles
        && let Some(role) = other_role(&verdict, latest)
    {
        return no(SetAside::SamePerson { role });
    }
    Ok(verdict)
}

/// The other role in which the same person's validation stands; a rejection always counts.
fn other_role(verdict: &Verdict, latest: &BTreeMap<&RoleName, Standing>) -> Option<RoleName> {
    let stands = |standing: &Standing| matches!(standing, Standing::Validated(v) if v.by == verdict.by && v.role != verdict.role);
    let other = latest.values().find(|standing| stands(standing));
    match verdict.decision {
        Decision::Validate => other
            .and_then(Standing::verdict)
            .map(|verdict| verdict.role.clone()),
        Decision::Reject => None,
    }
}

/// Divides the plays into those whose user must be known at once and those that matter only if a role is still awaited then:
/// what happened on an earlier commit before the last play on the head can unseat nothing.
pub fn first_look(plays: &[Play], asked: &[Asked], head: &CommitSha) -> (Vec<Play>, Vec<Play>) {
    let counts =
        |play: &&Play| play.way == Way::ByHand && asked.iter().any(|asked| asked.role == play.role);
    plays.iter().filter(counts).cloned().partition(|play| {
        let newest_on_head = plays
            .iter()
            .filter(counts)
            .filter(|other| other.role == play.role && other.commit == *head)
            .map(|other| other.pressed_at)
            .max();
        play.commit == *head || newest_on_head.is_none_or(|newest| play.pressed_at >= newest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::JobId;
    use crate::domain::ids::PipelineId;
    use crate::domain::ruling::Ruling;
    use crate::domain::validation::Because;
    use crate::domain::validation::plays::Player;
    use Decision::{Reject, Validate};
    use jiff::Timestamp;

    fn role(name: &str) -> RoleName {
        name.parse().unwrap()
    }

    fn sha(digit: char) -> CommitSha {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn run(job: u64, name: &str, decision: Decision, player: &str, commit: char) -> Run {
        let at = Timestamp::from_second(1_800_000_000 + i64::try_from(job).unwrap()).unwrap();
        Run {
            play: Play {
                job: JobId(job),
                pipeline: PipelineId(1),
                role: role(name),
                decision,
                pressed_at: at,
                at,
                commit: sha(commit),
                way: Way::ByHand,
            },
            player: Some(Player {
                name: player.parse().unwrap(),
                bot: false,
                active: true,
                pressed_at: None,
            }),
        }
    }

    fn asked(names: &[&str]) -> Vec<Asked> {
        let asked = |name: &&str| Asked {
            role: role(name),
            because: Because::Always,
        };
        names.iter().map(asked).collect()
    }

    const OPEN: Who = Who {
        author: false,
        committers: true,
        several_roles: true,
    };

    fn judged_by(runs: &[Run], who: Who) -> Judgement {
        let people = |names: &[&str]| {
            names
                .iter()
                .map(|n| n.parse().unwrap())
                .collect::<BTreeSet<UserName>>()
        };
        let holders = BTreeMap::from([
            (role("po"), people(&["olga", "ana", "bot", "carl"])),
            (role("qa"), people(&["quentin", "olga"])),
        ]);
        judge(&ValidationFacts {
            asked: &asked(&["po", "qa"]),
            defined: &[role("po"), role("qa"), role("security")],
            people: Concerned {
                holders: &holders,
                author: &"ana".parse().unwrap(),
                committers: &people(&["ana", "carl"]),
                own: Some(&"bot".parse().unwrap()),
                who,
            },
            content: &BTreeSet::from([sha('a'), sha('b')]),
            runs,
        })
    }

    fn judged(runs: &[Run]) -> Judgement {
        judged_by(runs, OPEN)
    }

    #[test]
    fn every_role_must_validate_this_content() {
        let po = run(1, "po", Validate, "olga", 'a');
        assert_eq!(
            judged(std::slice::from_ref(&po)).ruling(),
            Ruling::Wait(vec![role("qa")])
        );
        assert_eq!(
            judged(&[po.clone(), run(2, "qa", Validate, "quentin", 'b')]).ruling(),
            Ruling::Pass,
            "b is a rebase of a"
        );
        let other = judged(&[po, run(2, "qa", Validate, "quentin", 'c')]);
        assert_eq!(other.ruling(), Ruling::Wait(vec![role("qa")]));
        assert!(
            matches!(&other.standings[1].1, Standing::Awaited { lapsed: Some(v) } if v.commit == sha('c'))
        );
        assert_eq!(other.earlier.len(), 1);
    }

    #[test]
    fn the_verdict_that_was_pressed_last_counts() {
        let runs = [
            run(1, "po", Validate, "olga", 'a'),
            run(2, "qa", Validate, "quentin", 'a'),
            run(3, "qa", Reject, "quentin", 'a'),
        ];
        assert!(
            matches!(judged(&runs).ruling(), Ruling::Refuse(r) if r.len() == 1 && r[0].role == role("qa"))
        );
        let mut again = runs.to_vec();
        again.push(run(4, "qa", Validate, "quentin", 'a'));
        again.reverse();
        assert_eq!(
            judged(&again).ruling(),
            Ruling::Pass,
            "whatever the order of the records"
        );
        // A slow runner: the validation ends after the rejection that was pressed later.
        let mut slow = runs.to_vec();
        slow[1].play.at = "2100-01-01T00:00:00Z".parse().unwrap();
        assert!(matches!(judged(&slow).ruling(), Ruling::Refuse(_)));
    }

    #[test]
    fn a_run_that_is_no_verdict_is_set_aside_with_the_reason() {
        let one = |name: &str, player: &str| run(1, name, Validate, player, 'a');
        let with = |change: fn(&mut Run)| {
            let mut run = one("po", "olga");
            change(&mut run);
            run
        };
        let table = [
            (one("po", "mallory"), SetAside::NotInRole),
            (one("po", "ana"), SetAside::IsAuthor),
            (one("po", "bot"), SetAside::IsBot),
            (
                with(|run| run.player.as_mut().unwrap().bot = true),
                SetAside::IsBot,
            ),
            (
                with(|run| run.player.as_mut().unwrap().active = false),
                SetAside::NotActive,
            ),
            (with(|run| run.player = None), SetAside::Gone),
            (with(|run| run.play.way = Way::ByItself), SetAside::ByItself),
            (
                with(|run| run.play.way = Way::Elsewhere),
                SetAside::Elsewhere,
            ),
            (run(1, "po", Validate, "olga", 'c'), SetAside::OtherContent),
            (one("boss", "olga"), SetAside::UnknownRole),
            (one("security", "olga"), SetAside::NotAsked),
        ];
        for (run, why) in table {
            let judgement = judged(std::slice::from_ref(&run));
            assert_eq!(judgement.set_aside, [(run, why.clone())]);
            assert_eq!(
                judgement.ruling(),
                Ruling::Wait(vec![role("po"), role("qa")]),
                "{why:?}"
            );
        }
    }

    #[test]
    fn a_verdict_on_an_older_content_does_not_unseat_one_on_this() {
        let runs = [
            run(1, "po", Validate, "olga", 'a'),
            run(2, "po", Reject, "olga", 'c'),
            run(3, "qa", Validate, "quentin", 'a'),
        ];
        assert_eq!(judged(&runs).ruling(), Ruling::Pass);
    }

    #[test]
    fn committers_validate_unless_the_project_says_otherwise() {
        let carl = [run(1, "po", Validate, "carl", 'a')];
        assert_eq!(judged(&carl).ruling(), Ruling::Wait(vec![role("qa")]));
        let strict = Who {
            committers: false,
            ..OPEN
        };
        assert_eq!(
            judged_by(&carl, strict).set_aside[0].1,
            SetAside::IsCommitter
        );
        let author = Who {
            author: true,
            committers: false,
            ..OPEN
        };
        let ana = [run(1, "po", Validate, "ana", 'a')];
        assert!(
            judged_by(&ana, author).set_aside.is_empty(),
            "the author has a setting of their own"
        );
    }

    #[test]
    fn four_eyes_want_two_people_but_anybody_may_reject() {
        let strict = Who {
            several_roles: false,
            ..OPEN
        };
        let both = [
            run(1, "po", Validate, "olga", 'a'),
            run(2, "qa", Validate, "olga", 'a'),
        ];
        assert_eq!(judged(&both).ruling(), Ruling::Pass);
        let one = judged_by(&both, strict);
        assert_eq!(one.ruling(), Ruling::Wait(vec![role("qa")]));
        assert_eq!(
            one.set_aside[0].1,
            SetAside::SamePerson { role: role("po") }
        );
        let mut two = both.to_vec();
        two.push(run(3, "qa", Validate, "quentin", 'a'));
        assert_eq!(judged_by(&two, strict).ruling(), Ruling::Pass);
        two.push(run(4, "qa", Reject, "olga", 'a'));
        assert!(matches!(
            judged_by(&two, strict).ruling(),
            Ruling::Refuse(_)
        ));
    }

    #[test]
    fn only_plays_that_can_change_the_answer_are_looked_at_first() {
        let plays: Vec<Play> = [
            run(1, "po", Validate, "olga", 'c'),
            run(2, "qa", Validate, "quentin", 'c'),
            run(3, "po", Validate, "olga", 'a'),
            run(4, "po", Reject, "olga", 'b'),
            run(5, "boss", Validate, "olga", 'a'),
        ]
        .into_iter()
        .map(|run| run.play)
        .collect();
        let (now, later) = first_look(&plays, &asked(&["po", "qa"]), &sha('a'));
        let jobs = |plays: &[Play]| plays.iter().map(|play| play.job.0).collect::<Vec<_>>();
        assert_eq!(
            (jobs(&now), jobs(&later)),
            (vec![2, 3, 4], vec![1]),
            "a rejection on an earlier head that came later is looked at; `qa` has nothing newer"
        );
    }
}
