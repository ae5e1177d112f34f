//! The open version in words: what it holds, what number it would get and why, whether the commits agree, and what closing it did.

use std::path::Path;

use serde_json::{Value, json};

use super::hotfix::{Forward, forward_json};
use super::release::counted;
use super::{inert, plain};
use crate::domain::ids::{MergeRequestId, ProjectPath};
use crate::domain::linking::{Link, LinkKind};
use crate::domain::validation::Decision;
use crate::domain::versioning::comparison::Around;
use crate::domain::versioning::numbers::{Because, Chosen, Step};
use crate::domain::versioning::{
    Appended, CloseRefusal, Closing, Coming, Frozen, Number, Released, ThroughFreeze, Versions,
    by_feature,
};
use crate::outcome::Outcome;

/// How many merge requests are named as the reason of a number.
const NAMED: usize = 3;

/// How many commits around the gate are listed.
const LISTED: usize = 20;

/// Why a version cannot be closed.
pub fn close_refusals(reasons: &[CloseRefusal]) -> Vec<String> {
    let told = reasons.iter().map(|reason| match reason {
        CloseRefusal::NothingToRelease => "nothing has landed since the last release; there is nothing to release".to_owned(),
        CloseRefusal::NothingNew { number } => format!("nothing has landed since {number}, which is of this very commit; release it without `--pre` to make it final"),
        CloseRefusal::AlreadyClosing { number, by, since } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(" by `{by}`"));
            format!("version {number} is being released since {since}{by}; let its pipeline finish, or abort it with `trainyard release abort`")
        }
        CloseRefusal::NumberNotAbove { asked, last } => format!("the number {asked} is not above the last one, {last}; choose a higher one"),
        CloseRefusal::NumberTaken { asked, commit } => {
            format!("the tag `{}` exists already, at `{}`; choose another number with `--version`", asked.tag(), commit.short())
        }
        CloseRefusal::NotOnBranch { commit, lacks } => {
            format!("the commit `{}` lacks {lacks}, which landed before others it holds; release a newer commit of the branch. If somebody took it off the branch by force, `trainyard repair` tells what is missing", commit.short())
        }
        CloseRefusal::NotAReleaseManager { player } => {
            format!("`{player}` may not release: `versions.released_by` names the roles that may")
        }
        CloseRefusal::Frozen(frozen) => format!(
            "releases are frozen{}; what must go out all the same does with `--through-freeze` and a reason",
            freeze_in_words(frozen)
        ),
        CloseRefusal::NotThroughFreezes { player, frozen } => format!(
            "releases are frozen{}, and `{player}` may not release all the same: `versions.through_freezes_by` names the roles that may",
            freeze_in_words(frozen)
        ),
    });
    told.collect()
}

fn freeze_in_words(frozen: &Frozen) -> String {
    let until = frozen
        .until
        .map_or(String::new(), |until| format!(" until {until}"));
    format!("{until}: {}", plain(&frozen.why))
}

/// A freeze that is in force.
pub fn frozen_now(frozen: &Frozen) -> String {
    format!("releases are frozen{}", freeze_in_words(frozen))
}

/// A release in spite of a freeze.
pub fn through_freeze(through: &ThroughFreeze) -> String {
    format!(
        "it goes through a freeze ({}), because: {}",
        plain(&through.freeze),
        plain(&through.reason)
    )
}

/// `the open version would be 1.4.0: a minor step after 1.3.2, because !34 completes a feature`.
pub fn would_be(chosen: &Chosen) -> String {
    format!(
        "the open version would be {}: {}",
        chosen.number,
        because(chosen)
    )
}

/// Why it is this number.
pub(super) fn because(chosen: &Chosen) -> String {
    let after = chosen
        .last
        .as_ref()
        .map_or(String::new(), |last| format!(" after {last}"));
    let why = |ids: &[MergeRequestId], one: &str, more: &str| {
        let named: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
        let rest = ids.len().saturating_sub(NAMED);
        let rest = if rest > 0 {
            format!(" and {rest} more")
        } else {
            String::new()
        };
        let verb = if ids.len() == 1 { one } else { more };
        format!("{}{rest} {verb}", named.join(", "))
    };
    match &chosen.because {
        Because::First => "the first one, as `versions.initial` says".to_owned(),
        Because::Asked => format!("as asked for{after}"),
        Because::Day(day) => format!("the next one of its time on {day}{after}"),
        Because::Content(Step::Patch, _) => format!("a patch step{after}"),
        Because::Content(Step::Minor, ids) => format!(
            "a minor step{after}, because {}",
            why(ids, "completes a feature", "complete features")
        ),
        Because::Content(Step::Major, ids) => {
            let zero = chosen.last.as_ref().is_some_and(|l| l.version.major == 0);
            let step = if zero { "a minor step" } else { "a major step" };
            let before = if zero { " (below 1.0.0)" } else { "" };
            let why = why(ids, "breaks something", "break something");
            format!("{step}{after}{before}, because {why}")
        }
    }
}

