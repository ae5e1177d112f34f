//! Flags of the commands by which people step in: take the environment away, repair the state.

use clap::Args;

/// Flags of `nrt-lock break`.
#[derive(Debug, Args)]
pub struct Break {
    /// Why; the authors of the change sets read it. Without it, the variable `TRAINYARD_REASON`.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Flags of `repair`.
#[derive(Debug, Args)]
pub struct Repair {
    /// Write what is printed otherwise.
    #[arg(long)]
    pub write: bool,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}
