//! Flags of `simulate`.

use clap::Args;

use super::what_if;

/// Flags of `simulate`.
#[derive(Debug, Clone, Args)]
pub struct Simulate {
    /// Change sets that arrive in the time of one trial.
    #[arg(long, value_name = "RATE", default_value_t = 1.0, value_parser = rate, allow_negative_numbers = true)]
    pub load: f64,
    /// The share of change sets that are bad.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share, allow_negative_numbers = true)]
    pub failure_rate: f64,
    /// The share of rejected trials whose verdict names the culprits; 1 when it always does.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = whole_share, allow_negative_numbers = true)]
    pub naming: f64,
    /// The share of good trials that are rejected for nothing.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true)]
    pub flake: f64,
    /// The most change sets in one trial; 1 switches batches off.
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub batch_max: u16,
    /// How many rejected trials must have held a change set before it is rejected.
    #[arg(long, value_name = "1 or 2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub strikes: u8,
    /// How many change sets arrive; with 20000 the figures still differ by a few per cent from seed to seed.
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub arrivals: u32,
    /// Makes the same stream again.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// All of them wait from the beginning: what can the environment bear?
    #[arg(long)]
    pub saturated: bool,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub history: what_if::History,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000.0 => Ok(rate),
        Ok(_) | Err(_) => Err("a number above 0, at most 1000".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("a share from 0 to below 1, such as 0.1".to_owned()),
    }
}

fn whole_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("a share from 0 to 1, such as 0.7".to_owned()),
    }
}
