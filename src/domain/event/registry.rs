//! The event model as data: for every fact its context, the command that makes it, who acts, the policies it sets off,
//! the read models it feeds and who consumes it.
//!
//! `trainyard model` prints it and the documentation is generated from it; a test fails when a fact is missing here.

/// A bounded context of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// Features and the merge requests that serve them.
    Linking,
    /// Verdicts of people.
    Validation,
    /// The queue.
    Integration,
    /// The one environment and its trials.
    Nrt,
    /// Versions and releases.
    Versioning,
    /// Who is told what.
    Notification,
}

impl Context {
    /// All of them, in the order of the story.
    pub const ALL: [Self; 6] = [
        Self::Linking,
        Self::Validation,
        Self::Integration,
        Self::Nrt,
        Self::Versioning,
        Self::Notification,
    ];

    /// Its name in the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linking => "linking",
            Self::Validation => "validation",
            Self::Integration => "integration",
            Self::Nrt => "nrt",
            Self::Versioning => "versioning",
            Self::Notification => "notification",
        }
    }
}

/// One fact of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The fact's name.
    pub fact: &'static str,
    /// Where it belongs.
    pub context: Context,
    /// The command that makes it.
    pub command: &'static str,
    /// Who gives that command.
    pub actor: &'static str,
    /// The subject and the predicate of its CDEvents type.
    pub wire: (&'static str, &'static str),
    /// "Whenever this, then ..."
    pub policies: &'static [&'static str],
    /// The read models that it changes.
    pub read_models: &'static [&'static str],
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

macro_rules! model {
    ($($fact:ident: $context:ident, $command:literal by $actor:literal, $subject:literal.$predicate:literal,
        then [$($policy:literal),*], feeds [$($model:literal),*], $meaning:literal;)*) => {
        /// The whole model, in the order of the story.
        pub const MODEL: &[Entry] = &[$(Entry {
            fact: stringify!($fact),
            context: Context::$context,
            command: $command,
            actor: $actor,
            wire: ($subject, $predicate),
            policies: &[$($policy),*],
            read_models: &[$($model),*],
            meaning: $meaning,
        }),*];
    };
}

