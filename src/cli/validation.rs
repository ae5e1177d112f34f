//! Flags of `await-validation`.

use clap::Args;

use crate::domain::ids::RoleName;

/// Flags of `await-validation`.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct AwaitValidationVerdict {
    /// Validate the features as this role.
    #[arg(long, value_name = "ROLE")]
    pub approve: Option<RoleName>,
    /// Reject the features as this role.
    #[arg(long, value_name = "ROLE")]
    pub reject: Option<RoleName>,
}

/// Flags of `await-validation`.
#[derive(Debug, Args)]
pub struct AwaitValidation {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened flags document themselves")]
    pub verdict: AwaitValidationVerdict,
    /// Why, for `--reject`; shown to the author as it is.
    #[arg(long, value_name = "TEXT", requires = "reject")]
    pub reason: Option<String>,
}
