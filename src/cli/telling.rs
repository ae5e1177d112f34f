//! Flags of the commands that speak to people.

use clap::Args;

use crate::domain::ids::ChannelName;

/// Flags of `remind`.
#[derive(Debug, Args)]
pub struct Remind {
    /// Write and send nothing; print what would be, and what is due when.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `notify`.
#[derive(Debug, Args)]
pub struct Notify {
    /// The channel, as `notification.channels` names it.
    #[arg(long, value_name = "CHANNEL")]
    pub test: ChannelName,
    /// Print what would be sent instead.
    #[arg(long)]
    pub dry_run: bool,
}
