//! What the design says must always hold, looked for in what really happened: events, repository, GitLab's records and logs.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each check looks for the facts that it is about"
)]

use std::collections::{BTreeMap, BTreeSet};

use super::summary::Invariant;
use super::world::World;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{CommitSha, FeatureId, MergeRequestId};
use crate::domain::integration::ChangeSet;
use crate::domain::linking::LinkKind;
use crate::domain::validation::Decision;
use crate::domain::versioning::Appended;
use crate::domain::yard::Yard;
use crate::ports::Answer;

/// Checks every invariant that a finished story can show.
pub(super) fn check(world: &World, events: &[Event], yard: &Yard) -> Answer<Vec<Invariant>> {
    let landed = landed(events);
    Ok(vec![
        tested_is_landed(world, events, &landed)?,
        one_holder(events),
        nothing_is_lost(events, yard),
        nothing_is_done_twice(world, events, &landed)?,
        closing_is_validated(&landed),
        one_closer(&landed),
        first_come_first_served(events),
        version_is_what_is_merged(world, yard, &landed)?,
        no_secret_anywhere(world, events)?,
        bad_input_changes_nothing(world)?,
    ])
}

fn landed(events: &[Event]) -> Vec<&Appended> {
    let of = |event: &'_ Event| matches!(event.fact, Fact::ChangeSetAppended { .. });
    events
        .iter()
        .filter(|event| of(event))
        .filter_map(|event| {
            if let Fact::ChangeSetAppended { appended, .. } = &event.fact {
                Some(appended)
            } else {
                None
            }
        })
        .collect()
}

fn invariant(number: u8, held: bool, how: String) -> Invariant {
    Invariant { number, held, how }
}

fn tested_is_landed(world: &World, events: &[Event], landed: &[&Appended]) -> Answer<Invariant> {
    let candidates: BTreeMap<u64, (&CommitSha, &CommitSha)> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::TrialStarted {
                trial, candidate, ..
            } => Some((trial.0, (&candidate.commit, &candidate.base))),
            _ => None,
        })
        .collect();
    // What lands together lands one on the other: the first stands on the target's head, the last is the candidate.
    let mut trials: BTreeMap<u64, Vec<&Appended>> = BTreeMap::new();
    for appended in landed {
        trials.entry(appended.trial.0).or_default().push(appended);
    }
    let mut same = 0;
    for (trial, together) in &trials {
        let (Some((candidate, base)), [first, ..], [.., last]) =
            (candidates.get(trial), &together[..], &together[..])
        else {
            continue;
        };
        let tree = world.tree(last.landed.as_str())? == world.tree(candidate.as_str())?;
        let on_base = world.tree(&format!("{}^1", first.landed))? == world.tree(base.as_str())?;
        same += usize::from(tree && on_base);
    }
    let how = format!(
        "{} change sets landed by {} trials, {same} of them with, by git, the tree of the trial's candidate on the same target head",
        landed.len(),
        trials.len()
    );
    Ok(invariant(1, same == trials.len() && same > 0, how))
}

fn one_holder(events: &[Event]) -> Invariant {
    let (mut holder, mut grants, mut clashes) = (None, 0, 0);
    for event in events {
        match &event.fact {
            Fact::LeaseGranted { epoch, .. } => {
                grants += 1;
                clashes += usize::from(holder.is_some());
                holder = Some(*epoch);
            }
            Fact::LeaseReleased { epoch }
            | Fact::LeaseExpired { epoch, .. }
            | Fact::LeaseBroken { epoch, .. }
                if holder == Some(*epoch) =>
            {
                holder = None
            }
            _ => {}
        }
    }
    invariant(
        2,
        clashes == 0 && grants > 0,
        format!("{grants} leases in the log, none granted while another was in force"),
    )
}

