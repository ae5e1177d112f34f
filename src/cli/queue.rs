//! Flags of `queue`: the view of what waits. What steers it are the subcommands in `queue_controls`.

use std::path::PathBuf;

use clap::Args;

use super::queue_controls::QueueOrder;
use crate::domain::ids::ProjectPath;

/// Flags of `queue`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Queue {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub view: View,
    /// What is ordered; without an order the queue is shown.
    #[command(subcommand)]
    pub order: Option<QueueOrder>,
}

/// How the queue is shown.
#[derive(Debug, Args)]
pub struct View {
    /// Print JSON for programs.
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write one self-contained page instead.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The project, outside of a job of it; takes the address of GitLab from `--server`.
    #[arg(long, value_name = "PATH")]
    pub project: Option<ProjectPath>,
}
