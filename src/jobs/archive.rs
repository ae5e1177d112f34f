//! Keeps the log short: its beginning goes into the archive, a base takes its place, and later its entries are removed. Called at the
//! end of a release and by every tick; what one of them does not finish, the next one does. What may be removed, and when, is
//! decided in the domain.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::Timestamp;

use super::Desk;
use super::ledger::Ledger;
use crate::checkpoint::Checkpoint;
use crate::domain::archive::{Base, Cleared, ENOUGH, Holding, Upkeep, gaps};
use crate::domain::digest::sha256;
use crate::domain::event::Event;
use crate::domain::ids::{MergeRequestId, ProjectPath};
use crate::domain::integration::MergeRequestState;
use crate::domain::yard::Yard;
use crate::ports::{Answer, Archive, Journal, Package, Unpacked, Whole};
use crate::report;
use crate::sinks::cloud_event;

/// So many entries are removed at most by one job: a log that was never archived holds thousands, and each costs a request.
const REMOVED_AT_ONCE: usize = 400;

/// After a release: its entries go into the archive, however few they are. Tells what was done; a failure is told, and fails nothing.
pub(super) fn after_release(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Vec<String> {
    told(attempt(desk, ledger, 1))
}

/// At every tick: the log is archived when it is long, and what was archived long enough ago is removed.
pub(super) fn at_tick(desk: &Desk<'_>, ledger: &Ledger<'_>) -> Vec<String> {
    told(attempt(desk, ledger, ENOUGH))
}

fn told(done: Answer<Vec<String>>) -> Vec<String> {
    done.unwrap_or_else(|problem| vec![report::not_archived(&problem)])
}

fn attempt(desk: &Desk<'_>, ledger: &Ledger<'_>, least: u64) -> Answer<Vec<String>> {
    let Some(archive) = desk.journal.archive() else {
        return Ok(Vec::new());
    };
    let (length, upkeep) = ledger.length()?;
    let now = desk.clock.now();
    if length < least && upkeep.is_none_or(|due| due > now) {
        return Ok(Vec::new());
    }
    let known = ledger.log()?;
    if upkeep.is_none_or(|due| due > now) && archive.is_sure_of(known.revision) {
        let line = pack(
            desk,
            archive,
            known.base.as_ref(),
            known.slots(),
            &known.events,
        )?;
        return Ok(Vec::from_iter(line));
    }
    // The log as it is now: what this job saw of it can be old.
    let whole = archive.whole()?;
    let mut lines = Vec::from_iter(keep_up(desk, archive, &whole)?);
    if whole.entries.len() as u64 >= least
        && let (Some((from, _)), Some((to, _))) = (whole.entries.first(), whole.entries.last())
    {
        let slots = *from..=*to;
        let events = whole.entries.into_iter().flat_map(|(_, events)| events);
        let events: Vec<Event> = events.collect();
        lines.extend(pack(desk, archive, whole.base.as_ref(), slots, &events)?);
    }
    Ok(lines)
}

/// Removes what is to be removed.
fn keep_up(desk: &Desk<'_>, archive: &dyn Archive, whole: &Whole) -> Answer<Option<String>> {
    match whole.shelf.upkeep(desk.clock.now()) {
        Upkeep::Rest => Ok(None),
        Upkeep::Clear {
            generation,
            slot,
            anchors,
        } => {
            for anchor in anchors {
                archive.remove_anchor(anchor)?;
            }
            // After the last of them is gone: the time until entries are removed begins here.
            let at = desk.clock.now();
            archive.note_cleared(generation, Cleared { at, slot })?;
            Ok(None)
        }
        Upkeep::Remove { slots, notes } => {
            let some = slots.len().min(REMOVED_AT_ONCE);
            for slot in &slots[..some] {
                archive.remove_entry(*slot)?;
            }
            let left = slots.len() - some;
            if left == 0 {
                for generation in notes {
                    archive.remove_note(generation)?;
                }
            }
            Ok((some > 0).then(|| report::removed(some, left)))
        }
    }
}

/// Puts the entries behind the base into a package, and makes a base of the state after them.
fn pack(
    desk: &Desk<'_>,
    archive: &dyn Archive,
    before: Option<&Arc<Base>>,
    slots: RangeInclusive<u64>,
    events: &[Event],
) -> Answer<Option<String>> {
    if slots.is_empty() {
        return Ok(None);
    }
    let mut yard = before.map_or_else(Yard::default, |base| base.state.clone());
    for event in events {
        yard.apply(event);
    }
    let gone = gone(desk, &yard)?;
    let state = yard.without_the_past(&gone, &desk.config.notification.rules);
    let checkpoint = Checkpoint::of(&state, *slots.end(), desk.clock.now())?;
    let text: String = events
        .iter()
        .map(|event| cloud_event::to_line(event, &desk.ci.project_url) + "\n")
        .collect();
    let holding = Holding {
        from: *slots.start(),
        to: *slots.end(),
        number: Holding::number_in(events),
        digest: digest(&text),
    };
    archive.pack(&holding, &text, &checkpoint)?;
    let generation = before.map_or(0, |base| base.generation) + 1;
    // Where another job was faster its base counts, and the package says again what another one says.
    let ours = archive.set_base(generation, &checkpoint)?;
    Ok(ours.then(|| report::archived(&archive.name(&holding), events.len())))
}

fn digest(text: &str) -> String {
    sha256(text).chars().take(12).collect()
}

/// Of the merge requests that only memory holds, those that are merged, closed or deleted. What is in a released version was merged,
/// and nothing opens a merged one again: of those GitLab is not asked.
fn gone(desk: &Desk<'_>, yard: &Yard) -> Answer<BTreeSet<MergeRequestId>> {
    let mut asked: BTreeMap<ProjectPath, Vec<u64>> = BTreeMap::new();
    let maybe = yard.may_be_gone();
    let released = yard.versions.released.iter();
    let landed = released.flat_map(|version| &version.content);
    let landed: BTreeSet<&MergeRequestId> = landed
        .map(|appended| &appended.change_set.merge_request)
        .collect();
    let (mut gone, maybe): (BTreeSet<MergeRequestId>, BTreeSet<MergeRequestId>) =
        maybe.into_iter().partition(|id| landed.contains(id));
    for id in maybe {
        asked.entry(id.project).or_default().push(id.iid);
    }
    for (project, iids) in asked {
        let there = match desk.of(&project) {
            Ok(there) => there,
            Err(problem) => {
                // Nothing is known of its merge requests, so nothing is forgotten.
                tracing::warn!("{}", problem.full_text());
                continue;
            }
        };
        let found = there.merge_requests.merge_requests(&iids)?;
        let open: BTreeSet<u64> = found
            .iter()
            .filter(|one| one.state == MergeRequestState::Open)
            .map(|one| one.id.iid)
            .collect();
        let closed = iids.into_iter().filter(|iid| !open.contains(iid));
        gone.extend(closed.map(|iid| MergeRequestId {
            project: project.clone(),
            iid,
        }));
    }
    Ok(gone)
}

/// Everything that happened, as far as it is still told anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The events of the archive and of the log, each once, in their order.
    pub events: Vec<Event>,
    /// What cannot be told, in words.
    pub missing: Vec<String>,
}