model! {
    FeatureLinked: Linking, "check links" by "merge request pipeline, gate", "featurelink"."declared",
        then [], feeds ["feature timeline", "feature progress"],
        "A merge request names a feature, and the link is in order.";
    FeatureUnlinked: Linking, "check links" by "merge request pipeline", "featurelink"."removed",
        then [], feeds ["feature timeline", "feature progress"],
        "A merge request names a feature no more.";
    LinkRefused: Linking, "check links" by "merge request pipeline", "featurelink"."rejected",
        then ["tell the author in the job and on the merge request"], feeds [],
        "The links of a merge request are not in order.";
    ValidationRequested: Validation, "ask for validation" by "merge request pipeline", "validation"."requested",
        then ["ask the people of the roles"], feeds ["feature timeline", "validation wait"],
        "A closing merge request waits for the verdict of its roles.";
    FeatureValidated: Validation, "validate feature" by "product owner, QA", "validation"."validated",
        then [], feeds ["feature timeline", "validation wait"],
        "A role validated the features that a merge request closes.";
    FeatureRejected: Validation, "reject feature" by "product owner, QA", "validation"."rejected",
        then ["warn the author"], feeds ["feature timeline"],
        "A role rejected the features that a merge request closes.";
    ValidationLapsed: Validation, "ask for validation" by "merge request pipeline, gate", "validation"."lapsed",
        then ["ask the role again"], feeds ["feature timeline"],
        "A verdict no longer holds, because the content changed.";
    ChangeSetQueued: Integration, "integrate" by "developer", "changeset"."queued",
        then ["start a worker for the NRT environment"], feeds ["queue", "feature timeline", "queue wait"],
        "A change set joined the queue.";
    ChangeSetWithdrawn: Integration, "integrate" by "developer, gate", "changeset"."withdrawn",
        then ["tell the author"], feeds ["queue"],
        "A change set was taken back before its trial was over.";
    ChangeSetHeld: Integration, "hold" by "controller, author, label", "changeset"."held",
        then ["tell the author"], feeds ["queue"],
        "A merge request is not to be tried until it is free again.";
    ChangeSetUnheld: Integration, "unhold" by "controller, author, label", "changeset"."unheld",
        then ["start a worker for the NRT environment"], feeds ["queue"],
        "A merge request may be tried again.";
    ChangeSetForced: Integration, "force" by "controller", "changeset"."forced",
        then ["start a worker for the NRT environment"], feeds ["queue"],
        "A change set goes before all others that wait.";
    QueuePaused: Integration, "pause" by "controller", "queue"."paused",
        then ["tell everybody who waits"], feeds ["queue"],
        "Nothing is taken for a trial until the queue is resumed.";
    QueueResumed: Integration, "resume" by "controller", "queue"."resumed",
        then ["start a worker for the NRT environment", "tell everybody who waits"], feeds ["queue"],
        "The queue is served again.";
    LeaseGranted: Nrt, "take the next trial" by "NRT worker", "lease"."granted",
        then [], feeds ["environment"],
        "A run got the NRT environment.";
    ChangeSetUnqueued: Nrt, "take the next trial" by "NRT worker", "changeset"."unqueued",
        then [], feeds ["queue", "queue wait"],
        "A change set left the queue for a trial.";
    ChangeSetRebased: Nrt, "take the next trial" by "NRT worker", "changeset"."rebased",
        then [], feeds ["queue"],
        "Its branch was rebased onto the target.";
    ChangeSetConflicted: Nrt, "take the next trial" by "NRT worker", "changeset"."conflicted",
        then ["warn the author"], feeds ["queue"],
        "It does not apply on the target.";
    TrialStarted: Nrt, "take the next trial" by "NRT worker", "trial"."started",
        then ["run the project's deployment and tests"], feeds ["environment", "feature timeline"],
        "A candidate went to the environment.";
    TrialValidated: Nrt, "give verdict" by "NRT tests, QA", "trial"."validated",
        then ["land the change sets of the trial"], feeds ["environment", "trials"],
        "Its tests passed, or a person validated it.";
    TrialRejected: Nrt, "give verdict" by "NRT tests, QA", "trial"."rejected",
        then ["reject the change set, or search for the culprit"], feeds ["environment", "trials"],
        "Its tests failed, or a person rejected it.";
    TrialAbandoned: Nrt, "give verdict" by "NRT worker", "trial"."abandoned",
        then ["let the change sets wait again at their old place"], feeds ["environment", "trials"],
        "It ended without a verdict.";
    ChangeSetRejected: Nrt, "give verdict" by "NRT tests, QA", "changeset"."rejected",
        then ["warn the author"], feeds ["queue", "feature timeline"],
        "A change set was rejected by a trial of exactly what its landing would have produced, or by name.";
    LeaseReleased: Nrt, "give verdict" by "NRT worker", "lease"."released",
        then ["start a worker when tickets wait and none is on its way"], feeds ["environment"],
        "The run gave the environment back.";
    LeaseExpired: Nrt, "take the next trial" by "NRT worker", "lease"."expired",
        then [], feeds ["environment"],
        "The run is gone without giving the environment back.";
    LeaseBroken: Nrt, "break the lease" by "maintainer", "lease"."broken",
        then [], feeds ["environment"],
        "A person took the environment away from the run that held it.";
    EnvironmentStuck: Nrt, "look at the queue" by "policy: scheduled tick", "environment"."stuck",
        then ["name the kick, or give it"], feeds [],
        "Jobs wait for the environment although nobody has it.";
    StateRepaired: Nrt, "repair" by "maintainer", "state"."repaired",
        then [], feeds ["environment"],
        "The log was damaged, and was put right from what GitLab knows.";
    ChangeSetMerged: Versioning, "land" by "policy: whenever TrialValidated", "changeset"."merged",
        then ["append it to the open version"], feeds ["queue"],
        "It is in the target branch.";
    LandedUntested: Versioning, "land" by "policy: whenever TrialValidated", "changeset"."untested",
        then ["warn the author"], feeds ["feature timeline"],
        "It landed, and not as its trial validated it: somebody pushed to the target in the instant of the merge.";
    SourceBranchesSettled: Integration, "tidy up" by "NRT worker, policy: scheduled tick", "branches"."settled",
        then [], feeds [],
        "Nothing more is to be done about the source branches of what landed: they are deleted, or have to stay.";
    ChangeSetAppended: Versioning, "land" by "policy: whenever TrialValidated", "changeset"."appended",
        then ["tell the author"], feeds ["open version", "feature timeline"],
        "It is in the open version.";
    VersionClosed: Versioning, "release" by "release manager", "version"."closed",
        then ["deploy to production"], feeds ["versions"],
        "Content and commit of a version are frozen.";
    VersionOpened: Versioning, "release" by "release manager", "version"."opened",
        then [], feeds ["open version"],
        "A version can be filled.";
    ReleaseTaken: Versioning, "release" by "release manager", "version"."taken",
        then [], feeds ["versions"],
        "A job publishes a version, or gives it up: no other one does meanwhile.";
    VersionDeployed: Versioning, "release" by "release manager", "version"."deployed",
        then ["publish the version"], feeds ["versions", "deployments"],
        "A version runs in production.";
    VersionReleased: Versioning, "release" by "release manager", "version"."released",
        then ["close its features, telling the version"], feeds ["versions", "feature timeline"],
        "A version is tagged and published.";
    VersionAnnounced: Versioning, "release" by "release manager", "version"."announced",
        then [], feeds ["versions"],
        "Everything that goes with a release is done, and everybody is told.";
    ReleaseFailed: Versioning, "release" by "release manager", "version"."failed",
        then ["give its content back to the open version", "warn the release manager"], feeds ["versions", "deployments"],
        "The deployment of a version failed.";
    VersionWithdrawn: Versioning, "withdraw" by "release manager", "version"."withdrawn",
        then ["give its content back to the open version", "deploy the version before it"], feeds ["versions", "deployments"],
        "A version that was released is bad.";
    HotfixAsked: Versioning, "ask for a hotfix" by "release manager", "hotfix"."requested",
        then ["pick the change sets onto the version in production, in a merge request of their own"], feeds ["versions"],
        "Somebody asked that change sets go to production before the next version.";
    ContributorWarned: Notification, "warn" by "policy", "contributor"."warned",
        then [], feeds [],
        "A person was told that they must act.";
    ChannelOpened: Notification, "deliver" by "policy: whenever a gate job ends", "channel"."opened",
        then [], feeds ["outbox"],
        "A channel is served from now on; what happened before is not sent to it.";
    DeliveryStarted: Notification, "deliver" by "policy: whenever a gate job ends", "delivery"."started",
        then [], feeds ["outbox"],
        "A job is about to hand messages to a channel.";
    DeliverySucceeded: Notification, "deliver" by "policy: whenever a gate job ends", "delivery"."succeeded",
        then ["tell the fallback channel when it had failed before"], feeds ["outbox"],
        "The channel took them.";
    DeliveryFailed: Notification, "deliver" by "policy: whenever a gate job ends", "delivery"."failed",
        then ["tell the fallback channel once", "try again with a later job"], feeds ["outbox"],
        "The channel did not take them.";
}

/// The entry of a fact.
pub fn entry(fact: &str) -> Option<&'static Entry> {
    MODEL.iter().find(|entry| entry.fact == fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The names that the code can emit, read from the one place that names them.
    fn names_in_code() -> BTreeSet<String> {
        let source = include_str!("about.rs");
        let body = source
            .split("pub fn name(&self)")
            .nth(1)
            .and_then(|rest| rest.split("pub fn subject").next())
            .unwrap();
        body.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_model_holds_every_fact_that_the_code_can_emit_and_no_other() {
        let in_model: BTreeSet<String> = MODEL.iter().map(|entry| entry.fact.to_owned()).collect();
        assert_eq!(in_model, names_in_code());
        assert_eq!(in_model.len(), MODEL.len(), "none twice");
    }

    #[test]
    fn every_wire_type_is_its_own() {
        let types: BTreeSet<_> = MODEL.iter().map(|entry| entry.wire).collect();
        assert_eq!(types.len(), MODEL.len());
    }
}
