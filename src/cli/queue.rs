//! Flags of `queue` without an order: the view of what waits.

use std::path::PathBuf;

use clap::Args;

use crate::domain::ids::ProjectPath;

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