/// Reads the archive and the log, as far back as an instant.
///
/// # Errors
/// When the log cannot be read, or GitLab cannot be asked.
pub fn history(journal: &dyn Journal, since: Timestamp) -> Answer<History> {
    let log = journal.read()?;
    let mut history = History::default();
    // What the base covers happened before its last event.
    let base = log.base.as_ref().filter(|base| base.state.last >= since);
    if let (Some(archive), Some(base)) = (journal.archive(), base) {
        let mut packages = archive.packages(since)?;
        packages.sort_by_key(|package| (package.holding.to, package.at));
        // What was packed before the instant need not be there.
        let oldest = packages.iter().map(|package| package.holding.from).min();
        let first = oldest.filter(|_| since > Timestamp::MIN).unwrap_or(1);
        let holdings = packages.iter().map(|package| &package.holding);
        for (from, to) in gaps(holdings, first, base.slot) {
            history.missing.push(report::package_missing(from, to));
        }
        for package in &packages {
            match unpacked(archive, package)? {
                Unpacked::Whole(events) => history.events.extend(events),
                Unpacked::Damaged(how) => {
                    let name = archive.name(&package.holding);
                    history.missing.push(report::package_damaged(&name, &how));
                }
            }
        }
    }
    history.events.extend(log.events);
    let mut known = BTreeSet::new();
    let is_told = |event: &Event| event.at >= since && known.insert(event.id.clone());
    history.events.retain(is_told);
    Ok(history)
}

fn unpacked(archive: &dyn Archive, package: &Package) -> Answer<Unpacked<Vec<Event>>> {
    let text = match archive.unpack(package)? {
        Unpacked::Whole(text) => text,
        Unpacked::Damaged(how) => return Ok(Unpacked::Damaged(how)),
    };
    if digest(&text) != package.holding.digest {
        let how = "its checksum is not the one in its name, so it was changed after it was stored";
        return Ok(Unpacked::Damaged(how.to_owned()));
    }
    let reading = cloud_event::read_lines(text.as_bytes());
    Ok(match reading.bad.first() {
        Some(bad) => Unpacked::Damaged(format!("line {} is no event: {}", bad.number, bad.error)),
        None => Unpacked::Whole(reading.events),
    })
}