fn nothing_is_lost(events: &[Event], yard: &Yard) -> Invariant {
    let mut seen = Yard::default();
    let mut queued = 0;
    for event in events {
        if let Fact::ChangeSetQueued { change_set } = &event.fact {
            // The same content on another head takes the place of its ticket.
            let joins = seen.queue.ticket(&change_set.merge_request).is_none();
            queued += usize::from(joins);
        }
        seen.apply(event);
    }
    let ended = events
        .iter()
        .filter(|event| {
            matches!(
                event.fact,
                Fact::ChangeSetAppended { .. }
                    | Fact::ChangeSetRejected { .. }
                    | Fact::ChangeSetConflicted { .. }
                    | Fact::ChangeSetWithdrawn { .. }
            )
        })
        .count();
    let open = yard.queue.tickets.len();
    invariant(
        3,
        queued == ended + open,
        format!("{queued} change sets were queued; {ended} ended with a reason, {open} still wait"),
    )
}

fn nothing_is_done_twice(
    world: &World,
    events: &[Event],
    landed: &[&Appended],
) -> Answer<Invariant> {
    let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    let once: BTreeSet<&MergeRequestId> = landed
        .iter()
        .map(|appended| &appended.change_set.merge_request)
        .collect();
    let mut states = 0;
    for appended in landed {
        let path = world.at(&format!(
            "merge_requests/{}/notes?per_page=100",
            appended.change_set.merge_request.iid
        ));
        let notes = world.read("root", &path)?;
        let ours = notes.as_array().into_iter().flatten().filter(|note| {
            note["body"]
                .as_str()
                .is_some_and(|b| b.starts_with("<!-- trainyard:state "))
        });
        states += usize::from(ours.count() == 1);
    }
    let tags = world
        .read("root", &world.at("repository/tags"))?
        .as_array()
        .map_or(0, Vec::len);
    let held = ids.len() == events.len()
        && once.len() == landed.len()
        && states == landed.len()
        && tags == 1;
    Ok(invariant(
        4,
        held,
        format!(
            "{} events, each once; {} appends and merges, each once; one state note on each; {tags} tag; a job was run again",
            events.len(),
            landed.len()
        ),
    ))
}

fn closes(change_set: &ChangeSet) -> Vec<&FeatureId> {
    change_set
        .links
        .iter()
        .filter(|link| link.kind == LinkKind::Closes)
        .map(|link| &link.feature)
        .collect()
}

fn closing_is_validated(landed: &[&Appended]) -> Invariant {
    let closing: Vec<_> = landed
        .iter()
        .filter(|appended| !closes(&appended.change_set).is_empty())
        .collect();
    let holders = BTreeMap::from([("po", "olga"), ("qa", "quentin")]);
    let valid = closing.iter().filter(|appended| {
        holders.iter().all(|(role, person)| {
            let given = |v: &crate::domain::validation::Verdict| {
                v.role.as_str() == *role
                    && v.by.as_str() == *person
                    && v.decision == Decision::Validate
                    && v.commit == appended.change_set.head
            };
            appended.change_set.verdicts.iter().any(given)
        })
    });
    let valid = valid.count();
    invariant(
        5,
        valid == closing.len() && valid > 0,
        format!(
            "{valid} of {} closing change sets landed with the verdicts of `po` and `qa`, on their content, by people who hold the roles",
            closing.len()
        ),
    )
}

fn one_closer(landed: &[&Appended]) -> Invariant {
    let mut closers: BTreeMap<&FeatureId, usize> = BTreeMap::new();
    for feature in landed
        .iter()
        .flat_map(|appended| closes(&appended.change_set))
    {
        *closers.entry(feature).or_default() += 1;
    }
    invariant(
        6,
        closers.values().all(|count| *count == 1) && !closers.is_empty(),
        format!(
            "{} features closed, each by one merge request; a second claim was refused",
            closers.len()
        ),
    )
}

