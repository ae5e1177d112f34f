//! From `queue hold`, `queue pause` and the like to the job that carries them out.

use super::desk::at_desk;
use super::job::{and_tell, job};
use super::queue::of_a_person;
use super::{Printed, Stdout, Trust};
use crate::cli::Global;
use crate::cli::queue_controls::{On, QueueOrder, Why};
use crate::domain::controls::Wish;
use crate::jobs::controls::{self, Asked, What};
use crate::jobs::{Desk, Done};
use crate::outcome::Problem;
use crate::ports::Answer;

/// Gives an order, in a job or on a person's machine. The channels, whose addresses only jobs know, are told by the next one.
pub(super) fn run(global: &Global, stdout: Stdout, order: &QueueOrder) -> Answer<Printed> {
    let Some(project) = &order.why().project else {
        let work = |desk: &Desk<'_>| and_tell(desk, &|desk| carry_out(desk, order));
        return job(
            global,
            stdout,
            &format!("queue {}", name(order)),
            Trust::Gate,
            &work,
        );
    };
    let ci = of_a_person(global, project)?;
    let done = at_desk(&ci, global, Trust::Gate, |desk| carry_out(desk, order))?;
    Ok(Printed {
        text: done.outcome.to_string(),
        code: done.outcome.code,
    })
}

fn name(order: &QueueOrder) -> &'static str {
    match order {
        QueueOrder::Hold { .. } => "hold",
        QueueOrder::Unhold(_) => "unhold",
        QueueOrder::Force { .. } => "force",
        QueueOrder::Withdraw(_) => "withdraw",
        QueueOrder::Pause(_) => "pause",
        QueueOrder::Resume(_) => "resume",
    }
}

/// Carries an order out.
///
/// # Errors
/// When it gives no reason although it needs one, or as the job does.
fn carry_out(desk: &Desk<'_>, order: &QueueOrder) -> Answer<Done> {
    let about = |on: &On, wish| What::MergeRequest {
        project: on.why.member.clone().and_then(|project| project.0),
        iid: on.merge_request,
        wish,
    };
    let what = match order {
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
            about(on, Wish::Hold { until })
        }
        QueueOrder::Unhold(on) => about(on, Wish::Unhold),
        QueueOrder::Force { on, through_freeze } => {
            let wish = Wish::Force {
                through_freezes: *through_freeze,
            };
            about(on, wish)
        }
        QueueOrder::Withdraw(on) => about(on, Wish::Withdraw),
        QueueOrder::Pause(_) => What::Pause,
        QueueOrder::Resume(_) => What::Resume,
    };
    let needed = match order {
        QueueOrder::Unhold(_) | QueueOrder::Resume(_) => false,
        QueueOrder::Hold { .. }
        | QueueOrder::Force { .. }
        | QueueOrder::Withdraw(_)
        | QueueOrder::Pause(_) => true,
    };
    let reason = reason(desk, order.why());
    if needed && reason.is_empty() {
        return Err(Problem::misconfigured(
            format!(
                "`trainyard queue {}` gives no reason, and whoever waits will ask for it",
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
