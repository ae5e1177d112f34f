//! Jobs that write while others archive and remove: no fact is lost, and none comes back.

use trainyard::domain::archive::{Anchor, Upkeep};
use trainyard::ports::{Append, Archive, Clock, Journal};
use trainyard_emulator::faults::{Effect, Rule};

use super::{
    Shifted, archive_and_remove, client, entries, environment, filler, half_an_hour_later,
    in_full_swing, journal, keys, lengthen, lengthen_log, project, tick, told,
};
use crate::stage::Stage;

fn ids(journal: &dyn Journal) -> Vec<String> {
    let log = journal.read().unwrap();
    log.events.iter().map(|event| event.id.clone()).collect()
}

/// A job reads the log and is stopped right before it writes; meanwhile the slot is taken, archived and removed.
#[test]
fn a_job_that_was_stopped_over_an_archive_and_a_removal_decides_again() {
    let stage = Stage::new();
    let shop = project(&stage);
    let (slow, quick) = (Shifted::default(), Shifted::default());
    let (slow_client, quick_client) = (client(&stage, &slow), client(&stage, &quick));
    let stopped = journal(&stage, &slow_client, &slow, "stopped");
    let others = journal(&stage, &quick_client, &quick, "others");
    lengthen(&others, &shop, 0..10);
    let view = stopped.read().unwrap();
    assert_eq!(view.revision, 10);
    lengthen(&others, &shop, 10..70);
    archive_and_remove(&stage);
    assert_eq!(entries(&stage), 0);
    // As long as it takes until an entry may be removed.
    slow.later(31);
    let own = filler(&shop, 500);
    let Append::Lost(log) = stopped
        .append(view.revision, std::slice::from_ref(&own))
        .unwrap()
    else {
        panic!("it took what it wrote before the base for recorded")
    };
    assert_eq!((log.revision, log.length()), (70, 0));
    assert_eq!(
        keys(&stage)
            .iter()
            .filter(|key| key.starts_with("TRAINYARD_LOG_"))
            .count(),
        1
    );
    assert!(
        !log.yard().has(&own),
        "what stands before the base is nothing"
    );
    let Append::Recorded(log) = stopped
        .append(log.revision, std::slice::from_ref(&own))
        .unwrap()
    else {
        panic!("nobody else wrote")
    };
    assert_eq!(log.revision, 71);
    assert_eq!(ids(&others), std::slice::from_ref(&own.id));
    // What it left behind goes with the next removal, and is told by nobody.
    half_an_hour_later(&stage);
    tick(&stage);
    assert!(!keys(&stage).contains(&"TRAINYARD_LOG_000011".to_owned()));
    let (_, _, events) = told(&stage);
    assert_eq!(events.iter().filter(|id| **id == own.id).count(), 1);
    assert_eq!(events.len(), 71);
}

/// The same for a job that proves by the next look at GitLab.
#[test]
fn a_job_that_was_stopped_before_an_entry_that_it_proves_later_decides_again() {
    let stage = Stage::new();
    let shop = project(&stage);
    let (slow, quick) = (Shifted::default(), Shifted::default());
    let (slow_client, quick_client) = (client(&stage, &slow), client(&stage, &quick));
    let stopped = journal(&stage, &slow_client, &slow, "stopped");
    lengthen(
        &journal(&stage, &quick_client, &quick, "others"),
        &shop,
        0..55,
    );
    let view = stopped.read().unwrap();
    lengthen(
        &journal(&stage, &quick_client, &quick, "others"),
        &shop,
        55..60,
    );
    archive_and_remove(&stage);
    slow.later(31);
    let append = stopped
        .append_unproved(view.revision, &[filler(&shop, 500)])
        .unwrap();
    assert!(matches!(append, Append::Lost(log) if log.revision == 60));
}

/// Until entries are removed, the slot itself says that somebody was faster: no look is needed, and none is made.
#[test]
fn a_job_that_writes_in_time_finds_its_slot_taken_although_it_is_archived() {
    let stage = Stage::new();
    let shop = project(&stage);
    let clock = Shifted::default();
    let (one, other) = (client(&stage, &clock), client(&stage, &clock));
    let (slow, quick) = (
        journal(&stage, &one, &clock, "slow"),
        journal(&stage, &other, &clock, "quick"),
    );
    lengthen(&quick, &shop, 0..10);
    let view = slow.read().unwrap();
    lengthen(&quick, &shop, 10..60);
    tick(&stage);
    tick(&stage);
    tick(&stage);
    let append = slow.append(view.revision, &[filler(&shop, 500)]).unwrap();
    assert!(matches!(append, Append::Lost(log) if log.revision == 60 && log.length() == 0));
    let Append::Recorded(_) = slow.append(60, &[filler(&shop, 500)]).unwrap() else {
        panic!("nobody else wrote")
    };
    stage.world.emulator.clear_requests();
    let Append::Recorded(_) = slow.append(61, &[filler(&shop, 501)]).unwrap() else {
        panic!("nobody else wrote")
    };
    assert_eq!(stage.world.emulator.requests().len(), 1);
}

#[test]
fn of_two_that_archive_at_once_one_makes_the_base_and_nothing_is_told_twice() {
    let (stage, _) = in_full_swing();
    let before = told(&stage);
    let together = Rule::new(Effect::Rendezvous { parties: 2 });
    let route = "projects/:id/packages/generic/:package_name/:package_version/:file_name";
    stage
        .world
        .emulator
        .faults()
        .add(together.on("PUT", route).times(2));
    let environment = environment(&stage);
    let run = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_trainyard"));
        command
            .arg("tick")
            .envs(environment.iter().map(|(key, value)| (key, value)));
        command.output().unwrap()
    };
    let said: Vec<String> = std::thread::scope(|scope| {
        let both = [scope.spawn(run), scope.spawn(run)];
        both.map(|one| String::from_utf8_lossy(&one.join().unwrap().stdout).into_owned())
            .into()
    });
    let archived = said
        .iter()
        .filter(|text| text.contains("are archived in"))
        .count();
    assert_eq!(archived, 1, "{said:#?}");
    let bases = keys(&stage)
        .iter()
        .filter(|key| key.starts_with("TRAINYARD_BASE_"))
        .count();
    assert_eq!((bases, told(&stage)), (1, before.clone()));
    archive_and_remove(&stage);
    assert_eq!((entries(&stage), told(&stage)), (0, before));
}

/// Whoever reads while entries are being removed sees the log as it is, whatever page it is at.
#[test]
fn a_base_covers_what_is_removed_in_the_middle_of_a_reading() {
    let stage = Stage::new();
    let shop = project(&stage);
    let clock = Shifted::default();
    let one = client(&stage, &clock);
    let log = journal(&stage, &one, &clock, "one");
    lengthen(&log, &shop, 0..130);
    tick(&stage);
    lengthen_log(&stage, 130..140);
    let whole = log.whole().unwrap();
    let Upkeep::Clear { anchors, .. } = whole.shelf.upkeep(clock.now()) else {
        panic!("{:?}", whole.shelf)
    };
    assert_eq!(anchors, [Anchor::FirstEntry]);
    let before = log.read().unwrap();
    for slot in [1, 2, 60, 129] {
        log.remove_entry(slot).unwrap();
        assert_eq!(log.read().unwrap().events, before.events);
    }
}
