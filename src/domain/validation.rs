//! Who must validate a feature, what counts as a verdict, and when a verdict no longer holds.
//!
//! A verdict is never a claim: it is a manual job that GitLab says a certain person played on a certain commit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pulldown_cmark::{Event as Markdown, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde::{Deserialize, Serialize};

use super::ids::{CommitSha, JobId, RoleName, UserName};
use super::ruling::Ruling;

/// What a validator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The feature does what was asked.
    Validate,
    /// It does not.
    Reject,
}

/// Who belongs to a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// People by user name.
    pub users: BTreeSet<UserName>,
    /// All members of these groups, by path.
    pub groups: Vec<String>,
    /// All members of the project from this access level on (GitLab's number).
    pub access: Option<u64>,
}

/// Whether a person pressed play, according to GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// GitLab says that the job is a manual one.
    ByHand,
    /// GitLab says that it started by itself: its user pushed or re-ran a pipeline, and decided nothing.
    Automatically,
    /// The server cannot say.
    Unknown,
}

/// One finished, successful job named `validate:<role>` or `reject:<role>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// The role of its name.
    pub role: RoleName,
    /// What its name says.
    pub decision: Decision,
    /// Its user according to GitLab.
    pub player: UserName,
    /// Whether that user is a bot.
    pub bot: bool,
    /// Whether that user is an active account.
    pub active: bool,
    /// When it ended.
    pub at: Timestamp,
    /// The commit it ran on.
    pub commit: CommitSha,
    /// Whether somebody pressed play.
    pub played: Played,
}

/// A verdict that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The role that gave it.
    pub role: RoleName,
    /// Validate or reject.
    pub decision: Decision,
    /// Who gave it.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
    /// On which commit.
    pub commit: CommitSha,
    /// The manual job that is its evidence.
    pub job: JobId,
}

/// Why a run of a validation job is not a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetAside {
    /// The player does not hold the role.
    NotInRole,
    /// The player wrote the merge request.
    IsAuthor,
    /// The player is a bot.
    IsBot,
    /// The player's account is blocked or deactivated.
    NotActive,
    /// Nobody pressed play.
    NotByHand,
    /// The server cannot say whether somebody pressed play.
    HandUnknown,
    /// It judged another content.
    OtherContent,
    /// The configuration knows no such role.
    UnknownRole,
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
}

/// Where every required role stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// In the order of the configuration.
    pub standings: Vec<(RoleName, Standing)>,
    /// Runs that are not verdicts, and why; newest last.
    pub set_aside: Vec<(Run, SetAside)>,
}

/// Everything the validation rule needs to know.
#[derive(Debug, Clone)]
pub struct ValidationFacts<'a> {
    /// Roles whose verdict is required.
    pub required: &'a [RoleName],
    /// Who holds each role.
    pub holders: &'a BTreeMap<RoleName, BTreeSet<UserName>>,
    /// Who wrote the merge request.
    pub author: &'a UserName,
    /// Whether the author's own verdict counts.
    pub author_may_validate: bool,
    /// Commits whose content is the one under question: the head, and earlier heads with the same patch id.
    pub content: &'a BTreeSet<CommitSha>,
    /// All runs that GitLab knows of, in any order.
    pub runs: &'a [Run],
}

/// Whether a person may give a verdict for a role; asked before the verdict is recorded and again when it is read.
///
/// # Errors
/// The reason why not.
pub fn may_decide(
    player: &UserName,
    role: &RoleName,
    holders: &BTreeMap<RoleName, BTreeSet<UserName>>,
    author: &UserName,
    author_may_validate: bool,
) -> Result<(), SetAside> {
    let people = holders.get(role).ok_or(SetAside::UnknownRole)?;
    if !people.contains(player) {
        Err(SetAside::NotInRole)
    } else if player == author && !author_may_validate {
        Err(SetAside::IsAuthor)
    } else {
        Ok(())
    }
}

