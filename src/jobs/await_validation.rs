//! `trainyard await-validation`: has every role validated this content? With `--approve` or `--reject` it is the manual job
//! by which a person gives the verdict; the verdict itself is GitLab's record of that job.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{self, Keeping, Told};
use super::{Desk, Done, labels, ledger, observe, tell};
use crate::domain::event::Fact;
use crate::domain::ids::{FeatureId, RoleName, UserName};
use crate::domain::labelling::{self, Teller};
use crate::domain::linking::{Link, LinkKind, Sight, named_features};
use crate::domain::progress::{Asked, Mark, Stage};
use crate::domain::ruling::Ruling;
use crate::domain::validation::{Decision, Verdict, acceptance_criteria, may_decide};
use crate::outcome::Outcome;
use crate::ports::{Answer, Evidence, MergeRequest, Targets};
use crate::report;

/// Says whether everything that must be validated is.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn run(desk: &Desk<'_>) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    let (found, evidence) = if desk.may_look_up {
        let evidence = desk.records.evidence(iid)?;
        (
            observe::found(desk, iid, &evidence)?.merge_request,
            evidence,
        )
    } else {
        (observe::merge_request(desk, iid)?, Evidence::default())
    };
    let roles = &desk.config.validation.roles;
    let closes = closed_features(desk, &found)?;
    if closes.is_empty() {
        let why = "it closes no feature";
        let outcome = Outcome::open(format!(
            "!{iid} closes no feature, so there is nothing to validate"
        ));
        return Ok(Done::saying(
            outcome.checked(report::no_validation_checks(roles, why)),
        ));
    }
    if roles.is_empty() {
        return Ok(Done::saying(Outcome::open(
            "no role has to validate (`validation.roles` is empty)",
        )));
    }
    if found.head != desk.ci.commit {
        return Ok(Done::saying(report::outdated_pipeline(
            iid,
            &desk.ci.commit,
            &found.head,
        )));
    }
    if !desk.may_look_up {
        let why = "who played cannot be seen without `TRAINYARD_TOKEN`; the gate checks it";
        return Ok(Done::saying(
            report::cannot_see_players(iid).checked(report::no_validation_checks(roles, why)),
        ));
    }
    let content = observe::content(desk, &found, &evidence)?;
    let (judgement, holders) = observe::judgement(desk, &found, &evidence, &content)?;
    let home = observe::features_project(desk);
    let linking = linking_of(desk, &found)?;
    let told = Told {
        iid,
        head: found.head.clone(),
        stage: notes::stage_of(&judgement, &holders),
        links: linking.clone(),
        links_since: None,
        body: Box::new(|_| {
            report::note_validation(&linking, &judgement, &holders, home, &found.head)
        }),
    };
    let (warnings, note) = notes::keep_seeing(
        desk,
        Keeping {
            features: linking.iter().map(|link| link.feature.clone()).collect(),
            told: vec![told],
            ..Keeping::default()
        },
        iid,
    );
    let stage = match judgement.ruling() {
        Ruling::Pass => labelling::Stage::Validated,
        Ruling::Wait(_) => labelling::Stage::AwaitingValidation,
        Ruling::Refuse(_) => labelling::Stage::Rejected,
    };
    show_stage(desk, &found, &linking, stage);
    let lapsed = judgement
        .standings
        .iter()
        .filter_map(|(_, standing)| standing.lapsed().cloned())
        .map(|verdict| {
            let (merge_request, features, commit) =
                (found.id.clone(), closes.clone(), found.head.clone());
            let patch = None;
            ledger::event(
                desk,
                Fact::ValidationLapsed {
                    merge_request,
                    features,
                    verdict,
                    commit,
                    patch,
                },
            )
        });
    Ok(Done {
        events: lapsed.collect(),
        outcome: warnings.into_iter().fold(
            report::validation_outcome(iid, &judgement, &holders)
                .checked([report::newest_commit(None)])
                .checked(report::validation_checks(&judgement, &holders))
                .seeing(note.map(|note| report::note_link(iid, &found.url, note))),
            Outcome::with,
        ),
    })
}

