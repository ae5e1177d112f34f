//! One stored line for each fact, in the order of the registry, and the events they stand for: the wire format cannot change
//! unnoticed. A line here is never edited; a new form of a fact gets a new line.

use jiff::Timestamp;

use crate::domain::controls::Order;
use crate::domain::event::{Event, Fact, Subject};
use crate::domain::ids::{
    ChannelName, CommitSha, Epoch, FeatureId, JobId, MergeRequestId, MessageId, PipelineId,
    ProjectPath, RoleName, TrialId, UserName, VersionId,
};
use crate::domain::integration::{ChangeSet, Priority};
use crate::domain::linking::{Link, LinkKind};
use crate::domain::nrt::{Abandoned, Candidate, Holder};
use crate::domain::validation::{Decision, Verdict};
use crate::domain::versioning::hotfix::Pick;
use crate::domain::versioning::packages::Spread;
use crate::domain::versioning::{Appended, Number};

/// The `source` of the stored lines.
pub(crate) const PROJECT_URL: &str = "https://gitlab.example/shop/web";

/// The event of a stored line.
pub(crate) fn sample(name: &str) -> Event {
    let by = Some("ana".parse().unwrap());
    Event::new(&project(), at(), by, Some(JobId(7)), fact(name, "text", 3))
}