/// Whether the commits agree with the log, line by line.
pub fn version_checks(coming: &Coming) -> Vec<String> {
    match coming.chosen.number.package {
        Some(_) => super::packages::package_checks(coming),
        None => commit_checks(coming),
    }
}

/// Whether the commits agree with what is to be released.
pub(super) fn commit_checks(coming: &Coming) -> Vec<String> {
    let mut lines = Vec::new();
    let later = coming.share.len() - coming.content.len();
    if later > 0 {
        lines.push(format!(
            "{} of the open version landed after this commit, and would be in the next one",
            counted(later, "change set")
        ));
    }
    let Some(found) = &coming.comparison else {
        lines.push("not compared with the commits: there is no clone here (`GIT_STRATEGY: none`), or this is a yard".to_owned());
        return lines;
    };
    if !found.unknown.is_empty() {
        lines.push(format!(
            "{} that the gate landed, by their trailers, are not in the log (first: `{}`): `release prepare` adds them, and so does `trainyard repair --write`",
            counted(found.unknown.len(), "commit"),
            found.unknown[0].commit.short()
        ));
    }
    if found.around.is_empty() {
        let since = chosen_last(&coming.chosen);
        lines.push(format!(
            "nothing is merged since {since} but what was tried"
        ));
    } else {
        lines.push(format!(
            "came around the gate, untested by it: {}",
            counted(found.around.len(), "commit")
        ));
        lines.extend(around_lines(&found.around));
    }
    lines
}

fn chosen_last(chosen: &Chosen) -> String {
    let last = chosen.last.as_ref();
    last.map_or_else(|| "the beginning".to_owned(), Number::tag)
}

/// A line for each commit that came around the gate, for a log.
fn around_lines(around: &[Around]) -> Vec<String> {
    let mut lines: Vec<String> = around
        .iter()
        .take(LISTED)
        .map(|one| {
            let by = plain(&one.author);
            let named = one
                .merge_request
                .map_or(String::new(), |iid| format!(" (!{iid})"));
            let more = match one.commits {
                0 | 1 => String::new(),
                n => format!(", with {} of its own", counted(n as usize - 1, "commit")),
            };
            format!(
                "  {} {} - {by}{named}{more}",
                one.commit.short(),
                plain(&one.subject)
            )
        })
        .collect();
    if around.len() > LISTED {
        lines.push(format!("  and {} more", around.len() - LISTED));
    }
    lines
}

/// What a release would write.
pub fn would_write(coming: &Coming, environment: &str) -> String {
    let (features, _) = by_feature(&coming.content);
    let done = features.iter().filter(|(_, brought)| brought.completed);
    let number = &coming.chosen.number;
    let closes = if number.is_pre_release() {
        "no feature is closed by a pre-release".to_owned()
    } else {
        format!("{} closed", counted(done.count(), "feature"))
    };
    format!(
        "a release would write: the tag `{}`, the GitLab release, the deployment of `{environment}`, {closes}, notes on {}",
        number.tag(),
        counted(coming.content.len(), "merge request")
    )
}

/// A version that is prepared.
pub fn prepared(closing: &Closing, chosen: &Chosen, open: usize) -> Outcome {
    let content = counted(closing.content.len(), "change set");
    let outcome = Outcome::open(format!(
        "version {} is closed at `{}` with {content}",
        closing.number,
        closing.commit.short()
    ))
    .with(format!("its number: {}", because(chosen)));
    let outcome = if closing.around.is_empty() {
        outcome
    } else {
        let count = counted(closing.around.len(), "commit");
        let told = format!("{count} came around the gate, untested by it; the notes say so");
        let lines = around_lines(&closing.around).into_iter();
        lines.fold(outcome.with(told), Outcome::with)
    };
    let holds = match open {
        0 => String::new(),
        n => format!(" and holds {} already", counted(n, "change set")),
    };
    outcome
        .with(format!("the next version is open{holds}"))
        .with("deploy it now; `trainyard release publish` follows a deployment that succeeded, `trainyard release abort` one that failed")
}

