//! `trainyard release hotfix`: chosen change sets are picked onto the version in production, in one merge request to the branch of
//! hotfixes. From there it goes the way of every merge request: links, queue, trial, landing, release.

mod choosing;

use std::collections::BTreeSet;

use semver::Version;

use super::{forward, permission};
use crate::config::Config;
use crate::domain::event::Fact;
use crate::domain::ids::{BranchName, CommitSha, MergeRequestId, UserName};
use crate::domain::integration::MergeRequestState;
use crate::domain::versioning::hotfix::{
    self, Branch, HotfixRefusal, Landed, MOST_PICKED, Pick, Stand, branch_of,
};
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, Done};
use crate::outcome::{Outcome, Pointer, Problem, SeeAlso};
use crate::ports::{Answer, MergeRequest, Picked, Proposal, Push, Source};
use crate::report;
use choosing::{Base, Lines, base, chosen, id_of};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The merge requests whose change sets are to go out.
    pub named: &'a BTreeSet<u64>,
    /// The version that they are put on; the one in production when none is said.
    pub from: Option<&'a Version>,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Picks change sets, and opens the merge request. Run again, it does what is left.
///
/// # Errors
/// When the environment is not one for hotfixes, there is no reason, or GitLab or git cannot be asked.
pub fn run(desk: &Desk<'_>, wish: Wish<'_>) -> Answer<Done> {
    let main = main_environment(desk)?;
    let reason = permission::reason(
        wish.reason,
        "a hotfix goes before everybody else for a reason, and everybody will ask for it",
    )?;
    let player = desk.records.player()?.name;
    if !permission::may_release(desk, &player)? {
        return Ok(refused(
            desk,
            &[HotfixRefusal::NotAReleaseManager { player }],
        ));
    }
    match wish.named.len() {
        0 => return Ok(refused(desk, &[HotfixRefusal::Nothing])),
        1..=MOST_PICKED => {}
        named => return Ok(refused(desk, &[HotfixRefusal::TooMany { named }])),
    }
    let ledger = Ledger::new(*desk);
    let lines = Lines {
        main: &desk.ci.default_branch,
        landed: desk.logs.yard_of(main)?.versions,
        own: ledger.yard()?,
        tagged: desk
            .releases
            .numbers(&desk.config.versions.numbering.prefix)?,
    };
    let base = match base(&lines, wish.from) {
        Ok(base) => base,
        Err(refusal) => return Ok(refused(desk, &[refusal])),
    };
    let chosen = match chosen(desk, &lines, &base, wish.named)? {
        Ok(chosen) => chosen,
        Err(refusals) => return Ok(refused(desk, &refusals)),
    };
    let picked: Vec<MergeRequestId> = chosen.iter().map(id_of).collect();
    let source = branch_name(&branch_of(&base.number, &picked))?;
    let before = desk.proposals.of_branch(&source)?;
    let mut open = before
        .into_iter()
        .filter(|one| one.state == MergeRequestState::Open);
    let (merge_request, commits) = match open.next() {
        Some(open) => (open, None),
        None => match make(desk, &lines, &base, &chosen, &source)? {
            Err(refusal) => return Ok(refused(desk, &[refusal])),
            Ok(commits) => {
                let proposal = proposal(desk, &base, &chosen, source, (&player, &reason));
                (desk.proposals.propose(&proposal)?, Some(commits))
            }
        },
    };
    let picks = chosen.iter().map(|one| Pick {
        merge_request: id_of(one),
        landed: one.appended.landed.clone(),
    });
    ledger.record(&[Fact::HotfixAsked {
        merge_request: merge_request.id.clone(),
        from: base.number.clone(),
        picks: picks.collect(),
        reason,
        asked_by: player,
    }])?;
    let outcome = said(desk, &base, &merge_request, commits);
    let outcome = looked_at(desk, outcome)?;
    Ok(Done {
        outcome,
        events: ledger.into_events(),
    })
}

