//! Flags of `queue`: the view of what waits. What steers it is a subcommand of its own.

use clap::Args;

/// Flags of `queue`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Queue {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub view: View,
}

/// How the queue is shown.
#[derive(Debug, Args)]
pub struct View {
    /// Print JSON for programs.
    #[arg(long)]
    pub json: bool,
}
