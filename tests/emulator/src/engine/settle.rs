//! Letting the engine run until nothing moves: jobs under the lock, downstream pipelines without it.

use super::create::{self, Order, Refusal};
use super::{bridges, process};
use crate::shared::Shared;

/// Moves everything that can move. Call it without holding the state, after every change to pipelines or jobs.
pub(crate) fn settle(shared: &Shared) {
    loop {
        let bridges = {
            let now = shared.clock.now();
            let mut state = shared.state();
            process::process(&mut state, now);
            bridges::claim(&mut state, now)
        };
        if bridges.is_empty() {
            return;
        }
        for bridge in bridges {
            bridges::trigger(shared, bridge);
        }
    }
}

/// Creates a pipeline and starts it.
pub(crate) fn run_pipeline(shared: &Shared, order: Order) -> Result<u64, Refusal> {
    let id = create::create(shared, order)?;
    settle(shared);
    Ok(id)
}
