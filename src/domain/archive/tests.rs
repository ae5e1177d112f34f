//! When entries may be removed, and what packages are called.

use jiff::SignedDuration;

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

fn shelf(
    bases: &[(u64, u64)],
    cleared: &[(u64, i64, u64)],
    slots: std::ops::RangeInclusive<u64>,
) -> Shelf {
    Shelf {
        bases: bases.iter().copied().collect(),
        cleared: cleared
            .iter()
            .map(|(g, minutes, slot)| {
                (
                    *g,
                    Cleared {
                        at: at(*minutes),
                        slot: *slot,
                    },
                )
            })
            .collect(),
        slots: slots.collect(),
    }
}

#[test]
fn without_a_base_nothing_is_removed() {
    let log = shelf(&[], &[], 1..=900);
    assert_eq!((log.upkeep(at(9_999)), log.due()), (Upkeep::Rest, None));
}

#[test]
fn anchors_below_the_base_go_first_and_what_it_covers_half_an_hour_later() {
    let new = shelf(&[(1, 50)], &[], 1..=60);
    let clear = Upkeep::Clear {
        generation: 1,
        slot: 50,
        anchors: vec![Anchor::FirstEntry],
    };
    assert_eq!(
        (new.upkeep(at(0)), new.due()),
        (clear, Some(Timestamp::MIN))
    );
    let cleared = shelf(&[(1, 50)], &[(1, 100, 50)], 2..=60);
    assert_eq!(cleared.upkeep(at(129)), Upkeep::Rest);
    assert_eq!(cleared.due(), Some(at(130)));
    let remove = Upkeep::Remove {
        slots: (2..=50).collect(),
        notes: vec![],
    };
    assert_eq!(cleared.upkeep(at(130)), remove);
    let done = shelf(&[(1, 50)], &[(1, 100, 50)], 51..=60);
    assert_eq!((done.upkeep(at(999)), done.due()), (Upkeep::Rest, None));
}

#[test]
fn a_younger_base_does_not_keep_what_an_older_one_covered_from_being_removed() {
    let both = shelf(&[(2, 90)], &[(1, 100, 50), (2, 120, 90)], 2..=95);
    let older = Upkeep::Remove {
        slots: (2..=50).collect(),
        notes: vec![],
    };
    assert_eq!(both.upkeep(at(130)), older);
    let newer = Upkeep::Remove {
        slots: (2..=90).collect(),
        notes: vec![1],
    };
    assert_eq!(both.upkeep(at(150)), newer);
    let older_gone = shelf(&[(2, 90)], &[(1, 100, 50), (2, 120, 90)], 51..=95);
    assert_eq!(older_gone.upkeep(at(140)), Upkeep::Rest);
    assert_eq!(older_gone.due(), Some(at(150)));
}

#[test]
fn what_is_written_late_or_on_nothing_is_looked_for() {
    let view = |at_once| View {
        began: at(10),
        at_once,
    };
    assert!(view(false).makes_certain(7, at(11)));
    assert!(
        !view(true).makes_certain(7, at(12)),
        "the slot can have been archived since"
    );
    assert!(
        !view(true).makes_certain(7, at(9)),
        "a clock that was set back says nothing"
    );
    assert!(
        !view(false).makes_certain(0, at(10)) && view(true).makes_certain(0, at(10)),
        "an empty log may be one that was not shown"
    );
    assert!(VIEW < KEPT);
}

#[test]
fn the_name_of_a_package_says_what_it_holds() {
    let named = |number: Option<&str>| Holding {
        from: 51,
        to: 120,
        number: number.map(|text| Version::parse(text).unwrap()),
        digest: "0123456789ab".to_owned(),
    };
    for (number, name) in [
        (None, "000051-000120-0123456789ab"),
        (Some("1.4.0"), "000051-000120-1.4.0-0123456789ab"),
        (
            Some("1.4.0-rc.1+build"),
            "000051-000120-1.4.0-rc.1_build-0123456789ab",
        ),
    ] {
        assert_eq!(named(number).to_string(), name);
        assert_eq!(name.parse(), Ok(named(number)));
    }
    for stranger in [
        "1.4.0",
        "000051-000120",
        "51-120-0123456789ab",
        "000120-000051-0123456789ab",
        "000051-000120-x-0123456789ab",
        "",
    ] {
        assert_eq!(stranger.parse::<Holding>(), Err(()), "{stranger}");
    }
}

#[test]
fn entries_that_no_package_holds_are_told() {
    let holding = |from, to| Holding {
        from,
        to,
        number: None,
        digest: "0123456789ab".to_owned(),
    };
    let some = [holding(11, 20), holding(1, 4), holding(15, 30)];
    assert_eq!(gaps(&some, 1, 40), [(5, 10), (31, 40)]);
    assert_eq!(gaps(&some, 11, 25), []);
    assert_eq!(gaps(&[], 1, 3), [(1, 3)]);
}