fn first_come_first_served(events: &[Event]) -> Invariant {
    let mut yard = Yard::default();
    let (mut served, mut overtaken) = (0, 0);
    for event in events {
        if let Fact::ChangeSetUnqueued { merge_request, .. } = &event.fact {
            served += 1;
            overtaken += usize::from(yard.queue.rank(merge_request) != Some(1));
        }
        yard.apply(event);
    }
    invariant(
        7,
        overtaken == 0 && served > 0,
        format!(
            "{served} times a change set was taken for a trial, each time the first of the queue"
        ),
    )
}

fn version_is_what_is_merged(
    world: &World,
    yard: &Yard,
    landed: &[&Appended],
) -> Answer<Invariant> {
    let Some(released) = yard.versions.released.last() else {
        return Ok(invariant(8, false, "nothing was released".to_owned()));
    };
    let since_tag = world.merges(&format!("{}..main", released.number.tag()))?;
    let open: BTreeSet<String> = yard
        .versions
        .content
        .iter()
        .map(|appended| appended.landed.to_string())
        .collect();
    let before = world.merges(&released.number.tag())?;
    let out: BTreeSet<String> = released
        .content
        .iter()
        .map(|appended| appended.landed.to_string())
        .collect();
    let held = since_tag == open && before == out && open.len() + out.len() == landed.len();
    Ok(invariant(
        8,
        held,
        format!(
            "{} merges up to the tag are the released version, {} after it are the open one, by git",
            before.len(),
            since_tag.len()
        ),
    ))
}

fn no_secret_anywhere(world: &World, events: &[Event]) -> Answer<Invariant> {
    let mut places: Vec<String> = world
        .ran
        .iter()
        .map(|ran| ran.finished.trace.clone())
        .collect();
    places.push(serde_json::to_string(events).unwrap_or_default());
    for ran in &world.ran {
        let reports = ["junit", "annotations", "dotenv"]
            .into_iter()
            .filter_map(|kind| world.emulator.job_report(ran.finished.id, kind));
        places.extend(reports.map(|report| String::from_utf8_lossy(&report).into_owned()));
    }
    for iid in 1..=7 {
        places.push(
            world
                .read(
                    "root",
                    &world.at(&format!("merge_requests/{iid}/notes?per_page=100")),
                )?
                .to_string(),
        );
    }
    let state = world.read("root", &world.at("variables?per_page=100"))?;
    let state = state.as_array().into_iter().flatten().filter(|v| {
        v["environment_scope"]
            .as_str()
            .is_some_and(|s| s.starts_with("trainyard/"))
    });
    places.extend(state.map(ToString::to_string));
    let leaks = world
        .secrets()
        .filter(|secret| places.iter().any(|text| text.contains(secret)))
        .count();
    Ok(invariant(
        9,
        leaks == 0,
        format!(
            "none of {} tokens in {} job logs, reports, notes, events and state variables",
            world.secrets().count(),
            places.len()
        ),
    ))
}

fn bad_input_changes_nothing(world: &World) -> Answer<Invariant> {
    let before = world.state_of_project()?;
    let without = world.program(&[], &["link-check"])?;
    let mut wrong = world.gate_environment();
    wrong.retain(|(key, _)| key != "TRAINYARD_GATE_TOKEN");
    wrong.push((
        "TRAINYARD_GATE_TOKEN".to_owned(),
        "glpat-nobody-knows-this-one".to_owned(),
    ));
    let denied = world.program(&wrong, &["nrt-lock", "admit", "--merge-request", "7"])?;
    let held = without.code == Some(2)
        && denied.code == Some(4)
        && denied.said.contains("TRAINYARD_GATE_TOKEN")
        && world.state_of_project()? == before;
    Ok(invariant(
        10,
        held,
        format!(
            "outside of CI: exit {:?}; with a wrong token: exit {:?}, naming its variable; nothing changed in either",
            without.code.unwrap_or(-1),
            denied.code.unwrap_or(-1)
        ),
    ))
}
