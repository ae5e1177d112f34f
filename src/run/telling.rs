//! The commands `remind` and `notify`, which speak to people.

use std::collections::BTreeSet;

use super::Printed;
use super::job::leave_events;
use crate::channels::Post;
use crate::cli::{Notify, Remind};
use crate::domain::notification::rounds::Mode;
use crate::jobs::{Desk, Done, post, remind};
use crate::outcome::Problem;
use crate::ports::Answer;
use crate::report;

fn mode(flags: &Remind) -> Mode {
    if flags.dry_run { Mode::Dry } else { Mode::Real }
}

/// Makes a round of reminders.
pub(super) fn remind(desk: &Desk<'_>, flags: &Remind) -> Answer<Done> {
    let (rounds, events) = remind::run(desk, mode(flags))?;
    let zone = &desk.config.notification.rules.calendar.zone;
    let waiting = rounds.waiting.iter();
    let merge_requests: BTreeSet<_> = waiting
        .filter_map(|(waiting, _)| waiting.about.merge_request().cloned())
        .collect();
    let links: Vec<_> = merge_requests.into_iter().collect();
    let outcome = report::reminded(&rounds, mode(flags), zone, desk.clock.now());
    Ok(Done {
        outcome: outcome.seeing(report::change_set_links(&links, &desk.ci.server)),
        events,
    })
}

/// The same, for programs.
pub(super) fn remind_json(desk: &Desk<'_>, flags: &Remind) -> Answer<Printed> {
    let (rounds, events) = remind::run(desk, mode(flags))?;
    leave_events(desk.ci, &events)?;
    let text = report::reminded_json(&rounds, desk.clock.now());
    Ok(Printed::text(text))
}

/// Tries a channel.
pub(super) fn notify(desk: &Desk<'_>, flags: &Notify) -> Answer<Printed> {
    let channel = &flags.test;
    let channels = &desk.config.notification.channels;
    if !channels.contains_key(channel) {
        let known: Vec<String> = channels.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(Problem::misconfigured(
            format!("there is no channel `{channel}`; `notification.channels` defines {known}"),
            "name one of them, or define it in `.trainyard.yml` on the default branch",
        ));
    }
    let letter = post::test_letter(desk, channel);
    if flags.dry_run {
        let post = Post::new(channels, desk.ci, desk.clock);
        return Ok(Printed::text(
            post.preview(channel, &[letter]).unwrap_or_default(),
        ));
    }
    match desk.channels.deliver(channel, &[letter]).failure {
        None => Ok(Printed::text(format!(
            "ok: the channel `{channel}` took a test message"
        ))),
        Some(failure) => Err(Problem::misconfigured(
            format!(
                "the channel `{channel}` took no test message: {}",
                failure.reason
            ),
            failure.mend,
        )),
    }
}
