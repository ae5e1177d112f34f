//! From the flags of `nrt-lock conclude` to what a person says.

use crate::cli::verdict::Conclude;
use crate::jobs::nrt_lock::conclude::{Given, Says};

/// The verdict that the flags give.
pub(super) fn given(flags: &Conclude) -> Given {
    Given {
        says: if flags.verdict.validated {
            Says::Validated
        } else {
            Says::Rejected {
                named: flags.verdict.rejected_by.clone(),
            }
        },
        reason: flags.reason.clone(),
    }
}
