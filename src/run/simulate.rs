//! `trainyard simulate`: from flags to an invented stream, or to a project's own history played again.

use std::path::PathBuf;

use super::Printed;
use crate::cli::Simulate;
use crate::cli::what_if::{History, WhatIf};
use crate::clock::SystemClock;
use crate::domain::trials::Policy;
use crate::insights::page::what_if::{Picture, what_if_page};
use crate::outcome::Problem;
use crate::ports::{Answer, Clock};
use crate::simulate::past::Past;
use crate::simulate::replay::{Column, Rules, as_it_was, replay};
use crate::simulate::{self, Scenario};
use crate::sinks::cloud_event;
use crate::{files, report};

/// How many lines that are no events are named.
const NAMED: usize = 5;

/// What is asked where nobody asks anything.
const USUAL: [&str; 3] = ["trial=-20%", "batch=8", "environments=2"];

/// Plays arrivals through the queue's own rules.
pub(super) fn run(flags: &Simulate) -> Answer<Printed> {
    let policy = Policy {
        batch_max: flags.batch_max.into(),
        strikes: flags.strikes.into(),
    };
    if !flags.history.from_events.is_empty() {
        return again(&flags.history, policy, flags.json);
    }
    let scenario = Scenario {
        load: flags.load,
        failure_rate: flags.failure_rate,
        naming: flags.naming,
        flake: flags.flake,
        policy,
        arrivals: flags.arrivals as usize,
        seed: flags.seed,
        saturated: flags.saturated,
    };
    let figures = simulate::simulate(&scenario);
    if !flags.json {
        return Ok(Printed::text(report::simulation(&scenario, &figures)));
    }
    serde_json::to_string_pretty(&figures)
        .map(Printed::text)
        .map_err(|error| Problem::bug("the figures cannot be written").caused_by(error))
}

/// Plays a history again, as it was and otherwise.
fn again(flags: &History, policy: Policy, json: bool) -> Answer<Printed> {
    let past = read(&flags.from_events)?;
    let asked = if flags.what_if.is_empty() {
        let usual = USUAL.iter().filter_map(|text| text.parse().ok());
        let differs = |what: &WhatIf| what.batch != Some(policy.batch_max);
        usual.filter(differs).collect()
    } else {
        flags.what_if.clone()
    };
    let mut columns = vec![as_it_was(&past)];
    for what in [WhatIf::nothing("replayed")].iter().chain(&asked) {
        columns.push(replay(&past, &rules(what, policy)));
    }
    if json {
        return Ok(Printed::text(report::replay_json(&past, &columns)));
    }
    let mut text = report::replay_table(&past, &columns, policy);
    if let Some(path) = &flags.html {
        files::write_whole(path, &what_if_page(&picture(&past, &columns, policy)))?;
        text.push_str(&format!("\nwrote `{}`", path.display()));
    }
    Ok(Printed::text(text))
}

fn rules(what: &WhatIf, policy: Policy) -> Rules {
    Rules {
        name: what.name.clone(),
        policy: Policy {
            batch_max: what.batch.unwrap_or(policy.batch_max),
            strikes: what.strikes.unwrap_or(policy.strikes),
        },
        trial: what.trial,
        environments: what.environments,
    }
}

fn picture<'a>(past: &'a Past, columns: &'a [Column], policy: Policy) -> Picture<'a> {
    Picture {
        past,
        columns,
        about: report::replay_about(past, policy),
        rows: report::replay_rows(columns),
        now: SystemClock.now(),
        tool_version: env!("CARGO_PKG_VERSION"),
    }
}

fn read(paths: &[PathBuf]) -> Answer<Past> {
    let mut events = Vec::new();
    for path in paths {
        let reading = cloud_event::read_lines(&files::read(path)?);
        for bad in reading.bad.iter().take(NAMED) {
            tracing::warn!(file = %path.display(), line = bad.number, problem = %bad.error, "not an event; left out");
        }
        if reading.bad.len() > NAMED {
            tracing::warn!(file = %path.display(), "{} more lines are not events; left out", reading.bad.len() - NAMED);
        }
        events.extend(reading.events);
    }
    Past::of(&events).ok_or_else(|| {
        let names: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        Problem::misconfigured(
            format!(
                "{} {} events of which none tells of a change set that joined the queue and landed or was rejected",
                names.join(", "),
                if paths.len() == 1 { format!("holds {}", events.len()) } else { format!("hold {}", events.len()) }
            ),
            "give the files `trainyard-events.ndjson` of gate jobs (`nrt-admit`, `append-to-version`, `nrt-release`), one after the other or in one file",
        )
    })
}