/// Weighs every run: the latest verdict of a role on this content counts.
pub fn judge(facts: &ValidationFacts<'_>) -> Judgement {
    let mut runs: Vec<&Run> = facts.runs.iter().collect();
    runs.sort_by_key(|run| (run.at, run.job));
    let mut judgement = Judgement {
        standings: Vec::new(),
        set_aside: Vec::new(),
    };
    let mut latest: BTreeMap<&RoleName, Standing> = BTreeMap::new();
    for run in runs {
        let verdict = Verdict {
            role: run.role.clone(),
            decision: run.decision,
            by: run.player.clone(),
            at: run.at,
            commit: run.commit.clone(),
            job: run.job,
        };
        match weigh(run, facts) {
            Ok(()) => {
                let standing = match run.decision {
                    Decision::Validate => Standing::Validated(verdict),
                    Decision::Reject => Standing::Rejected(verdict),
                };
                latest.insert(&run.role, standing);
            }
            Err(why) => {
                if why == SetAside::OtherContent
                    && !matches!(
                        latest.get(&run.role),
                        Some(Standing::Validated(_) | Standing::Rejected(_))
                    )
                {
                    latest.insert(
                        &run.role,
                        Standing::Awaited {
                            lapsed: Some(verdict),
                        },
                    );
                }
                judgement.set_aside.push((run.clone(), why));
            }
        }
    }
    judgement.standings = facts
        .required
        .iter()
        .map(|role| {
            (
                role.clone(),
                latest
                    .remove(role)
                    .unwrap_or(Standing::Awaited { lapsed: None }),
            )
        })
        .collect();
    judgement
}

impl Judgement {
    /// Passes when every role validated; any standing rejection refuses; otherwise waits for the roles named.
    pub fn ruling(&self) -> Ruling<Vec<RoleName>, Verdict> {
        let rejections: Vec<Verdict> = self
            .standings
            .iter()
            .filter_map(|(_, standing)| match standing {
                Standing::Rejected(verdict) => Some(verdict.clone()),
                Standing::Validated(_) | Standing::Awaited { .. } => None,
            })
            .collect();
        if !rejections.is_empty() {
            return Ruling::Refuse(rejections);
        }
        let awaited: Vec<RoleName> = self
            .standings
            .iter()
            .filter(|(_, standing)| matches!(standing, Standing::Awaited { .. }))
            .map(|(role, _)| role.clone())
            .collect();
        if awaited.is_empty() {
            Ruling::Pass
        } else {
            Ruling::Wait(awaited)
        }
    }

    /// The verdicts that hold, validations and rejections alike.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.standings
            .iter()
            .filter_map(|(_, standing)| match standing {
                Standing::Validated(verdict) | Standing::Rejected(verdict) => Some(verdict.clone()),
                Standing::Awaited { .. } => None,
            })
            .collect()
    }

    /// Verdicts that people gave in their role on earlier contents, for the record.
    pub fn earlier_verdicts(&self) -> impl Iterator<Item = &Run> {
        self.set_aside
            .iter()
            .filter(|(_, why)| *why == SetAside::OtherContent)
            .map(|(run, _)| run)
    }
}

fn weigh(run: &Run, facts: &ValidationFacts<'_>) -> Result<(), SetAside> {
    match run.played {
        Played::ByHand => {}
        Played::Automatically => return Err(SetAside::NotByHand),
        Played::Unknown => return Err(SetAside::HandUnknown),
    }
    if run.bot {
        return Err(SetAside::IsBot);
    }
    if !run.active {
        return Err(SetAside::NotActive);
    }
    may_decide(
        &run.player,
        &run.role,
        facts.holders,
        facts.author,
        facts.author_may_validate,
    )?;
    if facts.content.contains(&run.commit) {
        Ok(())
    } else {
        Err(SetAside::OtherContent)
    }
}

/// One line of the feature's acceptance criteria.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Its text, untrusted.
    pub text: String,
    /// Whether its box is ticked.
    pub ticked: bool,
}

