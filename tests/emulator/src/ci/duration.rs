//! Durations written for people, `1h 30m` or `2 weeks and 3 days`.

use std::sync::LazyLock;

use regex::Regex;

/// The duration in whole seconds; `None`: not a duration, or nothing at all.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:(\d+):)?(\d+):(\d+)$").expect("the pattern is a literal that compiles")
    });
    static PART: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[0-9]+(?:\.[0-9]+)?|[a-z]+|\S")
            .expect("the pattern is a literal that compiles")
    });
    let text = text.to_lowercase();
    if let Some(parts) = CLOCK.captures(text.trim()) {
        let number = |at| {
            parts
                .get(at)
                .and_then(|part| part.as_str().parse::<u64>().ok())
                .unwrap_or(0)
        };
        return positive((number(1) * 3600 + number(2) * 60 + number(3)) as f64);
    }
    let mut total = 0.0;
    let mut number: Option<f64> = None;
    for part in PART.find_iter(&text).map(|part| part.as_str()) {
        if let Ok(value) = part.parse::<f64>() {
            // A number without a unit counts seconds.
            total += number.replace(value).unwrap_or(0.0);
        } else if !matches!(part, "and" | "with" | "plus" | ",") {
            total += number.take()? * unit(part)?;
        }
    }
    positive(total + number.unwrap_or(0.0))
}

fn positive(seconds: f64) -> Option<u64> {
    (seconds >= 1.0).then_some(seconds as u64)
}

fn unit(word: &str) -> Option<f64> {
    Some(match word {
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "dy" | "day" | "days" => 86_400.0,
        "w" | "wk" | "wks" | "week" | "weeks" => 604_800.0,
        "mo" | "mos" | "month" | "months" => 2_592_000.0,
        "y" | "yr" | "yrs" | "year" | "years" => 31_557_600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let cases = [
            ("1h 30m", Some(5400)),
            ("90 minutes", Some(5400)),
            ("1 hour and 2 mins", Some(3720)),
            ("3600", Some(3600)),
            ("1:20", Some(80)),
            ("4:01:01", Some(14461)),
            ("2.5 hrs", Some(9000)),
            ("6 mos 1 day", Some(15_638_400)),
            ("1 week", Some(604_800)),
            ("30 Seconds", Some(30)),
            ("0", None),
            ("", None),
            ("soon", None),
            ("five minutes", None),
            ("10 fortnights", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
