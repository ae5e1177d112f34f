//! Flags of a person's verdict on a trial.

use clap::Args;

use super::nrt_lock::epoch;
use crate::domain::ids::Epoch;
use crate::domain::trial_verdict::Culprit;

/// Flags of `nrt-lock conclude`.
#[derive(Debug, Args)]
pub struct Conclude {
    /// The lease under which the trial runs; a literal in its pipeline.
    #[arg(long, value_name = "NUMBER", value_parser = epoch)]
    pub epoch: Epoch,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub verdict: Verdict,
    /// Why it is rejected; shown to the author as it is. Without it `TRAINYARD_REASON` counts.
    #[arg(long, value_name = "TEXT", conflicts_with = "validated")]
    pub reason: Option<String>,
}

/// One of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Verdict {
    /// The candidate may land.
    #[arg(long)]
    pub validated: bool,
    /// It may not. `TRAINYARD_CULPRIT` may name whom to blame; else smaller trials find out.
    #[arg(long)]
    pub rejected: bool,
    /// It may not, and these are to blame: `'!34'`, or several with commas. They leave the queue at once.
    #[arg(long, value_name = "MERGE REQUEST", value_delimiter = ',')]
    pub rejected_by: Vec<Culprit>,
}
