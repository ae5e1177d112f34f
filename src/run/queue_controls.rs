//! From `queue hold`, `queue pause` and the like to the job that carries them out.

use crate::cli::queue_controls::{On, QueueOrder, Why};
use crate::domain::controls::Wish;
use crate::jobs::controls::{self, Asked, What};
use crate::jobs::{Desk, Done};
use crate::outcome::Problem;
use crate::ports::Answer;

/// The command as people type it, for the log and for reports.
pub(super) fn name(order: &QueueOrder) -> &'static str {
    match order {
        QueueOrder::Hold { .. } => "queue hold",
        QueueOrder::Unhold(_) => "queue unhold",
        QueueOrder::Force { .. } => "queue force",
        QueueOrder::Withdraw(_) => "queue withdraw",
        QueueOrder::Pause(_) => "queue pause",
        QueueOrder::Resume(_) => "queue resume",
    }
}

/// Carries an order out.
///
/// # Errors
/// When it gives no reason although it needs one, or as the job does.
pub(super) fn run(desk: &Desk<'_>, order: &QueueOrder) -> Answer<Done> {
    let about = |on: &On, wish| What::MergeRequest {
        project: on.why.project.clone().and_then(|project| project.0),
        iid: on.merge_request,
        wish,
    };
    let (what, why) = match order {
        QueueOrder::Hold { on, until } => {
            let zone = &desk.config.notification.rules.calendar.zone;
            let now = desk.clock.now();
            let until = match until.0.map(|until| until.instant(now, zone)) {
                None => None,
                Some(Some(until)) if until > now => Some(until),
                Some(_) => {
                    return Err(Problem::misconfigured(
                        "the hold would end before it begins: `--until` is not in the future",
                        "give an instant to come, such as `2d`, or none",
                    ));
                }
            };
            (about(on, Wish::Hold { until }), &on.why)
        }
        QueueOrder::Unhold(on) => (about(on, Wish::Unhold), &on.why),
        QueueOrder::Force { on, through_freeze } => {
            let wish = Wish::Force {
                through_freezes: *through_freeze,
            };
            (about(on, wish), &on.why)
        }
        QueueOrder::Withdraw(on) => (about(on, Wish::Withdraw), &on.why),
        QueueOrder::Pause(why) => (What::Pause, why),
        QueueOrder::Resume(why) => (What::Resume, why),
    };
    let needed = match order {
        QueueOrder::Unhold(_) | QueueOrder::Resume(_) => false,
        QueueOrder::Hold { .. }
        | QueueOrder::Force { .. }
        | QueueOrder::Withdraw(_)
        | QueueOrder::Pause(_) => true,
    };
    let reason = reason(desk, why);
    if needed && reason.is_empty() {
        return Err(Problem::misconfigured(
            format!(
                "`trainyard {}` gives no reason, and whoever waits will ask for it",
                name(order)
            ),
            "add `--reason TEXT`; in a pipeline that is started by hand, fill in the input `trainyard_reason`",
        ));
    }
    controls::run(
        desk,
        &Asked {
            what,
            reason: &reason,
        },
    )
}

/// How long a reason may be: it stands in every note of those who wait.
const LONGEST_REASON: usize = 400;

fn reason(desk: &Desk<'_>, why: &Why) -> String {
    let given = why.reason.as_deref().or(desk.ci.reason.as_deref());
    let words = given.unwrap_or_default().split_whitespace();
    let text = words.collect::<Vec<_>>().join(" ");
    text.chars().take(LONGEST_REASON).collect()
}
