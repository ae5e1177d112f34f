//! What a person reads who gives a verdict: what is judged, what is new, where to look, who is left; or why not.

use crate::domain::ids::{RoleName, UserName};
use crate::domain::linking::Feature;
use crate::domain::validation::{
    Asked, Criterion, Decision, Difference, Judgement, ReviewApp, SetAside, Verdict,
};
use crate::outcome::{ExitCode, Outcome};

use super::validation::Holders;
use super::{inert, names, plain, plain_lines, set_aside};

/// How many commits and files are named.
const MOST_NAMED: usize = 10;

/// Where the content can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is deployed.
    At(ReviewApp),
    /// No deployment of it is known.
    Nowhere,
    /// The job has no token that could tell.
    Unknown,
}

/// What is new since the last verdict of the role.
#[derive(Debug)]
pub struct Since<'a> {
    /// That verdict, on an earlier content.
    pub last: &'a Verdict,
    /// Why it rejected, if it did and somebody said.
    pub reason: Option<&'a str>,
    /// What changed since.
    pub difference: Difference,
}

/// A rejection of the feature in another merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its number.
    pub merge_request: u64,
    /// The rejection.
    pub verdict: Verdict,
    /// Why, if somebody said.
    pub reason: Option<String>,
}

/// A verdict that is being given.
#[derive(Debug)]
pub struct Given<'a> {
    /// The merge request.
    pub iid: u64,
    /// The verdict.
    pub verdict: &'a Verdict,
    /// Where people see the project.
    pub project_url: &'a str,
    /// The features that are judged, with their criteria.
    pub criteria: &'a [(&'a Feature, Vec<Criterion>)],
    /// Why it rejects.
    pub reason: Option<&'a str>,
    /// What is new.
    pub since: Option<Since<'a>>,
    /// What was rejected before in other merge requests; it blocks nothing.
    pub elsewhere: &'a [Elsewhere],
    /// Where to look.
    pub whereabouts: Whereabouts,
    /// Where each role stands, this verdict included.
    pub judgement: &'a Judgement,
    /// Who holds each role.
    pub holders: &'a Holders,
    /// Whether other people's verdicts could be seen.
    pub everything_seen: bool,
}

/// What a validator sees after pressing play.
pub fn verdict_given(given: &Given<'_>) -> Outcome {
    let verdict = given.verdict;
    let word = match verdict.decision {
        Decision::Validate => "validated",
        Decision::Reject => "rejected",
    };
    let (url, commit) = (given.project_url, &verdict.commit);
    let mut outcome = Outcome::open(format!(
        "`{}` {word} !{} as `{}` at commit `{commit}`",
        verdict.by, given.iid, verdict.role
    ))
    .with(format!("commit: {url}/-/commit/{commit}"))
    .with(whereabouts(&given.whereabouts));
    for line in given
        .since
        .iter()
        .flat_map(|since| since_last(since, given))
    {
        outcome = outcome.with(line);
    }
    for before in given.elsewhere {
        outcome = outcome.with(rejected_before(before));
    }
    for line in features(given.criteria) {
        outcome = outcome.with(line);
    }
    outcome = match (given.reason, verdict.decision) {
        (Some(reason), _) => outcome.with(format!("reason: {}", plain_lines(reason))),
        (None, Decision::Reject) => outcome.with(format!(
            "you gave no reason: please write a note on !{} that begins with `Reason:`, so that the author knows what to change",
            given.iid
        )),
        (None, Decision::Validate) => outcome,
    };
    debug_assert_eq!(outcome.code, ExitCode::Open);
    outcome
        .with(who_is_left(given))
        .with("this job's success, with you as its player, is the record; it holds until the content changes")
}

fn whereabouts(whereabouts: &Whereabouts) -> String {
    match whereabouts {
        Whereabouts::At(ReviewApp {
            environment,
            url: Some(url),
            commit,
        }) => format!(
            "deployed: environment \"{}\" at {} (commit `{}`)",
            plain(environment),
            plain(url),
            commit.short()
        ),
        Whereabouts::At(ReviewApp {
            environment,
            url: None,
            commit,
        }) => format!(
            "deployed: environment \"{}\" (commit `{}`); it has no address: give the job `environment: url`",
            plain(environment),
            commit.short()
        ),
        Whereabouts::Nowhere => {
            "deployed: nowhere that GitLab knows of; a review app is a job with `environment: {name, url}`"
                .to_owned()
        }
        Whereabouts::Unknown => {
            "deployed: not known here; that needs `TRAINYARD_TOKEN`".to_owned()
        }
    }
}

fn since_last(since: &Since<'_>, given: &Given<'_>) -> Vec<String> {
    let last = since.last;
    let word = match last.decision {
        Decision::Validate => "validated",
        Decision::Reject => "rejected",
    };
    let commits = &since.difference.commits;
    let files = &since.difference.files;
    let mut lines = vec![format!(
        "since `{}` {word} `{}` as `{}`: {} commits, {} files changed",
        last.by,
        last.commit.short(),
        last.role,
        commits.len(),
        files.len()
    )];
    if let Some(reason) = since.reason {
        lines.push(format!("  rejected then because: {}", plain_lines(reason)));
    }
    let named = |list: &[String], sign: &str| -> Vec<String> {
        let newest = list.iter().rev().take(MOST_NAMED);
        newest
            .map(|text| format!("  {sign} {}", plain(text)))
            .collect()
    };
    lines.extend(named(commits, "commit:"));
    lines.extend(named(files, "file:"));
    lines.push(format!(
        "  all of it: {}/-/compare/{}...{}?straight=true",
        given.project_url, last.commit, given.verdict.commit
    ));
    lines
}

