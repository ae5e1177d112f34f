//! What keeps a validated candidate from landing: looked for in GitLab, told to its people.

use crate::domain::event::Fact;
use crate::domain::integration::{ChangeSet, MergeRequestState};
use crate::domain::labelling;
use crate::domain::linking::named_features;
use crate::domain::nrt::Trial;
use crate::domain::obstacles::Obstacle;
use crate::domain::progress::Stage;
use crate::jobs::ledger::Ledger;
use crate::jobs::{Desk, judging, labels, notes, observe, tell};
use crate::outcome::Outcome;
use crate::ports::{Answer, MergeRequest};
use crate::report;

pub(super) fn obstacle(
    desk: &Desk<'_>,
    found: &MergeRequest,
    change_set: &ChangeSet,
    trial: &Trial,
) -> Answer<Option<Obstacle>> {
    let as_tested = found.head == trial.candidate.commit;
    if let Some(text) = changed_since(desk, found, change_set, as_tested)? {
        return Ok(Some(Obstacle::changed(&text)));
    }
    let moved = found.behind != Some(0) || found.base.as_ref() != Some(&trial.candidate.base);
    Ok((found.state == MergeRequestState::Open && moved)
        .then(|| Obstacle::target_moved(&change_set.target)))
}

/// What somebody did to a merge request while it was tried. One that is merged as it was tested is ours: a run before this one
/// merged it and died before it could say so.
pub(super) fn changed_since(
    desk: &Desk<'_>,
    found: &MergeRequest,
    change_set: &ChangeSet,
    as_tested: bool,
) -> Answer<Option<String>> {
    let text = match found.state {
        MergeRequestState::Merged if as_tested => None,
        MergeRequestState::Merged => Some("somebody merged it around the queue"),
        MergeRequestState::Closed => Some("the merge request was closed during the trial"),
        MergeRequestState::Open if !as_tested => Some("new commits were pushed during the trial"),
        MergeRequestState::Open if found.draft => {
            Some("the merge request was made a draft during the trial")
        }
        MergeRequestState::Open if found.target != change_set.target => {
            Some("the merge request was given another target during the trial")
        }
        MergeRequestState::Open => {
            if let Some(objection) = observe::objection(desk, found) {
                return Ok(Some(objection));
            }
            let reading = observe::read_description(desk, &found.description)?;
            let links: Vec<_> = named_features(&reading, observe::features_project(desk))
                .into_iter()
                .map(|(link, _)| link)
                .collect();
            if links == change_set.links {
                let rejected = judging::rejected_since(desk, found, &change_set.verdicts)?;
                return Ok(rejected.map(|verdict| report::rejected_during_trial(&verdict)));
            }
            Some("its links to features were edited after it joined the queue")
        }
    };
    Ok(text.map(str::to_owned))
}

pub(super) fn give_up(
    desk: &Desk<'_>,
    ledger: &Ledger<'_>,
    change_set: &ChangeSet,
    trial: &Trial,
    obstacle: Obstacle,
) -> Answer<Outcome> {
    let mut facts = vec![Fact::TrialAbandoned {
        trial: trial.id,
        reason: obstacle.abandoned,
    }];
    if let Some(reason) = &obstacle.withdrawn {
        let (merge_request, head) = (change_set.merge_request.clone(), change_set.head.clone());
        facts.push(Fact::ChangeSetWithdrawn {
            merge_request,
            head,
            reason: reason.clone(),
            order: None,
        });
    }
    ledger.record(&facts)?;
    let warnings = match &obstacle.withdrawn {
        Some(reason) => {
            let note = report::note_withdrawn(reason);
            notes::keep_left(desk, ledger, change_set, Stage::LeftQueue, note)?
        }
        None => notes::keep_all(desk, ledger, &trial.change_sets)?,
    };
    tell::alert_all(desk, ledger)?;
    let stage = match &obstacle.withdrawn {
        Some(_) => labelling::Stage::Linked,
        None => labelling::Stage::Queued,
    };
    labels::show_change_set(desk, change_set, stage);
    let outcome = report::not_landed(change_set, &obstacle.text, obstacle.withdrawn.is_some());
    Ok(warnings.into_iter().fold(outcome, Outcome::with))
}