/// Gives a person's verdict: checks that the person may, and says what was judged.
///
/// # Errors
/// When GitLab cannot be asked.
pub fn decide(
    desk: &Desk<'_>,
    decision: Decision,
    role: &RoleName,
    reason: Option<&str>,
) -> Answer<Done> {
    let iid = desk.ci.merge_request()?.iid;
    let player = desk.records.player()?;
    let (found, before) = if desk.may_look_up {
        let whole = observe::whole(desk, iid)?;
        let before = notes::note_of(&whole).and_then(|own| report::mark_of(&own.text));
        (whole.merge_request, before)
    } else {
        (observe::merge_request(desk, iid)?, None)
    };
    let closes = closed_features(desk, &found)?;
    if closes.is_empty() {
        return Ok(Done::saying(report::nothing_to_validate(iid)));
    }
    if found.head != desk.ci.commit {
        return Ok(Done::saying(report::outdated_pipeline(
            iid,
            &desk.ci.commit,
            &found.head,
        )));
    }
    let holders = observe::holders(desk, std::slice::from_ref(role))?;
    let author_may = desk.config.validation.author_may_validate;
    if let Err(why) = may_decide(&player, role, &holders, &found.author, author_may) {
        let outcome = report::may_not_decide(&player, role, why, &holders);
        let reason = outcome.headline.clone();
        return Ok(Done::saying(
            outcome.checked([report::player_may_decide(Some(&reason))]),
        ));
    }
    let linking = linking_of(desk, &found)?;
    let board = if desk.may_look_up {
        let targets = Targets {
            features: linking.iter().map(|link| link.feature.clone()).collect(),
            merge_requests: BTreeSet::from([iid]),
            whole: None,
        };
        Some(desk.boards.board(&targets)?)
    } else {
        None
    };
    let sights: BTreeMap<FeatureId, Sight> = match &board {
        Some(board) => board
            .features
            .iter()
            .map(|(id, seen)| (id.clone(), Sight::Seen(Box::new(seen.feature.clone()))))
            .collect(),
        None => closes
            .iter()
            .map(|id| (id.clone(), Sight::NotLookedUp))
            .collect(),
    };
    let on_board = board.iter().flat_map(|board| board.features.values());
    let criteria: Vec<_> = on_board
        .map(|on_board| &on_board.feature)
        .filter(|feature| closes.contains(&feature.id))
        .map(|feature| (feature, acceptance_criteria(&feature.description)))
        .collect();
    let asked = decision == Decision::Validate && desk.config.validation.criteria_required;
    let checks = [
        report::newest_commit(None),
        report::player_may_decide(None),
        report::criteria_are_ticked(asked, &criteria),
    ];
    let links = report::feature_links(
        &closes,
        &sights,
        &found.url,
        &desk.ci.project,
        observe::features_project(desk),
    );
    if asked && !report::unticked(&criteria).is_empty() {
        return Ok(Done::saying(
            report::criteria_unticked(&criteria)
                .checked(checks)
                .seeing(links),
        ));
    }
    let verdict = Verdict {
        role: role.clone(),
        decision,
        by: player.clone(),
        at: desk.clock.now(),
        commit: found.head.clone(),
        job: desk.ci.job,
    };
    let given_by = player.clone();
    let (merge_request, features) = (found.id.clone(), closes);
    let outcome = report::verdict_given(iid, &verdict, &criteria, reason)
        .checked(checks)
        .seeing(links);
    let fact = match decision {
        Decision::Validate => Fact::FeatureValidated {
            merge_request,
            features,
            verdict,
        },
        Decision::Reject => Fact::FeatureRejected {
            merge_request,
            features,
            verdict,
            reason: reason.map(str::to_owned),
        },
    };
    if decision == Decision::Reject && desk.may_look_up {
        tell::warn_without_log(desk, iid, &fact, &found.author)?;
        show_stage(desk, &found, &linking, labelling::Stage::Rejected);
    }
    let keeping = Keeping {
        features: linking.iter().map(|link| link.feature.clone()).collect(),
        told: vec![given(
            desk, &found, &linking, before, decision, &given_by, role,
        )],
        board,
        ..Keeping::default()
    };
    let outcome = notes::keep(desk, keeping)
        .into_iter()
        .fold(outcome, Outcome::with);
    Ok(Done {
        outcome,
        events: vec![ledger::event(desk, fact)],
    })
}

/// What the verdict that is being given makes of the merge request's stage. GitLab records it only when this job has ended, so
/// it is put on top of what was marked before; `await-validation` looks at the records of all.
fn given<'a>(
    desk: &'a Desk<'_>,
    found: &'a MergeRequest,
    linking: &'a [Link],
    before: Option<Mark>,
    decision: Decision,
    player: &'a UserName,
    role: &'a RoleName,
) -> Told<'a> {
    let before = before
        .filter(|mark| mark.head == found.head)
        .map(|mark| mark.stage);
    let others = desk
        .config
        .validation
        .roles
        .iter()
        .filter(|other| *other != role);
    let stage = match (decision, before) {
        (Decision::Reject, _) => Stage::Rejected {
            role: role.clone(),
            by: player.clone(),
        },
        (Decision::Validate, before) => Stage::validated_by(
            role,
            before,
            others.map(|role| Asked {
                role: role.clone(),
                people: Vec::new(),
            }),
        ),
    };
    let home = observe::features_project(desk);
    Told {
        iid: found.id.iid,
        head: found.head.clone(),
        links: linking.to_vec(),
        body: Box::new({
            let stage = stage.clone();
            move |_| report::note_verdict(&stage, decision, player, role, linking, home)
        }),
        stage,
        links_since: None,
    }
}

fn show_stage(desk: &Desk<'_>, found: &MergeRequest, links: &[Link], stage: labelling::Stage) {
    let known = labels::Known {
        id: &found.id,
        labels: Some(&found.labels),
        links,
        sights: None,
    };
    labels::show(desk, known, Some(stage), Teller::MergeRequest);
}

/// The features that the description says it closes; whether they are in order is `link-check`'s business.
fn closed_features(desk: &Desk<'_>, found: &MergeRequest) -> Answer<Vec<FeatureId>> {
    let links = linking_of(desk, found)?;
    Ok(links
        .into_iter()
        .filter(|link| link.kind == LinkKind::Closes)
        .map(|link| link.feature)
        .collect())
}

fn linking_of(desk: &Desk<'_>, found: &MergeRequest) -> Answer<Vec<Link>> {
    let reading = observe::read_description(desk, &found.description)?;
    Ok(named_features(&reading, observe::features_project(desk))
        .into_iter()
        .map(|(link, _)| link)
        .collect())
}