/// The environment whose change sets are picked: that of the default branch.
fn main_environment<'a>(desk: &Desk<'a>) -> Answer<&'a str> {
    let config = desk.config;
    if config.is_yard() {
        return Err(Problem::misconfigured(
            "a yard makes no hotfixes: its versions are commits of several projects",
            "pick by hand in the member (`git cherry-pick -x`), in a merge request to the branch of an environment of its own",
        ));
    }
    if !config.versions.packages.is_empty() {
        return Err(Problem::misconfigured(
            "a repository with packages makes no hotfixes: `versions.packages` gives each of them versions of its own",
            "pick by hand (`git cherry-pick -x`), in a merge request to the branch of an environment of its own",
        ));
    }
    let main = config.environment_of(&desk.ci.default_branch);
    let (true, Some(main)) = (config.is_for_hotfixes(), main) else {
        return Err(Problem::misconfigured(
            format!(
                "the environment `{}` is not one for hotfixes",
                config.nrt.environment
            ),
            format!(
                "list in `nrt.environments` of `.trainyard.yml` the one of `{}` and one with a branch of its own and `hotfixes: true`, and give the job that one's name (`docs/hotfix.md` shows it whole)",
                desk.ci.default_branch
            ),
        ));
    };
    if desk.branch() == &desk.ci.default_branch {
        return Err(Problem::misconfigured(
            format!(
                "the environment `{}` serves `{}`, which is what hotfixes are picked from",
                config.nrt.environment, desk.ci.default_branch
            ),
            "give the environment with `hotfixes: true` a branch of its own, such as `hotfix`",
        ));
    }
    Ok(&main.serves.environment)
}

