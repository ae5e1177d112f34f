//! The section as people write it, right and wrong.

use jiff::SignedDuration;
use jiff::civil::time;

use super::*;
use crate::config::Config;

const FULL: &str = "
roles:
  release: {users: [rita]}
notification:
  zone: Europe/Paris
  quiet: {from: '19:00', to: '08:00', days: [sat, sun]}
  channels:
    team: {kind: slack, url_variable: TEAM_URL, digest: '08:30', fallback: ops}
    room: {kind: mattermost, url_variable: ROOM_URL}
    board: {kind: teams, url_variable: BOARD_URL}
    ops: {kind: webhook, url_variable: OPS_URL, secret_variable: OPS_KEY}
    pager: {kind: command, command: [bin/page, --now], variables: [PAGER_KEY]}
  rules:
    alarms: {channels: [team]}
    ReleaseFailed: {channels: [team, pager], urgent: false}
    ChangeSetWithdrawn: {mention: false}
    news: {channels: []}
  reminders:
    validation_waiting: {after: 2h, every: 1d, most: 3, escalate: {after: 3d, roles: [release], channels: [ops]}}
    draft_stale: {most: 0}
";

#[test]
fn a_full_section_is_read() {
    let notification = Config::parse(FULL).unwrap().notification;
    let name = |text: &str| text.parse::<ChannelName>().unwrap();
    assert_eq!(notification.channels.len(), 5);
    assert_eq!(
        notification.channels[&name("pager")],
        Reach::Command {
            command: vec!["bin/page".into(), "--now".into()],
            variables: vec!["PAGER_KEY".into()],
        }
    );
    let rules = &notification.rules;
    assert_eq!(
        rules.channels[&name("team")].digest,
        Some(time(8, 30, 0, 0))
    );
    assert_eq!(rules.rules["news"].channels, Some(Vec::new()));
    let cadence = rules.reminders.of(Kind::ValidationWaiting);
    assert_eq!(cadence.every, SignedDuration::from_hours(24));
    assert_eq!(
        cadence.escalation.as_ref().unwrap().after,
        SignedDuration::from_hours(72)
    );
    assert_eq!(rules.reminders.of(Kind::DraftStale).most, 0);
    assert_eq!(
        rules.reminders.of(Kind::TicketWaiting),
        Reminders::default().of(Kind::TicketWaiting)
    );
    assert_eq!(
        rules.calendar.quiet.as_ref().unwrap().days,
        [Weekday::Saturday, Weekday::Sunday]
    );
}

#[test]
fn every_problem_is_named_with_its_path_and_what_would_be_accepted() {
    for (line, expected) in [
        (
            "zone: Mars/Olympus",
            "`notification.zone` is `Mars/Olympus`, which is no time zone",
        ),
        (
            "quiet: {from: '19', to: '08:00'}",
            "`notification.quiet.from` is `19`; a time of day looks like `'08:30'`",
        ),
        (
            "quiet: {from: '25:00', to: '08:00'}",
            "`notification.quiet.from` is `25:00`",
        ),
        (
            "quiet: {from: '19:00'}",
            "`notification.quiet` needs both `from` and `to`",
        ),
        (
            "quiet: {from: '19:00', to: '19:00'}",
            "the same `from` and `to`",
        ),
        (
            "quiet: {days: [mon, tue, wed, thu, fri, sat, sun]}",
            "nothing would ever be sent",
        ),
        (
            "quiet: {days: [monday]}",
            "`notification.quiet.days[0]` is `monday`; it may be `mon`,",
        ),
        (
            "channels: {team: {kind: irc}}",
            "`notification.channels.team.kind` is `irc`; it may be `slack`, `mattermost`, `teams`, `webhook` or `command`",
        ),
        (
            "channels: {team: {url_variable: X}}",
            "`notification.channels.team` has no `kind`",
        ),
        (
            "channels: {team: {kind: slack}}",
            "`notification.channels.team` needs `url_variable`",
        ),
        (
            "channels: {team: {kind: slack, url_variable: 'https://hooks.example/T0/secret'}}",
            "`notification.channels.team.url_variable` is an address; put it into a protected CI variable",
        ),
        (
            "channels: {team: {kind: slack, url_variable: TRAINYARD_GATE_TOKEN}}",
            "not for channels",
        ),
        (
            "channels: {p: {kind: command, command: [x], variables: [CI_JOB_TOKEN]}}",
            "`notification.channels.p.variables[0]`",
        ),
        (
            "channels: {p: {kind: command}}",
            "`notification.channels.p` needs `command`",
        ),
        (
            "channels: {Team: {kind: slack, url_variable: X}}",
            "`Team` is not a channel name",
        ),
        (
            "channels: {team: {kind: slack, url_variable: X, fallback: team}}",
            "is the channel itself",
        ),
        (
            "rules: {alarms: {channels: [nowhere]}}",
            "`notification.rules.alarms.channels` names the channel `nowhere`",
        ),
        (
            "rules: {LeaseGranted: {urgent: true}}",
            "`notification.rules.LeaseGranted` is nothing that channels are told; it may be `ChangeSetAppended`,",
        ),
        (
            "reminders: {validation_waiting: {most: 99}}",
            "`notification.reminders.validation_waiting.most` is not a number from 0 to 20",
        ),
        (
            "reminders: {validation_waiting: {after: soon}}",
            "`notification.reminders.validation_waiting.after` is `soon`",
        ),
        (
            "reminders: {lease_held: {escalate: {after: 1d}}}",
            "`notification.reminders.lease_held.escalate` tells nobody",
        ),
        (
            "reminders: {lease_held: {escalate: {after: 1d, roles: [boss]}}}",
            "names the role `boss`",
        ),
        (
            "reminders: {lunch: {after: 1d}}",
            "`notification.reminders.lunch` is not a key",
        ),
    ] {
        let problem = Config::parse(&format!("notification:\n  {line}\n")).unwrap_err();
        assert!(problem.what.contains(expected), "{line}\n{}", problem.what);
        assert!(!problem.what.contains("secret"), "{}", problem.what);
    }
}
