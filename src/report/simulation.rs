//! A simulation of the queue, as a person reads it.

use crate::simulate::{Figures, Scenario};

/// The scenario, the figures, and what they mean.
pub fn simulation(scenario: &Scenario, figures: &Figures) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let stream = if scenario.saturated {
        "all waiting from the beginning".to_owned()
    } else {
        format!("{} in the time of one trial (D)", scenario.load)
    };
    let mut lines = vec![
        format!(
            "{} change sets, {stream}; {} bad; seed {}",
            scenario.arrivals,
            percent(scenario.failure_rate),
            scenario.seed
        ),
        format!(
            "verdicts: {} name the culprits, {} are flaky; batches up to {}, strikes {}",
            percent(scenario.naming),
            percent(scenario.flake),
            scenario.policy.batch_max,
            scenario.policy.strikes
        ),
        String::new(),
    ];
    if let Some(share) = figures.capacity_share {
        lines.push(format!(
            "capacity            {} of what one bit a trial allows",
            percent(share)
        ));
    } else {
        lines.push(format!(
            "turnaround, mean    {:.2} D   {:.2} times the clairvoyant's",
            figures.mean, figures.mean_over_oracle
        ));
        lines.push(format!(
            "turnaround, P95     {:.2} D   {:.2} times the clairvoyant's",
            figures.p95, figures.p95_over_oracle
        ));
    }
    lines.push(format!(
        "trials per landed   {:.2}",
        figures.trials_per_landed
    ));
    lines.push(format!(
        "good and rejected   {}",
        percent(figures.false_rejection_rate)
    ));
    lines.push(format!(
        "landed, rejected    {}, {} in {} trials",
        figures.landed, figures.rejected, figures.trials
    ));
    if !figures.stable {
        lines.push(
            "\nThe queue grows for ever: more arrives than one environment can try.".to_owned(),
        );
    }
    lines.join("\n")
}