/// A fact of any name, around one text and one number.
pub(crate) fn fact(name: &str, text: &str, n: u64) -> Fact {
    let (merge_request, text) = (merge_request(n), text.to_owned());
    let (trial, version, epoch) = (TrialId(n), VersionId(n), Epoch(n));
    match name {
        "FeatureLinked" => Fact::FeatureLinked {
            merge_request,
            feature: feature(34),
            kind: LinkKind::Closes,
            commit: None,
            told_by: None,
        },
        "FeatureUnlinked" => Fact::FeatureUnlinked {
            merge_request,
            feature: feature(34),
            commit: None,
            told_by: None,
        },
        "LinkRefused" => Fact::LinkRefused {
            merge_request,
            reasons: vec![text],
        },
        "ValidationRequested" => Fact::ValidationRequested {
            merge_request,
            features: vec![feature(34), feature(n)],
            roles: vec![role()],
            commit: sha('a'),
        },
        "FeatureValidated" => Fact::FeatureValidated {
            merge_request,
            features: vec![feature(34)],
            verdict: verdict(n, Decision::Validate),
        },
        "FeatureRejected" => Fact::FeatureRejected {
            merge_request,
            features: vec![feature(34)],
            verdict: verdict(n, Decision::Reject),
            reason: Some(text),
        },
        "ValidationLapsed" => Fact::ValidationLapsed {
            merge_request,
            features: vec![feature(34)],
            verdict: verdict(n, Decision::Validate),
            commit: sha('b'),
            patch: Some("c".repeat(40).parse().unwrap()),
        },
        "ChangeSetQueued" => Fact::ChangeSetQueued {
            change_set: change_set(n, text),
        },
        "ChangeSetWithdrawn" => Fact::ChangeSetWithdrawn {
            merge_request,
            head: sha('a'),
            reason: text,
            order: None,
        },
        "ChangeSetHeld" => Fact::ChangeSetHeld {
            merge_request,
            order: order(text),
            until: Some(at()),
            label: None,
        },
        "ChangeSetUnheld" => Fact::ChangeSetUnheld {
            merge_request,
            order: order(text),
        },
        "ChangeSetForced" => Fact::ChangeSetForced {
            merge_request,
            head: sha('a'),
            order: order(text),
            through_freezes: true,
        },
        "QueuePaused" => Fact::QueuePaused { order: order(text) },
        "QueueResumed" => Fact::QueueResumed { order: order(text) },
        "LeaseGranted" => Fact::LeaseGranted {
            epoch,
            holder: holder(n),
            until: at(),
        },
        "LeaseReleased" => Fact::LeaseReleased { epoch },
        "LeaseExpired" => Fact::LeaseExpired {
            epoch,
            holder: holder(n),
        },
        "LeaseBroken" => Fact::LeaseBroken {
            epoch,
            holder: holder(n),
            reason: text,
            broken_by: "paul".parse().unwrap(),
        },
        "EnvironmentStuck" => Fact::EnvironmentStuck {
            waiting: JobId(7),
            pipeline: PipelineId(n),
        },
        "StateRepaired" => Fact::StateRepaired {
            epoch,
            lost: vec![text],
        },
        "ChangeSetUnqueued" => Fact::ChangeSetUnqueued {
            merge_request,
            head: sha('a'),
            trial,
        },
        "ChangeSetRebased" => Fact::ChangeSetRebased {
            merge_request,
            from: sha('a'),
            to: sha('b'),
            onto: sha('c'),
        },
        "ChangeSetConflicted" => Fact::ChangeSetConflicted {
            merge_request,
            head: sha('a'),
            detail: text,
        },
        "TrialStarted" => Fact::TrialStarted {
            trial,
            candidate: Candidate {
                commit: sha('b'),
                base: sha('c'),
                reference: text,
            },
            change_sets: vec![merge_request],
            placed: Vec::new(),
            postponed: Vec::new(),
        },
        "TrialValidated" => Fact::TrialValidated { trial },
        "TrialRejected" => Fact::TrialRejected {
            trial,
            culprits: vec![merge_request],
            evidence: text,
        },
        "TrialAbandoned" => Fact::TrialAbandoned {
            trial,
            reason: Abandoned::TargetMoved,
        },
        "ChangeSetRejected" => Fact::ChangeSetRejected {
            merge_request,
            head: sha('a'),
            trial,
            reason: text,
            evidence: None,
            failures: Vec::new(),
        },
        "ChangeSetMerged" => Fact::ChangeSetMerged {
            merge_request,
            head: sha('a'),
            commit: sha('b'),
            trial,
            leaves: None,
        },
        "LandedUntested" => Fact::LandedUntested {
            merge_request,
            trial,
            candidate: sha('a'),
            commit: sha('b'),
        },
        "SourceBranchesSettled" => Fact::SourceBranchesSettled {
            merge_requests: vec![merge_request],
        },
        "ChangeSetAppended" => Fact::ChangeSetAppended {
            version,
            appended: Appended {
                change_set: change_set(n, text),
                landed: sha('b'),
                base: None,
                spread: Spread::default(),
                trial,
                at: at(),
            },
        },
        "VersionOpened" => Fact::VersionOpened { version },
        "VersionClosed" => Fact::VersionClosed {
            version,
            number: number(n, text),
            commit: sha('b'),
            content: vec![merge_request],
            kept: Vec::new(),
            closed_by: Some(user()),
            around: Vec::new(),
            manifest: None,
            through_freeze: None,
        },
        "ReleaseTaken" => Fact::ReleaseTaken {
            version,
            number: number(n, "v".to_owned()),
        },
        "VersionAnnounced" => Fact::VersionAnnounced {
            version,
            number: number(n, "v".to_owned()),
        },
        "VersionDeployed" => Fact::VersionDeployed {
            version,
            number: number(n, "v".to_owned()),
            environment: text,
            deployment: Some(n),
        },
        "VersionReleased" => Fact::VersionReleased {
            version,
            number: number(n, text),
            commit: sha('b'),
            features: vec![feature(34)],
        },
        "ReleaseFailed" => Fact::ReleaseFailed {
            version,
            number: number(n, "v".to_owned()),
            reason: text,
            evidence: None,
        },
        "VersionWithdrawn" => Fact::VersionWithdrawn {
            version,
            number: number(n, "v".to_owned()),
            reason: text,
            withdrawn_by: user(),
        },
        "HotfixAsked" => Fact::HotfixAsked {
            merge_request,
            from: number(n, "v".to_owned()),
            picks: vec![Pick {
                merge_request: self::merge_request(n + 1),
                landed: sha('b'),
            }],
            reason: text,
            asked_by: user(),
        },
        "ContributorWarned" => Fact::ContributorWarned {
            about: Subject::MergeRequest(merge_request),
            alert: text,
            people: vec![user()],
        },
        "ChannelOpened" => Fact::ChannelOpened { channel: channel() },
        "DeliveryStarted" => Fact::DeliveryStarted {
            channel: channel(),
            messages: vec![message()],
        },
        "DeliverySucceeded" => Fact::DeliverySucceeded {
            channel: channel(),
            messages: vec![message()],
        },
        "DeliveryFailed" => Fact::DeliveryFailed {
            channel: channel(),
            messages: vec![message()],
            reason: text,
        },
        unknown => panic!("no sample of {unknown}"),
    }
}