/// What was put right before a version was closed.
pub fn version_mended(added: usize, unknown: usize, unsure: Vec<String>) -> Vec<String> {
    let told = format!(
        "the log did not know {} that the gate landed: {} added from what GitLab knows",
        counted(unknown, "commit"),
        counted(added, "change set")
    );
    [told].into_iter().chain(unsure).collect()
}

/// Where the manifest is.
pub fn manifest_left(path: &Path, sum: &str, signature: Option<&Path>) -> String {
    let signed = signature.map_or_else(
        || "not signed: `TRAINYARD_SIGNING_KEY` is not set".to_owned(),
        |path| format!("signed by `{}`", path.display()),
    );
    format!("manifest `{}`, SHA-256 {sum}, {signed}", path.display())
}

/// A manifest that is not the one the log knows.
pub fn manifest_otherwise(known: &str) -> String {
    format!(
        "the log knows this version's manifest by another checksum, {known}: it was closed by another release of trainyard"
    )
}

/// The open version, and the one on its way, for a terminal.
pub fn version_now(versions: &Versions, coming: &Coming, home: &ProjectPath) -> String {
    let mut text = being_released(versions);
    let what = if versions.content.is_empty() {
        "nothing has landed in it yet".to_owned()
    } else {
        format!(
            "would be {}, {}",
            coming.chosen.number,
            because(&coming.chosen)
        )
    };
    text.push_str(&format!(
        "Open: version #{}, {what} ({})\n",
        versions.open,
        counted(versions.content.len(), "change set")
    ));
    for appended in &versions.content {
        text.push_str(&change_set_lines(appended, home));
    }
    if !versions.content.is_empty() {
        for line in version_checks(coming) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if let Some(last) = versions.released.last() {
        text.push_str(&last_released(last));
    }
    text
}

/// A change set in two lines.
pub(super) fn change_set_lines(appended: &Appended, home: &ProjectPath) -> String {
    let set = &appended.change_set;
    format!(
        "  {:<6} {} {} {}\n         {}\n",
        set.merge_request.seen_from(home),
        appended.landed.short(),
        set.author,
        plain(&set.title),
        circumstances(appended, home)
    )
}

/// `closes #42; validated by paul (po), quentin (qa); trial 17; landed 2026-11-20T14:02:00Z`.
fn circumstances(appended: &Appended, home: &ProjectPath) -> String {
    let set = &appended.change_set;
    let named = |kind: LinkKind, verb: &str| {
        let of = |link: &&Link| link.kind == kind;
        let features = set.links.iter().filter(of);
        let names: Vec<String> = features.map(|l| l.feature.seen_from(home)).collect();
        (!names.is_empty()).then(|| format!("{verb} {}", names.join(", ")))
    };
    let validators: Vec<String> = set
        .verdicts
        .iter()
        .filter(|verdict| verdict.decision == Decision::Validate)
        .map(|verdict| format!("{} ({})", verdict.by, verdict.role))
        .collect();
    let validated =
        (!validators.is_empty()).then(|| format!("validated by {}", validators.join(", ")));
    let parts = [
        set.breaking.then(|| "breaks something".to_owned()),
        named(LinkKind::Closes, "closes"),
        named(LinkKind::Contributes, "contributes to"),
        validated,
        Some(format!("trial {}", appended.trial)),
        Some(format!("landed {}", appended.at)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

/// The open version as Markdown, for a page, a milestone or a wiki: nothing in it is a command, a mention or markup of others.
pub fn version_markdown(versions: &Versions, coming: &Coming, home: &ProjectPath) -> String {
    let mut text = being_released_markdown(versions);
    if versions.content.is_empty() {
        text.push_str("Nothing has landed in the open version yet.\n");
        return text;
    }
    text.push_str(&format!(
        "The open version would be **{}**: {}.\n\n",
        coming.chosen.number,
        because(&coming.chosen)
    ));
    text.push_str(&change_set_rows(&versions.content, home));
    text.push_str(&around_markdown(coming));
    text
}

/// The version on its way, in a line for a terminal; nothing where there is none.
pub(super) fn being_released(versions: &Versions) -> String {
    versions
        .closing
        .as_ref()
        .map_or_else(String::new, |closing| {
            format!(
                "Being released: {} at {} ({})\n",
                closing.number,
                closing.commit.short(),
                counted(closing.content.len(), "change set")
            )
        })
}

/// The same as a paragraph of Markdown.
pub(super) fn being_released_markdown(versions: &Versions) -> String {
    versions
        .closing
        .as_ref()
        .map_or_else(String::new, |closing| {
            format!(
                "**{}** is being released at `{}` ({}).\n\n",
                closing.number,
                closing.commit.short(),
                counted(closing.content.len(), "change set")
            )
        })
}

/// A version that is out, in a line for a terminal.
pub(super) fn last_released(last: &Released) -> String {
    format!(
        "Last released: {} at {} ({})\n",
        last.number,
        last.commit.short(),
        last.at
    )
}

/// What came around the gate, as a list of Markdown; nothing where nothing did, or nobody looked.
pub(super) fn around_markdown(coming: &Coming) -> String {
    let Some(found) = coming.comparison.as_ref().filter(|c| !c.around.is_empty()) else {
        return String::new();
    };
    let mut text = "\nCame around the gate, untested by it:\n\n".to_owned();
    for one in found.around.iter().take(LISTED) {
        text.push_str(&format!(
            "- `{}` {} by {}\n",
            one.commit.short(),
            inert(&one.subject),
            inert(&one.author)
        ));
    }
    if found.around.len() > LISTED {
        text.push_str(&format!("- and {} more\n", found.around.len() - LISTED));
    }
    text
}

/// A table of change sets.
pub(super) fn change_set_rows(content: &[Appended], home: &ProjectPath) -> String {
    let mut text = String::from(
        "| change set | title | by | features | validated by | trial | commit |\n|---|---|---|---|---|---|---|\n",
    );
    for appended in content {
        let set = &appended.change_set;
        let features: Vec<String> = set
            .links
            .iter()
            .map(|link| match link.kind {
                LinkKind::Closes => format!("closes {}", link.feature.seen_from(home)),
                LinkKind::Contributes => link.feature.seen_from(home),
            })
            .collect();
        let verdicts = set.verdicts.iter();
        let validators: Vec<String> = verdicts
            .filter(|verdict| verdict.decision == Decision::Validate)
            .map(|verdict| format!("`{}` ({})", verdict.by, verdict.role))
            .collect();
        text.push_str(&format!(
            "| {} | {} | `{}` | {} | {} | {} | `{}` |\n",
            set.merge_request.seen_from(home),
            inert(&set.title).replace('|', "\\|"),
            set.author,
            features.join(", "),
            validators.join(", "),
            appended.trial,
            appended.landed.short()
        ));
    }
    text
}

/// The same for programs: `open`, `closing` and `released`, oldest first.
pub fn version_json(
    versions: &Versions,
    coming: &Coming,
    forward: Option<&(Number, Forward)>,
) -> String {
    let open = json!({
        "id": versions.open,
        "next_number": coming.chosen.number.version,
        "next_tag": coming.chosen.number.tag(),
        "because": because(&coming.chosen),
        "change_sets": versions.content,
        "held_by_this_commit": coming.content.len(),
        "commits": commits_json(coming),
    });
    format!(
        "{:#}",
        json!({
            "open": open, "closing": closing_json(versions), "released": released_json(versions),
            "forward": forward.map(|(number, forward)| forward_json(number, forward)),
        })
    )
}

/// The version on its way; null where there is none.
pub(super) fn closing_json(versions: &Versions) -> Value {
    versions.closing.as_ref().map_or(Value::Null, |closing| {
        json!({
            "id": closing.id,
            "package": closing.number.package,
            "number": closing.number.version,
            "tag": closing.number.tag(),
            "commit": closing.commit,
            "since": closing.at,
            "by": closing.by,
            "manifest_sha256": closing.manifest,
            "change_sets": closing.content,
            "around_the_gate": closing.around,
        })
    })
}

/// Released versions, oldest first.
pub(super) fn released_json(versions: &Versions) -> Value {
    let released = versions.released.iter().map(|released| {
        json!({
            "id": released.id,
            "package": released.number.package,
            "number": released.number.version,
            "tag": released.number.tag(),
            "commit": released.commit,
            "at": released.at,
            "change_sets": released.content,
        })
    });
    released.collect()
}

/// How the commits compare; null where they could not be read.
pub(super) fn commits_json(coming: &Coming) -> Value {
    coming.comparison.as_ref().map_or(Value::Null, |found| {
        json!({
            "around_the_gate": found.around,
            "not_in_the_log": found.unknown,
            "not_in_the_commits": found.absent,
        })
    })
}
