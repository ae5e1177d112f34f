//! Quick actions about time, days, lists and attention: estimates, due dates, to-do items, subscriptions, emoji, locks.

use jiff::civil::{Date, Weekday};
use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use crate::clock;
use crate::issuable_details as details;
use crate::issuables;
use crate::quick_action_effects::{Effect, effect};
use crate::quick_actions::Command;
use crate::shared::Shared;
use crate::store::awards::{Award, Awardable};
use crate::store::notes::Noteable;
use crate::store::todos::TodoAction;
use crate::time_tracking as times;

/// Does one action of this file; the outer nothing says that it is none of them.
pub(crate) fn apply(
    shared: &Shared,
    user: u64,
    noteable: Noteable,
    command: &Command,
) -> Option<Option<Effect>> {
    let argument = command.argument.as_str();
    Some(match command.name.as_str() {
        "estimate" | "estimate_time" => estimate(shared, user, noteable, argument),
        "remove_estimate" | "remove_time_estimate" => remove_estimate(shared, user, noteable),
        "spend" | "spent" | "spend_time" => spend(shared, user, noteable, argument),
        "remove_time_spent" => remove_spent(shared, user, noteable),
        "due" => due(shared, user, noteable, argument),
        "remove_due_date" => remove_due(shared, user, noteable),
        "todo" | "done" => todo(shared, user, noteable, command.name == "todo"),
        "subscribe" | "unsubscribe" => {
            subscribe(shared, user, noteable, command.name == "subscribe")
        }
        "react" | "award" => react(shared, user, noteable, argument),
        "lock" | "unlock" => lock(shared, user, noteable, command.name == "lock"),
        "severity" => severity(shared, user, noteable, argument),
        "promote_to_incident" => promote(shared, user, noteable),
        _ => return None,
    })
}

fn estimate(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let Some(seconds) = times::parse(argument).filter(|seconds| *seconds >= 0) else {
        return Some(Effect::refused(
            "Time estimate must have a valid format and be greater than or equal to zero.",
        ));
    };
    times::set_estimate(&mut state, noteable, seconds, user, now);
    let summary = match times::output(seconds) {
        Some(text) => format!("Set time estimate to {text}."),
        None => "Removed time estimate.".to_owned(),
    };
    effect("time_estimate", json!(seconds), summary)
}

fn remove_estimate(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    times::set_estimate(&mut state, noteable, 0, user, now);
    effect("time_estimate", json!(0), "Removed time estimate.")
}

fn spend(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let today = clock::day(now);
    let (mut words, mut day) = (Vec::new(), None);
    for word in argument.split_whitespace() {
        match word.replace(['/', '.'], "-").parse::<Date>() {
            Ok(date) if word.len() >= 8 => day = Some(date),
            Ok(_) | Err(_) => words.push(word),
        }
    }
    let seconds = times::parse(&words.join(" ")).filter(|seconds| *seconds != 0);
    let (Some(seconds), true) = (seconds, day.is_none_or(|day| day <= today)) else {
        return Some(Effect::nothing());
    };
    if !times::spend(&mut state, noteable, (seconds, day), None, user, now) {
        return Some(Effect::refused(
            "Time to subtract exceeds the total time spent",
        ));
    }
    let at = day.map_or_else(|| clock::iso(now), |day| format!("{day}T12:00:00.000Z"));
    let value =
        json!({ "duration": seconds, "user_id": user, "spent_at": at, "category": Value::Null });
    let verb = if seconds > 0 { "Added" } else { "Subtracted" };
    let length = times::output(seconds).unwrap_or_default();
    effect("spend_time", value, format!("{verb} {length} spent time."))
}

fn remove_spent(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    times::reset_spent(&mut state, noteable, user, now);
    let value = json!({ "duration": "reset", "user_id": user });
    effect("spend_time", value, "Removed spent time.")
}

fn issue_id(noteable: Noteable) -> Option<u64> {
    match noteable {
        Noteable::Issue(id) => Some(id),
        Noteable::MergeRequest(_) => None,
    }
}

fn due(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    issuables::may_administer(&state, user, noteable).then_some(())?;
    let Some(day) = day_named(argument, now) else {
        return Some(Effect::said(
            "Failed to set due date because the date format is invalid.",
        ));
    };
    details::set_due_date(&mut state, issue, Some(day), user, now);
    let text = format!("Set the due date to {}.", day.strftime("%b %-d, %Y"));
    effect("due_date", json!(day.to_string()), text)
}