fn project() -> ProjectPath {
    "shop/web".parse().unwrap()
}

fn at() -> Timestamp {
    "2026-01-05T10:00:00.25Z".parse().unwrap()
}

fn merge_request(iid: u64) -> MergeRequestId {
    MergeRequestId {
        project: project(),
        iid,
    }
}

fn feature(iid: u64) -> FeatureId {
    FeatureId {
        project: project(),
        iid,
    }
}

fn sha(digit: char) -> CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}

fn user() -> UserName {
    "paul".parse().unwrap()
}

fn order(reason: String) -> Order {
    Order {
        person: Some(user()),
        reason,
        given_at: at(),
    }
}

fn role() -> RoleName {
    "po".parse().unwrap()
}

fn channel() -> ChannelName {
    "team".parse().unwrap()
}

fn message() -> MessageId {
    "0123456789abcdef".parse().unwrap()
}

fn verdict(job: u64, decision: Decision) -> Verdict {
    Verdict {
        role: role(),
        decision,
        by: user(),
        at: at(),
        commit: sha('a'),
        job: JobId(job),
    }
}

fn holder(pipeline: u64) -> Holder {
    Holder {
        project: project(),
        pipeline: PipelineId(pipeline),
        job: JobId(7),
        user: Some(user()),
    }
}

fn number(minor: u64, prefix: String) -> Number {
    Number {
        version: semver::Version::new(1, minor, 0),
        prefix,
        package: None,
    }
}

fn change_set(iid: u64, title: String) -> ChangeSet {
    ChangeSet {
        merge_request: merge_request(iid),
        head: sha('a'),
        target: "main".parse().unwrap(),
        title,
        author: "ana".parse().unwrap(),
        links: vec![Link {
            feature: feature(34),
            kind: LinkKind::Closes,
        }],
        verdicts: vec![verdict(5, Decision::Validate)],
        breaking: false,
        priority: Priority::High,
        requested_at: at(),
        requested_by: JobId(6),
        note: Some(crate::domain::ids::NoteId(12)),
    }
}