/// Sets the branch of hotfixes on the version, picks, and pushes both at once; how many commits were picked.
fn make(
    desk: &Desk<'_>,
    lines: &Lines<'_>,
    base: &Base,
    chosen: &[Landed],
    source: &BranchName,
) -> Answer<Result<usize, HotfixRefusal>> {
    let branch = desk.branch();
    let head = desk.picks.head(branch)?;
    let stand = match stand(desk, lines, base, head.as_ref())? {
        Ok(stand) => stand,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let onto = match (stand, head) {
        (Stand::Stays, Some(head)) => head,
        (Stand::Moves, Some(head)) => desk.picks.going_on(&head, &base.commit, &base.number)?,
        (Stand::New | Stand::Stays | Stand::Moves, None) | (Stand::New, Some(_)) => {
            base.commit.clone()
        }
    };
    let sources: Vec<Source> = chosen.iter().map(source_of).collect();
    let mut heads = Vec::new();
    if stand != Stand::Stays {
        heads.push((branch, &onto));
    }
    let (tip, commits) = match desk.picks.pick(&onto, &sources)? {
        Picked::Done { tip, commits } => (tip, commits),
        Picked::AlreadyThere { merge_request: id } => {
            let branch = branch.clone();
            return Ok(Err(HotfixRefusal::AlreadyThere { id, branch }));
        }
        Picked::Unclear { merge_request: id } => return Ok(Err(HotfixRefusal::Unclear { id })),
        Picked::Conflict {
            merge_request: id,
            commit,
            files,
        } => {
            // Whoever picks it by hand needs the branch where it belongs.
            if !heads.is_empty() {
                pushed(desk, &heads)?;
            }
            let branch = branch.clone();
            return Ok(Err(HotfixRefusal::Conflict {
                id,
                commit,
                files,
                branch,
            }));
        }
    };
    if desk.picks.head(source)?.is_some_and(|other| other != tip) {
        let branch = source.clone();
        return Ok(Err(HotfixRefusal::BranchTaken { branch }));
    }
    heads.push((source, &tip));
    pushed(desk, &heads)?;
    Ok(Ok(commits))
}

/// Pushes branches, all or none.
pub(super) fn pushed(desk: &Desk<'_>, heads: &[(&BranchName, &CommitSha)]) -> Answer<()> {
    let names: Vec<String> = heads.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(" and ");
    match desk.picks.push_heads(heads)? {
        Push::Done => Ok(()),
        Push::TargetMoved => Err(Problem::gitlab(
            format!("somebody else pushed to {names} in this instant; nothing was pushed"),
            "retry the job",
        )),
        Push::Refused { words } => Err(Problem::gitlab(
            format!(
                "GitLab refuses the push of {names}: {}; nothing was pushed",
                report::plain(&words)
            ),
            format!(
                "let the user of `TRAINYARD_GATE_TOKEN` push to {names} (Settings > Repository > Protected branches; force is not needed), then retry the job"
            ),
        )),
    }
}

/// What becomes of the branch of hotfixes; GitLab is asked about the last version's way to the main branch only where that matters.
fn stand(
    desk: &Desk<'_>,
    lines: &Lines<'_>,
    base: &Base,
    head: Option<&CommitSha>,
) -> Answer<Result<Stand, HotfixRefusal>> {
    let versions = &lines.own.versions;
    let mut stands = None;
    for (number, commit) in &lines.tagged {
        let Some(head) = head else { break };
        let good = !number.is_pre_release()
            && !versions.is_withdrawn(number)
            && !lines.landed.is_withdrawn(number);
        if good && desk.commits.is_ancestor(commit, head)? {
            stands = Some(number);
            break;
        }
    }
    let tickets = lines.own.queue.tickets.iter();
    let waits: Vec<MergeRequestId> = tickets
        .map(|ticket| ticket.change_set.merge_request.clone())
        .collect();
    let branch = Branch {
        name: desk.branch(),
        exists: head.is_some(),
        stands,
        versions,
        waits: &waits,
        forward: None,
    };
    let stand = hotfix::stand(&branch, &base.number, lines.main);
    if stand != Ok(Stand::Moves) {
        return Ok(stand);
    }
    let forward = forward::still_open(desk, versions)?;
    let forward = forward.as_ref();
    Ok(hotfix::stand(
        &Branch { forward, ..branch },
        &base.number,
        lines.main,
    ))
}

fn source_of(landed: &Landed) -> Source {
    Source {
        merge_request: id_of(landed),
        title: report::plain(&landed.appended.change_set.title),
        landed: landed.appended.landed.clone(),
        after: landed.after.clone(),
    }
}

/// A name that we put together ourselves.
pub(super) fn branch_name(text: &str) -> Answer<BranchName> {
    text.parse()
        .map_err(|error| Problem::bug(format!("`{text}` is no branch")).caused_by(error))
}

fn proposal(
    desk: &Desk<'_>,
    base: &Base,
    chosen: &[Landed],
    source: BranchName,
    (by, reason): (&UserName, &str),
) -> Proposal {
    let sets: Vec<_> = chosen.iter().map(|one| &one.appended.change_set).collect();
    let (title, description) =
        report::hotfix_proposal(&base.number, &sets, by, reason, &desk.ci.default_branch);
    Proposal {
        source,
        target: desk.branch().clone(),
        title,
        description,
    }
}

fn said(
    desk: &Desk<'_>,
    base: &Base,
    merge_request: &MergeRequest,
    commits: Option<usize>,
) -> Outcome {
    let label = format!("!{}", merge_request.id.iid);
    report::hotfix_made(&base.number, merge_request, commits, desk.branch()).seeing([Pointer::new(
        SeeAlso::MergeRequests,
        label,
        &merge_request.url,
    )])
}

/// What would stand in the way later, said now: a branch that gives its jobs no token, rules that do not know the environment, a freeze.
fn looked_at(desk: &Desk<'_>, mut outcome: Outcome) -> Answer<Outcome> {
    let (branch, environment) = (desk.branch(), desk.config.nrt.environment.as_str());
    if desk.proposals.is_protected(branch)? == Some(false) {
        outcome = outcome.warning(report::hotfix_unprotected(branch));
    }
    let rules = desk.files.file(crate::config::FILE, branch)?;
    let rules = rules.map_or_else(String::new, |file| file.text);
    let knows = Config::parse(&rules).and_then(|config| config.at_environment(Some(environment)));
    if !knows.is_ok_and(|config| config.is_for_hotfixes()) {
        outcome = outcome.warning(report::hotfix_rules_missing(branch, environment));
    }
    Ok(match permission::frozen(desk)? {
        Some(frozen) => outcome.with(report::hotfix_frozen(&frozen)),
        None => outcome,
    })
}

fn refused(desk: &Desk<'_>, refusals: &[HotfixRefusal]) -> Done {
    let reasons = refusals
        .iter()
        .map(|one| report::hotfix_refusal(one, &desk.ci.default_branch));
    Done::saying(Outcome::refused("no hotfix is made", reasons.collect()))
}
