//! Flags of `simulate` that replay a history, and the words of a what-if.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

/// Flags of `simulate --from-events`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A project's own history")]
pub struct History {
    /// Replay these events instead of an invented stream (`trainyard-events.ndjson` of jobs; may be given several times).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["load", "failure_rate", "naming", "flake", "arrivals", "seed", "saturated"])]
    pub from_events: Vec<PathBuf>,
    /// Also replay it with something else: `trial=-20%`, `batch=8`, `strikes=2`, `environments=2`, or several with commas (may be
    /// given several times).
    ///
    /// Without it: a trial that is 20 % shorter, batches of 8, two environments.
    #[arg(long, value_name = "WHAT", requires = "from_events")]
    pub what_if: Vec<WhatIf>,
    /// Write a picture of it, as one self-contained page.
    #[arg(
        long,
        value_name = "FILE",
        requires = "from_events",
        conflicts_with = "json"
    )]
    pub html: Option<PathBuf>,
}

/// What is otherwise than it was.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// As it was written.
    pub name: String,
    /// How long a trial takes, over how long it took.
    pub trial: f64,
    /// The most change sets in one trial.
    pub batch: Option<usize>,
    /// How many rejected trials a change set must have been in.
    pub strikes: Option<u32>,
    /// Among how many environments the change sets are divided.
    pub environments: usize,
}

impl WhatIf {
    /// Nothing else than it was.
    pub fn nothing(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            trial: 1.0,
            batch: None,
            strikes: None,
            environments: 1,
        }
    }
}

impl FromStr for WhatIf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut what = Self::nothing(text);
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(|| unknown(part))?;
            match key.trim() {
                "trial" => what.trial = share(value)?,
                "batch" => what.batch = Some(number(part, value, 1_000)?),
                "strikes" => {
                    let strikes = number(part, value, 2)?;
                    what.strikes = u32::try_from(strikes).ok();
                }
                "environments" => what.environments = number(part, value, 20)?,
                _ => return Err(unknown(part)),
            }
        }
        Ok(what)
    }
}

fn unknown(part: &str) -> String {
    format!("`{part}` is none of `trial=-20%`, `batch=8`, `strikes=2`, `environments=2`")
}

fn number(part: &str, value: &str, most: usize) -> Result<usize, String> {
    match value.trim().parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(format!("`{part}` needs a whole number from 1 to {most}")),
    }
}

/// `-20%` is four fifths of what it was.
fn share(value: &str) -> Result<f64, String> {
    let digits = value.trim().strip_suffix('%').map(str::trim);
    match digits.and_then(|digits| digits.parse::<f64>().ok()) {
        Some(change) if change > -100.0 && change <= 900.0 => Ok(1.0 + change / 100.0),
        Some(_) | None => Err(format!(
            "`trial={value}` needs a change in per cent above -100, such as `trial=-20%` or `trial=+50%`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_what_if_is_read_or_refused_by_its_part() {
        let what: WhatIf = "trial=-20%,batch=8".parse().unwrap();
        assert!((what.trial - 0.8).abs() < 1e-9);
        assert_eq!(
            (what.batch, what.strikes, what.environments),
            (Some(8), None, 1)
        );
        for (bad, part) in [
            ("trial=-100%", "trial=-100%"),
            ("trial=20", "needs a change in per cent"),
            ("batch=0", "`batch=0` needs a whole number from 1 to 1000"),
            ("strikes=3", "from 1 to 2"),
            ("batch=8,people=3", "`people=3` is none of"),
            ("", "`` is none of"),
        ] {
            let error = bad.parse::<WhatIf>().unwrap_err();
            assert!(error.contains(part), "{bad}: {error}");
        }
    }
}