fn rejected_before(before: &Elsewhere) -> String {
    let reason = match &before.reason {
        Some(reason) => format!(": {}", plain_lines(reason)),
        None => String::new(),
    };
    format!(
        "rejected before in !{} by `{}` as `{}`{reason}",
        before.merge_request, before.verdict.by, before.verdict.role
    )
}

fn features(criteria: &[(&Feature, Vec<Criterion>)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (feature, list) in criteria {
        if feature.confidential {
            let open = list.iter().filter(|criterion| criterion.is_open()).count();
            lines.push(format!(
                "feature #{}: (confidential) - {}; {open} of {} criteria are open",
                feature.id.iid,
                feature.url,
                list.len()
            ));
            continue;
        }
        lines.push(format!(
            "feature #{}: {} - {}",
            feature.id.iid,
            plain(&feature.title),
            feature.url
        ));
        if list.is_empty() {
            lines.push("  it has no acceptance criteria".to_owned());
        }
        for criterion in list {
            let mark = match (criterion.applies, criterion.ticked) {
                (false, _) => '~',
                (true, true) => 'x',
                (true, false) => ' ',
            };
            lines.push(format!("  [{mark}] {}", plain(&criterion.text)));
        }
    }
    lines
}

fn who_is_left(given: &Given<'_>) -> String {
    if !given.everything_seen {
        return "who else has decided is not known here: that needs `TRAINYARD_TOKEN`".to_owned();
    }
    let awaited: Vec<String> = given
        .judgement
        .awaited()
        .map(|role| format!("`{role}` ({})", names(given.holders.get(role))))
        .collect();
    let rejected: Vec<String> = given
        .judgement
        .rejections()
        .filter(|verdict| verdict.job != given.verdict.job)
        .map(|verdict| format!("`{}` rejected it as `{}`", verdict.by, verdict.role))
        .collect();
    match (awaited.is_empty(), rejected.is_empty()) {
        (true, true) => "nobody else is awaited".to_owned(),
        (false, true) => format!("still awaited: {}", awaited.join(", ")),
        (true, false) => rejected.join(", "),
        (false, false) => format!(
            "still awaited: {}; {}",
            awaited.join(", "),
            rejected.join(", ")
        ),
    }
}

/// A verdict on a merge request that closes nothing.
pub fn nothing_to_validate(iid: u64) -> Outcome {
    Outcome::refused(
        format!("!{iid} closes no feature, so there is nothing to validate"),
        vec!["a closing merge request says `closes feature #34` in its description".to_owned()],
    )
}

/// A player whose verdict would not count.
pub fn may_not_decide(
    player: &UserName,
    role: &RoleName,
    why: &SetAside,
    holders: &Holders,
    asked: &[Asked],
) -> Outcome {
    let who = match why {
        SetAside::UnknownRole => {
            format!("add `{role}` to `roles` in `.trainyard.yml` on the target branch")
        }
        SetAside::NotAsked => {
            let roles: Vec<String> = asked.iter().map(|a| format!("`{}`", a.role)).collect();
            if roles.is_empty() {
                "no role is asked; there is nothing to do".to_owned()
            } else {
                format!(
                    "it asks {}; there is nothing to do for `{role}`",
                    roles.join(", ")
                )
            }
        }
        SetAside::NotInRole
        | SetAside::IsAuthor
        | SetAside::IsCommitter
        | SetAside::SamePerson { .. }
        | SetAside::IsBot
        | SetAside::NotActive
        | SetAside::Gone
        | SetAside::ByItself
        | SetAside::Elsewhere
        | SetAside::OtherContent => format!("{} may", names(holders.get(role))),
    };
    Outcome::refused(
        format!("`{player}` cannot decide as `{role}`: {}", set_aside(why)),
        vec![who],
    )
}

/// Criteria as people may read them in logs and notes: those of a confidential feature are only counted.
pub fn open_criteria(criteria: &[(&Feature, Vec<Criterion>)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (feature, list) in criteria {
        if feature.confidential {
            lines.push(format!(
                "{} of the confidential feature #{}",
                list.len(),
                feature.id.iid
            ));
        } else {
            let line = |criterion: &Criterion| {
                format!("\"{}\" of #{}", inert(&criterion.text), feature.id.iid)
            };
            lines.extend(list.iter().map(line));
        }
    }
    lines
}

/// A validation that the configuration refuses while criteria are open.
pub fn criteria_unticked(criteria: &[(&Feature, Vec<Criterion>)]) -> Outcome {
    let mut details: Vec<String> = Vec::new();
    for (feature, list) in criteria {
        if feature.confidential {
            details.extend(open_criteria(&[(*feature, list.clone())]));
        } else {
            let line = |criterion: &Criterion| format!("[ ] {}", plain(&criterion.text));
            details.extend(list.iter().map(line));
            details.push(format!("of feature #{}: {}", feature.id.iid, feature.url));
        }
    }
    details.push(
        "tick them on the feature once they hold, or mark those that do not apply with `[~]`; then play the job again"
            .to_owned(),
    );
    Outcome::refused(
        "acceptance criteria are not ticked (`validation.criteria: required`)",
        details,
    )
}