/// A day as people write it: `2026-01-31`, `today`, `tomorrow`, `in 2 weeks`, `friday`, `December 31st`.
fn day_named(text: &str, now: Timestamp) -> Option<Date> {
    let today = clock::day(now);
    let text = text.trim().to_lowercase();
    if let Ok(day) = text.parse() {
        return Some(day);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["today"] => Some(today),
        ["tomorrow"] => Some(today.saturating_add(Span::new().days(1))),
        ["in", count, unit] => {
            let count: i32 = count
                .parse()
                .ok()
                .filter(|count| (0..10_000).contains(count))?;
            let span = match unit.trim_end_matches('s') {
                "day" => Span::new().days(count),
                "week" => Span::new().weeks(count),
                "month" => Span::new().months(count),
                "year" => Span::new().years(count),
                _ => return None,
            };
            Some(today.saturating_add(span))
        }
        ["this" | "next", name] | [name] if weekday(name).is_some() => {
            let next = today.nth_weekday(1, weekday(name)?).ok()?;
            let later =
                words.first() == Some(&"next") && next.duration_since(today).as_hours() < 48;
            Some(if later {
                next.saturating_add(Span::new().weeks(1))
            } else {
                next
            })
        }
        [month, day] => {
            let month = (1_i8..).zip(MONTHS).find(|(_, name)| {
                month.len() >= 3 && name.starts_with(month.trim_end_matches('.'))
            })?;
            let digits = day.trim_end_matches(|c: char| !c.is_ascii_digit());
            let date = Date::new(today.year(), month.0, digits.parse().ok()?).ok()?;
            Some(if date < today {
                date.saturating_add(Span::new().years(1))
            } else {
                date
            })
        }
        _ => None,
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

fn remove_due(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    let known = state.issues.get(issue)?.due_date.is_some();
    (known && issuables::may_administer(&state, user, noteable)).then_some(())?;
    details::set_due_date(&mut state, issue, None, user, now);
    effect("due_date", Value::Null, "Removed the due date.")
}

fn todo(shared: &Shared, user: u64, noteable: Noteable, add: bool) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    if add {
        state.add_todo(user, noteable, user, TodoAction::Marked, None, now)?;
        return effect("todo_event", json!("add"), "Added a to-do item.");
    }
    state.has_pending_todo(user, noteable).then_some(())?;
    state.finish_todos(user, noteable, now);
    effect("todo_event", json!("done"), "Marked to-do item as done.")
}

fn subscribe(shared: &Shared, user: u64, noteable: Noteable, on: bool) -> Option<Effect> {
    let mut state = shared.state();
    (state.is_subscribed(user, noteable) != on).then_some(())?;
    let project = issuables::project_of(&state, noteable);
    state.subscribe(user, noteable, project, on);
    let (event, text) = if on {
        ("subscribe", "Subscribed to notifications.")
    } else {
        ("unsubscribe", "Unsubscribed from notifications.")
    };
    effect("subscription_event", json!(event), text)
}

fn react(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let name = argument
        .strip_prefix(':')
        .and_then(|rest| rest.split(':').next())
        .filter(|name| !name.is_empty())?
        .to_owned();
    let known = state
        .awards_on(noteable)
        .find(|award| award.user_id == user && award.name == name)
        .map(|award| award.id);
    match known {
        Some(id) => {
            state.awards.remove(id);
        }
        None => {
            let project_id = issuables::project_of(&state, noteable);
            state.awards.insert(|id| Award {
                id,
                project_id,
                target: Awardable::Noteable(noteable),
                user_id: user,
                name: name.clone(),
                created_at: now,
            });
        }
    }
    let text = format!("Toggled :{name}: emoji reaction.");
    effect("emoji_award", json!(name), text)
}

fn lock(shared: &Shared, user: u64, noteable: Noteable, on: bool) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    issuables::may_administer(&state, user, noteable).then_some(())?;
    details::set_locked(&mut state, noteable, Some(on), user, now).then_some(())?;
    let verb = if on { "Locked" } else { "Unlocked" };
    effect(
        "discussion_locked",
        json!(on),
        format!("{verb} the discussion."),
    )
}

fn severity(shared: &Shared, user: u64, noteable: Noteable, argument: &str) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    let row = state.issues.get(issue)?;
    let incident = row.issue_type == "incident";
    (incident && issuables::may_administer(&state, user, noteable)).then_some(())?;
    let wanted = argument.to_lowercase();
    let found = [
        ["critical", "s1", "1"],
        ["high", "s2", "2"],
        ["medium", "s3", "3"],
        ["low", "s4", "4"],
        ["unknown", "unknown", "0"],
    ]
    .into_iter()
    .find(|names| names.contains(&wanted.as_str()));
    let Some([name, _, _]) = found else {
        return Some(Effect::said("No severity matches the provided parameter"));
    };
    if let Some(row) = state.issues.get_mut(issue) {
        name.clone_into(&mut row.severity);
    }
    let title = capital(name);
    let long = match name {
        "unknown" => "Unknown".to_owned(),
        _ => {
            let number = ["critical", "high", "medium", "low"];
            let at = number.iter().position(|known| *known == name).unwrap_or(0) + 1;
            format!("{title} - S{at}")
        }
    };
    let text = format!("changed the severity to **{long}**");
    issuables::add_system_note(&mut state, noteable, user, now, &text);
    Some(Effect::said(format!("Severity updated to {title}.")))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn promote(shared: &Shared, user: u64, noteable: Noteable) -> Option<Effect> {
    let (mut state, now) = (shared.state(), shared.clock.now());
    let issue = issue_id(noteable)?;
    let other = state.issues.get(issue)?.issue_type != "incident";
    (other && issuables::may_administer(&state, user, noteable)).then_some(())?;
    details::set_type(&mut state, issue, "incident", user, now);
    effect(
        "issue_type",
        json!("incident"),
        "Issue has been promoted to incident",
    )
}

#[cfg(test)]
mod tests {
    use super::day_named;

    #[test]
    fn days_are_read_as_people_write_them() {
        let now = "2026-01-07T10:00:00Z".parse().unwrap();
        for (text, day) in [
            ("2016-08-28", "2016-08-28"),
            ("tomorrow", "2026-01-08"),
            ("in 2 days", "2026-01-09"),
            ("in 1 week", "2026-01-14"),
            ("this Friday", "2026-01-09"),
            ("December 31st", "2026-12-31"),
            ("jan 3", "2027-01-03"),
        ] {
            let found = day_named(text, now).map(|day| day.to_string());
            assert_eq!(found.as_deref(), Some(day), "{text}");
        }
        assert_eq!(day_named("soonish", now), None);
    }
}
