//! `trainyard remind`: tells what quiet hours, digests and failures held back, and reminds people of what has waited too long.
//! Runs in a scheduled pipeline of the default branch.
//!
//! What waits is read from the log and from GitLab's records of the merge requests that are open; nothing polls, and nothing
//! is remembered but what was sent.

mod looking;
mod turning;

use super::ledger::Ledger;
use super::post::{self, Eagerness};
use super::{Desk, tell};
use crate::domain::event::Event;
use crate::domain::notification::reminder::Turns;
use crate::domain::notification::rounds::{Mentioned, Mode, Rounds};
use crate::ports::Answer;
use looking::{look, of_the_yard};
use turning::Turned;

/// Does what is due now.
///
/// # Errors
/// When GitLab cannot be asked, or the log cannot be written.
pub fn run(desk: &Desk<'_>, mode: Mode) -> Answer<(Rounds, Vec<Event>)> {
    let ledger = Ledger::new(*desk);
    if mode == Mode::Real {
        tell::alert_all(desk, &ledger)?;
    }
    let mut seen = look(desk, &ledger.yard()?)?;
    if mode == Mode::Real {
        ledger.record(&seen.rejections)?;
    }
    let yard = ledger.yard()?;
    seen.waiting.extend(of_the_yard(desk, &yard)?);
    let mut rounds = Rounds {
        left_out: seen.left_out,
        ..Rounds::default()
    };
    let mut told = Vec::new();
    let mut reminders = Vec::new();
    for waiting in seen.waiting {
        let cadence = desk.config.notification.rules.reminders.of(waiting.kind);
        let calendar = &desk.config.notification.rules.calendar;
        let Turns { due, next } = waiting.turns(cadence, calendar, desk.clock.now());
        for turn in &due {
            let reminder = Turned::of(desk, &waiting, turn)?;
            if let Some(id) = reminder.to_mention(desk, &yard, &seen.notes) {
                if mode == Mode::Real {
                    reminder.mention(desk, &id, &seen.notes)?;
                }
                told.push(waiting.reminded(turn, &reminder.people));
                rounds.mentioned.push(Mentioned {
                    merge_request: id,
                    people: reminder.people.clone(),
                    key: waiting.key(turn),
                });
            }
            reminders.push(reminder.for_channels());
        }
        rounds.waiting.push((waiting, next));
    }
    if mode == Mode::Real {
        ledger.record(&told)?;
    }
    if !desk.config.notification.channels.is_empty() && mode == Mode::Real {
        rounds.handed = post::deliver(desk, &ledger, &reminders, Eagerness::Eager)?;
    }
    for channel in desk.config.notification.channels.keys() {
        if let Some(obstacle) = desk.channels.obstacle(channel) {
            let why = format!("{} ({})", obstacle.reason, obstacle.mend);
            rounds.unready.push((channel.clone(), why));
        }
    }
    let yard = ledger.yard()?;
    let over = post::over(desk, &yard);
    for (channel, pending) in post::pending(desk, &yard, &reminders, &over) {
        let held = pending
            .into_iter()
            .map(|pending| (channel.clone(), pending));
        rounds.held.extend(held);
    }
    Ok((rounds, ledger.into_events()))
}
