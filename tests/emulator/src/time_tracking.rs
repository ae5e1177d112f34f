//! Estimates and time spent: GitLab's way to write durations, and what changes of them leave behind.
//!
//! A day has eight hours, a week five days, a month four weeks; a bare number means hours.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::clock;
use crate::issuables::{add_system_note, project_of, touch};
use crate::store::State;
use crate::store::notes::Noteable;
use crate::store::time_logs::TimeLog;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 8 * HOUR;
const WEEK: i64 = 5 * DAY;
const MONTH: i64 = 4 * WEEK;
const YEAR: i64 = 31_557_600;

/// The seconds of a duration such as `1w 2d 3h30m`, negative with a leading `-`; nothing for a text that is none.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.as_str()),
    };
    let mut total = 0.0;
    let mut numbers = 0;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "" => HOUR,
            word => unit(word)?,
        };
        rest = rest[end..].trim_start_matches([' ', ',']);
        numbers += 1;
        total += number * seconds(unit);
    }
    // The value was just checked to be a plain number of seconds.
    let whole = (numbers > 0).then(|| format!("{total:.0}").parse::<i64>().ok())??;
    Some(sign * whole)
}

fn seconds(unit: i64) -> f64 {
    i32::try_from(unit).map_or(0.0, f64::from)
}

fn unit(word: &str) -> Option<i64> {
    Some(match word {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "d" | "dy" | "day" | "days" => DAY,
        "w" | "wk" | "wks" | "week" | "weeks" => WEEK,
        "mo" | "mos" | "month" | "months" => MONTH,
        "y" | "yr" | "yrs" | "year" | "years" => YEAR,
        _ => return None,
    })
}

/// A duration as GitLab writes it; nothing for none at all.
pub(crate) fn output(seconds: i64) -> Option<String> {
    let mut rest = seconds.abs();
    let mut parts = Vec::new();
    for (length, letter) in [
        (MONTH, "mo"),
        (WEEK, "w"),
        (DAY, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (1, "s"),
    ] {
        if rest >= length {
            parts.push(format!("{}{letter}", rest / length));
            rest %= length;
        }
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The four numbers and texts of `time_stats`.
pub(crate) fn stats(state: &State, noteable: Noteable) -> Value {
    let (estimate, spent) = (state.time_estimate(noteable), state.time_spent(noteable));
    json!({
        "time_estimate": estimate,
        "total_time_spent": spent,
        "human_time_estimate": output(estimate),
        "human_total_time_spent": output(spent),
    })
}

/// Sets the estimate; zero takes it away.
pub(crate) fn set_estimate(
    state: &mut State,
    noteable: Noteable,
    seconds: i64,
    user: u64,
    now: Timestamp,
) {
    let place = match noteable {
        Noteable::Issue(id) => state
            .issues
            .get_mut(id)
            .map(|issue| &mut issue.time_estimate),
        Noteable::MergeRequest(id) => {
            let row = state.merge_requests.get_mut(id);
            row.map(|row| &mut row.time_estimate)
        }
    };
    let Some(place) = place.filter(|place| **place != seconds) else {
        return;
    };
    let old = std::mem::replace(place, seconds);
    let text = match (output(seconds), output(old)) {
        (None, old) => format!("removed time estimate of {}", old.unwrap_or_default()),
        (Some(new), None) => format!("added time estimate of {new}"),
        (Some(new), Some(old)) => format!("changed time estimate to {new} from {old}"),
    };
    add_system_note(state, noteable, user, now, &text);
}

/// Adds time, or takes it back; false if more would be taken back than there is.
pub(crate) fn spend(
    state: &mut State,
    noteable: Noteable,
    (seconds, spent_at): (i64, Option<Date>),
    summary: Option<&str>,
    user: u64,
    now: Timestamp,
) -> bool {
    if seconds < 0 && -seconds > state.time_spent(noteable) {
        return false;
    }
    log(state, noteable, seconds, summary, spent_at, user, now);
    let length = output(seconds).unwrap_or_default();
    let verb = if seconds < 0 { "subtracted" } else { "added" };
    let day = spent_at.filter(|day| *day != clock::day(now));
    let day = day.map(|day| format!(" at {day}")).unwrap_or_default();
    let text = format!("{verb} {length} of time spent{day}");
    add_system_note(state, noteable, user, now, &text);
    true
}

/// Takes all time spent back.
pub(crate) fn reset_spent(state: &mut State, noteable: Noteable, user: u64, now: Timestamp) {
    let spent = state.time_spent(noteable);
    if spent != 0 {
        log(state, noteable, -spent, None, None, user, now);
        add_system_note(state, noteable, user, now, "removed time spent");
    }
    touch(state, noteable, now);
}

fn log(
    state: &mut State,
    noteable: Noteable,
    seconds: i64,
    summary: Option<&str>,
    spent_at: Option<Date>,
    user: u64,
    now: Timestamp,
) {
    let project_id = project_of(state, noteable);
    state.time_logs.insert(|id| TimeLog {
        id,
        project_id,
        noteable,
        user_id: user,
        seconds,
        summary: summary.map(str::to_owned),
        spent_at,
        created_at: now,
    });
}

#[cfg(test)]
mod tests {
    use super::{output, parse};

    #[test]
    fn durations_are_read_and_written_with_working_days() {
        for (text, seconds, written) in [
            ("1w 2d 3h30m", 214_200, "1w 2d 3h 30m"),
            ("1h", 3600, "1h"),
            ("2", 7200, "2h"),
            ("1.5h", 5400, "1h 30m"),
            ("1mo", 576_000, "1mo"),
            ("5d", 144_000, "1w"),
            ("3 weeks, 1 hour", 435_600, "3w 1h"),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(output(seconds).as_deref(), Some(written), "{text}");
        }
        assert_eq!(parse("-1h"), Some(-3600));
        assert_eq!(parse("0"), Some(0));
        assert_eq!(output(0), None);
        for text in ["", "foo", "1x", "h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