/// The lines.
pub(crate) const LINES: &str = r##"
{"specversion":"1.0","id":"bfe21c199347bca2869c4d35325998e6","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-featurelink.declared.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"bfe21c199347bca2869c4d35325998e6","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-featurelink.declared.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-featurelink","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"bfe21c199347bca2869c4d35325998e6","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"FeatureLinked","merge_request":{"project":"shop/web","iid":3},"feature":{"project":"shop/web","iid":34},"kind":"closes"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"78e0d3ab1956cc51066ef9c04ea34b6f","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-featurelink.removed.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"78e0d3ab1956cc51066ef9c04ea34b6f","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-featurelink.removed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-featurelink","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"78e0d3ab1956cc51066ef9c04ea34b6f","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"FeatureUnlinked","merge_request":{"project":"shop/web","iid":3},"feature":{"project":"shop/web","iid":34}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"5b24bad8336bb37a234bfe829e48f667","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-featurelink.rejected.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"5b24bad8336bb37a234bfe829e48f667","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-featurelink.rejected.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-featurelink","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"5b24bad8336bb37a234bfe829e48f667","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"LinkRefused","merge_request":{"project":"shop/web","iid":3},"reasons":["text"]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"702cae3d471064b88c63c20057329a0d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.requested.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"702cae3d471064b88c63c20057329a0d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.requested.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-validation","content":{"project":"shop/web","by":"ana","features":["shop/web#34","shop/web#3"]}},"customData":{"id":"702cae3d471064b88c63c20057329a0d","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ValidationRequested","merge_request":{"project":"shop/web","iid":3},"features":[{"project":"shop/web","iid":34},{"project":"shop/web","iid":3}],"roles":["po"],"commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"384cc7e36637103c80647878e7d96876","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.validated.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"384cc7e36637103c80647878e7d96876","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.validated.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-validation","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"384cc7e36637103c80647878e7d96876","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"FeatureValidated","merge_request":{"project":"shop/web","iid":3},"features":[{"project":"shop/web","iid":34}],"verdict":{"role":"po","decision":"validate","by":"paul","at":"2026-01-05T10:00:00.25Z","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":3}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"09104d6289a0ee5a0279c996f0e9a422","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.rejected.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"09104d6289a0ee5a0279c996f0e9a422","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.rejected.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-validation","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"09104d6289a0ee5a0279c996f0e9a422","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"FeatureRejected","merge_request":{"project":"shop/web","iid":3},"features":[{"project":"shop/web","iid":34}],"verdict":{"role":"po","decision":"reject","by":"paul","at":"2026-01-05T10:00:00.25Z","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":3},"reason":"text"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"42270a6802328b9c51fd751fda70cd75","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.lapsed.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"42270a6802328b9c51fd751fda70cd75","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-validation.lapsed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-validation","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"42270a6802328b9c51fd751fda70cd75","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ValidationLapsed","merge_request":{"project":"shop/web","iid":3},"features":[{"project":"shop/web","iid":34}],"verdict":{"role":"po","decision":"validate","by":"paul","at":"2026-01-05T10:00:00.25Z","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":3},"commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","patch":"cccccccccccccccccccccccccccccccccccccccc"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"aca8d56e1ee9620f8811a99535bf0393","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.queued.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"aca8d56e1ee9620f8811a99535bf0393","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.queued.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"aca8d56e1ee9620f8811a99535bf0393","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetQueued","change_set":{"merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","target":"main","title":"text","author":"ana","links":[{"feature":{"project":"shop/web","iid":34},"kind":"closes"}],"verdicts":[{"role":"po","decision":"validate","by":"paul","at":"2026-01-05T10:00:00.25Z","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":5}],"breaking":false,"priority":"high","requested_at":"2026-01-05T10:00:00.25Z","requested_by":6,"note":12}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"e4685dde09bce7af03ab3a382a090dbe","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.withdrawn.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"e4685dde09bce7af03ab3a382a090dbe","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.withdrawn.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"e4685dde09bce7af03ab3a382a090dbe","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetWithdrawn","merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","reason":"text"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"9f6c31fb7c9cc25b75da6bedf5719e45","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.held.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"9f6c31fb7c9cc25b75da6bedf5719e45","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.held.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"9f6c31fb7c9cc25b75da6bedf5719e45","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetHeld","merge_request":{"project":"shop/web","iid":3},"order":{"person":"paul","reason":"text","given_at":"2026-01-05T10:00:00.25Z"},"until":"2026-01-05T10:00:00.25Z"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"d1eb53cc8a5ae3dcd7279c05585d8edb","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.unheld.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"d1eb53cc8a5ae3dcd7279c05585d8edb","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.unheld.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"d1eb53cc8a5ae3dcd7279c05585d8edb","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetUnheld","merge_request":{"project":"shop/web","iid":3},"order":{"person":"paul","reason":"text","given_at":"2026-01-05T10:00:00.25Z"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"7f47255126018ecf4fadc28a2ffb58dd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.forced.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"7f47255126018ecf4fadc28a2ffb58dd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.forced.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"7f47255126018ecf4fadc28a2ffb58dd","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetForced","merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","order":{"person":"paul","reason":"text","given_at":"2026-01-05T10:00:00.25Z"},"through_freezes":true},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"5f5db688954470f391b44a7a7f8114c5","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-queue.paused.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"5f5db688954470f391b44a7a7f8114c5","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-queue.paused.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-queue","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"5f5db688954470f391b44a7a7f8114c5","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"QueuePaused","order":{"person":"paul","reason":"text","given_at":"2026-01-05T10:00:00.25Z"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"f22bf3d0fb6a91f137929b7b385cc3f2","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-queue.resumed.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"f22bf3d0fb6a91f137929b7b385cc3f2","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-queue.resumed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-queue","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"f22bf3d0fb6a91f137929b7b385cc3f2","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"QueueResumed","order":{"person":"paul","reason":"text","given_at":"2026-01-05T10:00:00.25Z"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"d9466160d45d219c0d96761e28b3537d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.granted.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"d9466160d45d219c0d96761e28b3537d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.granted.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-lease","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"d9466160d45d219c0d96761e28b3537d","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"LeaseGranted","epoch":3,"holder":{"project":"shop/web","pipeline":3,"job":7,"user":"paul"},"until":"2026-01-05T10:00:00.25Z"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"4534ced5a3499a0178f40ae5de1f7be3","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.unqueued.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"4534ced5a3499a0178f40ae5de1f7be3","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.unqueued.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"4534ced5a3499a0178f40ae5de1f7be3","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetUnqueued","merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","trial":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"8d4a0a7fe03b1373dc150fd41fa200cd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.rebased.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"8d4a0a7fe03b1373dc150fd41fa200cd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.rebased.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"8d4a0a7fe03b1373dc150fd41fa200cd","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetRebased","merge_request":{"project":"shop/web","iid":3},"from":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","to":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","onto":"cccccccccccccccccccccccccccccccccccccccc"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"a1e3d0bbc2165c8892b1f1ac0f49c8dd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.conflicted.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"a1e3d0bbc2165c8892b1f1ac0f49c8dd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.conflicted.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"a1e3d0bbc2165c8892b1f1ac0f49c8dd","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetConflicted","merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","detail":"text"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"9d51f1186210ba7608bb255e04e3bc5d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.started.0.1.0","subject":"trial/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"9d51f1186210ba7608bb255e04e3bc5d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.started.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"trial/3","source":"https://gitlab.example/shop/web","type":"trainyard-trial","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"9d51f1186210ba7608bb255e04e3bc5d","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"TrialStarted","trial":3,"candidate":{"commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","base":"cccccccccccccccccccccccccccccccccccccccc","reference":"text"},"change_sets":[{"project":"shop/web","iid":3}]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"7127535c6fd959ffec480b588d0df607","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.validated.0.1.0","subject":"trial/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"7127535c6fd959ffec480b588d0df607","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.validated.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"trial/3","source":"https://gitlab.example/shop/web","type":"trainyard-trial","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"7127535c6fd959ffec480b588d0df607","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"TrialValidated","trial":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"794e5e23c945f71a9c6ddbbf76fcfe85","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.rejected.0.1.0","subject":"trial/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"794e5e23c945f71a9c6ddbbf76fcfe85","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.rejected.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"trial/3","source":"https://gitlab.example/shop/web","type":"trainyard-trial","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"794e5e23c945f71a9c6ddbbf76fcfe85","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"TrialRejected","trial":3,"culprits":[{"project":"shop/web","iid":3}],"evidence":"text"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"07194e787001d6946150ec9237ab603d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.abandoned.0.1.0","subject":"trial/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"07194e787001d6946150ec9237ab603d","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-trial.abandoned.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"trial/3","source":"https://gitlab.example/shop/web","type":"trainyard-trial","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"07194e787001d6946150ec9237ab603d","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"TrialAbandoned","trial":3,"reason":"target_moved"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"e17e9bcc5bf216e4d3c50032f4de09f6","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.rejected.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"e17e9bcc5bf216e4d3c50032f4de09f6","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.rejected.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"e17e9bcc5bf216e4d3c50032f4de09f6","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetRejected","merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","trial":3,"reason":"text"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"5d956ea8f0a4a6ade1e08198b074d70e","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.released.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"5d956ea8f0a4a6ade1e08198b074d70e","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.released.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-lease","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"5d956ea8f0a4a6ade1e08198b074d70e","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"LeaseReleased","epoch":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"666abd690e179c9071984856deb48e45","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.expired.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"666abd690e179c9071984856deb48e45","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.expired.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-lease","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"666abd690e179c9071984856deb48e45","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"LeaseExpired","epoch":3,"holder":{"project":"shop/web","pipeline":3,"job":7,"user":"paul"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"56674bf075f944903374a290cf9ac0b1","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.broken.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"56674bf075f944903374a290cf9ac0b1","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-lease.broken.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-lease","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"56674bf075f944903374a290cf9ac0b1","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"LeaseBroken","epoch":3,"holder":{"project":"shop/web","pipeline":3,"job":7,"user":"paul"},"reason":"text","broken_by":"paul"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"a141be4a109b1f5f9ca4a1792ea45d74","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-environment.stuck.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"a141be4a109b1f5f9ca4a1792ea45d74","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-environment.stuck.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-environment","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"a141be4a109b1f5f9ca4a1792ea45d74","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"EnvironmentStuck","waiting":7,"pipeline":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"c6592914c5be1a3bacf51e1f45962762","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-state.repaired.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"c6592914c5be1a3bacf51e1f45962762","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-state.repaired.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-state","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"c6592914c5be1a3bacf51e1f45962762","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"StateRepaired","epoch":3,"lost":["text"]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"92eed204bd6a972f3d0c0b44e1be983b","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.merged.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"92eed204bd6a972f3d0c0b44e1be983b","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.merged.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"92eed204bd6a972f3d0c0b44e1be983b","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetMerged","merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","trial":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"0a39c82c40abfa5705895a58b8bc60ef","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.untested.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"0a39c82c40abfa5705895a58b8bc60ef","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.untested.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"0a39c82c40abfa5705895a58b8bc60ef","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"LandedUntested","merge_request":{"project":"shop/web","iid":3},"trial":3,"candidate":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"c16ff42b03ea4ff97c9087a359b2ce66","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-branches.settled.0.1.0","subject":"environment/nrt","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"c16ff42b03ea4ff97c9087a359b2ce66","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-branches.settled.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"environment/nrt","source":"https://gitlab.example/shop/web","type":"trainyard-branches","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"c16ff42b03ea4ff97c9087a359b2ce66","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"SourceBranchesSettled","merge_requests":[{"project":"shop/web","iid":3}]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"26a3be7d4db92a3b118ece1c60488137","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.appended.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"26a3be7d4db92a3b118ece1c60488137","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-changeset.appended.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-changeset","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"26a3be7d4db92a3b118ece1c60488137","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChangeSetAppended","version":3,"appended":{"change_set":{"merge_request":{"project":"shop/web","iid":3},"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","target":"main","title":"text","author":"ana","links":[{"feature":{"project":"shop/web","iid":34},"kind":"closes"}],"verdicts":[{"role":"po","decision":"validate","by":"paul","at":"2026-01-05T10:00:00.25Z","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":5}],"breaking":false,"priority":"high","requested_at":"2026-01-05T10:00:00.25Z","requested_by":6,"note":12},"landed":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","trial":3,"at":"2026-01-05T10:00:00.25Z"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"9f939665bad744779b59c55bab228deb","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.closed.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"9f939665bad744779b59c55bab228deb","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.closed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"9f939665bad744779b59c55bab228deb","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"VersionClosed","version":3,"number":{"version":"1.3.0","prefix":"text"},"commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","content":[{"project":"shop/web","iid":3}],"closed_by":"paul"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"b5a440b72c087b9c6f119488852975a7","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.opened.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"b5a440b72c087b9c6f119488852975a7","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.opened.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"b5a440b72c087b9c6f119488852975a7","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"VersionOpened","version":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"b0f627085c1ffe96cdab3fdae18dd0cd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.taken.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"b0f627085c1ffe96cdab3fdae18dd0cd","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.taken.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"b0f627085c1ffe96cdab3fdae18dd0cd","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ReleaseTaken","version":3,"number":{"version":"1.3.0","prefix":"v"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"3167156f378356641a2220fa3a925d47","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.deployed.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"3167156f378356641a2220fa3a925d47","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.deployed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"3167156f378356641a2220fa3a925d47","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"VersionDeployed","version":3,"number":{"version":"1.3.0","prefix":"v"},"environment":"text","deployment":3},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"bb0ea92540a1fccc8de7c07013cf0451","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.released.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"bb0ea92540a1fccc8de7c07013cf0451","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.released.0.1.0","timestamp":"2026-01-05T10:00:00.25Z","chainId":"shop/web#34"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":["shop/web#34"]}},"customData":{"id":"bb0ea92540a1fccc8de7c07013cf0451","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"VersionReleased","version":3,"number":{"version":"1.3.0","prefix":"text"},"commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","features":[{"project":"shop/web","iid":34}]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"ff0dfc82f7174780bd695237507775cf","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.announced.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"ff0dfc82f7174780bd695237507775cf","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.announced.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"ff0dfc82f7174780bd695237507775cf","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"VersionAnnounced","version":3,"number":{"version":"1.3.0","prefix":"v"}},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"cbbf4a72c166470cc10d938bfe4966a8","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.failed.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"cbbf4a72c166470cc10d938bfe4966a8","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.failed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"cbbf4a72c166470cc10d938bfe4966a8","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ReleaseFailed","version":3,"number":{"version":"1.3.0","prefix":"v"},"reason":"text"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"7153920539db533b326ee80cf144b05c","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.withdrawn.0.1.0","subject":"version/3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"7153920539db533b326ee80cf144b05c","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-version.withdrawn.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"version/3","source":"https://gitlab.example/shop/web","type":"trainyard-version","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"7153920539db533b326ee80cf144b05c","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"VersionWithdrawn","version":3,"number":{"version":"1.3.0","prefix":"v"},"reason":"text","withdrawn_by":"paul"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"b258d4f79fa97b2e62382d7f71ee5d3c","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-hotfix.requested.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"b258d4f79fa97b2e62382d7f71ee5d3c","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-hotfix.requested.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-hotfix","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"b258d4f79fa97b2e62382d7f71ee5d3c","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"HotfixAsked","merge_request":{"project":"shop/web","iid":3},"from":{"version":"1.3.0","prefix":"v"},"picks":[{"merge_request":{"project":"shop/web","iid":4},"landed":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}],"reason":"text","asked_by":"paul"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"51bf6b2c131278d1eb08629f4d2d02e2","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-contributor.warned.0.1.0","subject":"shop/web!3","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"51bf6b2c131278d1eb08629f4d2d02e2","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-contributor.warned.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"shop/web!3","source":"https://gitlab.example/shop/web","type":"trainyard-contributor","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"51bf6b2c131278d1eb08629f4d2d02e2","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ContributorWarned","about":{"merge_request":{"project":"shop/web","iid":3}},"alert":"text","people":["paul"]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"831315ceb59e87b7ad28b2126f8a32a0","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-channel.opened.0.1.0","subject":"channel/team","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"831315ceb59e87b7ad28b2126f8a32a0","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-channel.opened.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"channel/team","source":"https://gitlab.example/shop/web","type":"trainyard-channel","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"831315ceb59e87b7ad28b2126f8a32a0","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"ChannelOpened","channel":"team"},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"fc1951a1b622b5b366b8f442aed99f32","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-delivery.started.0.1.0","subject":"channel/team","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"fc1951a1b622b5b366b8f442aed99f32","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-delivery.started.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"channel/team","source":"https://gitlab.example/shop/web","type":"trainyard-delivery","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"fc1951a1b622b5b366b8f442aed99f32","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"DeliveryStarted","channel":"team","messages":["0123456789abcdef"]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"4da7e28b212a435d467ff68d0e676297","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-delivery.succeeded.0.1.0","subject":"channel/team","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"4da7e28b212a435d467ff68d0e676297","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-delivery.succeeded.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"channel/team","source":"https://gitlab.example/shop/web","type":"trainyard-delivery","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"4da7e28b212a435d467ff68d0e676297","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"DeliverySucceeded","channel":"team","messages":["0123456789abcdef"]},"customDataContentType":"application/json"}}
{"specversion":"1.0","id":"d47b458955bd3f9f3dcc30ae6bfc5cf5","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-delivery.failed.0.1.0","subject":"channel/team","time":"2026-01-05T10:00:00.25Z","datacontenttype":"application/json","data":{"context":{"version":"0.4.1","id":"d47b458955bd3f9f3dcc30ae6bfc5cf5","source":"https://gitlab.example/shop/web","type":"dev.cdeventsx.trainyard-delivery.failed.0.1.0","timestamp":"2026-01-05T10:00:00.25Z"},"subject":{"id":"channel/team","source":"https://gitlab.example/shop/web","type":"trainyard-delivery","content":{"project":"shop/web","by":"ana","features":[]}},"customData":{"id":"d47b458955bd3f9f3dcc30ae6bfc5cf5","at":"2026-01-05T10:00:00.25Z","project":"shop/web","by":"ana","job":7,"fact":"DeliveryFailed","channel":"team","messages":["0123456789abcdef"],"reason":"text"},"customDataContentType":"application/json"}}
"##;