/// The task list under a heading "Acceptance criteria" of a feature's description, whatever the heading's level or case.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the Markdown library's own enum: the rest has no text"
)]
pub fn acceptance_criteria(description: &str) -> Vec<Criterion> {
    let mut criteria: Vec<Criterion> = Vec::new();
    let mut section: Option<HeadingLevel> = None;
    let mut heading: Option<(HeadingLevel, String)> = None;
    let mut open_item = false;
    for event in Parser::new_ext(description, Options::ENABLE_TASKLISTS) {
        match event {
            Markdown::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new())),
            Markdown::End(TagEnd::Heading(level)) => {
                let title = heading.take().map(|(_, title)| title).unwrap_or_default();
                if title
                    .trim()
                    .trim_end_matches(':')
                    .eq_ignore_ascii_case("acceptance criteria")
                {
                    section = Some(level);
                } else if section.is_some_and(|outer| level <= outer) {
                    section = None;
                }
            }
            Markdown::TaskListMarker(ticked) if section.is_some() => {
                criteria.push(Criterion {
                    text: String::new(),
                    ticked,
                });
                open_item = true;
            }
            Markdown::Start(Tag::Item) | Markdown::End(TagEnd::Item) => open_item = false,
            Markdown::Text(text) | Markdown::Code(text) => {
                if let Some((_, title)) = &mut heading {
                    title.push_str(&text);
                } else if open_item && let Some(last) = criteria.last_mut() {
                    last.text.push_str(&text);
                }
            }
            Markdown::SoftBreak | Markdown::HardBreak => {
                if open_item && let Some(last) = criteria.last_mut() {
                    last.text.push(' ');
                }
            }
            _ => {}
        }
    }
    criteria
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> RoleName {
        name.parse().unwrap()
    }

    fn sha(digit: char) -> CommitSha {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn run(job: u64, name: &str, decision: Decision, player: &str, commit: char) -> Run {
        Run {
            job: JobId(job),
            role: role(name),
            decision,
            player: player.parse().unwrap(),
            bot: false,
            active: true,
            at: Timestamp::from_second(1_800_000_000 + i64::try_from(job).unwrap()).unwrap(),
            commit: sha(commit),
            played: Played::ByHand,
        }
    }

    fn judged(runs: &[Run]) -> Judgement {
        let people = |names: &[&str]| {
            names
                .iter()
                .map(|n| n.parse().unwrap())
                .collect::<BTreeSet<UserName>>()
        };
        let holders = BTreeMap::from([
            (role("po"), people(&["olga", "ana"])),
            (role("qa"), people(&["quentin"])),
        ]);
        judge(&ValidationFacts {
            required: &[role("po"), role("qa")],
            holders: &holders,
            author: &"ana".parse().unwrap(),
            author_may_validate: false,
            content: &BTreeSet::from([sha('a'), sha('b')]),
            runs,
        })
    }

    use Decision::{Reject, Validate};

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
    }

    #[test]
    fn the_latest_verdict_of_a_role_counts() {
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
    }

    #[test]
    fn a_run_that_is_no_verdict_is_set_aside_with_the_reason() {
        let table = [
            (run(1, "po", Validate, "mallory", 'a'), SetAside::NotInRole),
            (run(1, "po", Validate, "ana", 'a'), SetAside::IsAuthor),
            (
                Run {
                    bot: true,
                    ..run(1, "po", Validate, "olga", 'a')
                },
                SetAside::IsBot,
            ),
            (
                Run {
                    active: false,
                    ..run(1, "po", Validate, "olga", 'a')
                },
                SetAside::NotActive,
            ),
            (
                Run {
                    played: Played::Automatically,
                    ..run(1, "po", Validate, "olga", 'a')
                },
                SetAside::NotByHand,
            ),
            (
                Run {
                    played: Played::Unknown,
                    ..run(1, "po", Validate, "olga", 'a')
                },
                SetAside::HandUnknown,
            ),
            (run(1, "po", Validate, "olga", 'c'), SetAside::OtherContent),
            (run(1, "boss", Validate, "olga", 'a'), SetAside::UnknownRole),
        ];
        for (run, why) in table {
            let judgement = judged(std::slice::from_ref(&run));
            assert_eq!(judgement.set_aside, [(run, why)]);
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
    fn criteria_are_the_task_list_under_their_heading() {
        let text = "- [ ] not one\n\n## Acceptance Criteria:\n\n- [x] card is *charged*\n- [ ] receipt `r`\n  is mailed\n- plain\n\n### More\n- [ ] too\n\n## Notes\n- [ ] no";
        let found: Vec<(String, bool)> = acceptance_criteria(text)
            .into_iter()
            .map(|c| (c.text, c.ticked))
            .collect();
        assert_eq!(
            found,
            [
                ("card is charged".into(), true),
                ("receipt r is mailed".into(), false),
                ("too".into(), false)
            ]
        );
    }
}
