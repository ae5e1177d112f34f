//! Labels that show where a merge request or a feature stands, for boards and filters. Off unless the project names them.
//!
//! They are for looking at and nothing else: no rule ever reads one of them. Only labels that the project names here are added or
//! taken away; a person's own stay.

use std::collections::{BTreeMap, BTreeSet};

use super::linking::LinkKind;

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Its links are in order.
    Linked,
    /// People are asked to validate it.
    AwaitingValidation,
    /// Every role has validated it.
    Validated,
    /// Somebody, or the non-regression tests, rejected it.
    Rejected,
    /// It waits for the NRT environment.
    Queued,
    /// It is under trial.
    InTrial,
    /// It is merged and in the open version.
    Landed,
    /// It is in production.
    Released,
}

impl Stage {
    /// Every stage, with the key by which the configuration names its label.
    pub const ALL: [(&'static str, Self); 8] = [
        ("linked", Self::Linked),
        ("awaiting_validation", Self::AwaitingValidation),
        ("validated", Self::Validated),
        ("rejected", Self::Rejected),
        ("queued", Self::Queued),
        ("in_trial", Self::InTrial),
        ("landed", Self::Landed),
        ("released", Self::Released),
    ];

    /// Whether only the gate knows it: the queue and the environment are not seen from a merge request's own pipeline.
    fn is_the_gates(self) -> bool {
        match self {
            Self::Queued | Self::InTrial => true,
            Self::Linked
            | Self::AwaitingValidation
            | Self::Validated
            | Self::Rejected
            | Self::Landed
            | Self::Released => false,
        }
    }
}

/// Who says where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// A pipeline of the merge request.
    MergeRequest,
    /// The gate.
    Gate,
}

/// The labels of one kind of thing, by stage; a stage without one shows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<Stage, String>);

/// Labels to add and to take away. Never both empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relabel {
    /// To add.
    pub add: Vec<String>,
    /// To take away.
    pub remove: Vec<String>,
}

impl Labels {
    /// The labels that the project names.
    pub fn new(of: impl IntoIterator<Item = (Stage, String)>) -> Self {
        Self(of.into_iter().collect())
    }

    /// Whether the project wants none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// What has to change so that exactly the label of this stage is there, of all that are named here; `None` when it is right.
    ///
    /// No stage means none of them.
    pub fn change(
        &self,
        present: &[String],
        stage: Option<Stage>,
        teller: Teller,
    ) -> Option<Relabel> {
        let is_the_gates =
            |(stage, label): (&Stage, &String)| stage.is_the_gates() && present.contains(label);
        if teller == Teller::MergeRequest && self.0.iter().any(is_the_gates) {
            return None;
        }
        let wanted = stage.and_then(|stage| self.0.get(&stage));
        let ours: BTreeSet<&String> = self.0.values().collect();
        let change = Relabel {
            add: wanted
                .filter(|label| !present.contains(label))
                .cloned()
                .into_iter()
                .collect(),
            remove: ours
                .into_iter()
                .filter(|label| Some(*label) != wanted && present.contains(label))
                .cloned()
                .collect(),
        };
        (change != Relabel::default()).then_some(change)
    }

    /// The stage of a feature that one of its merge requests brought to a stage. The closing one speaks for the feature; a
    /// contributing one only shows that somebody has begun, where nothing else is shown.
    pub fn stage_of_feature(
        &self,
        present: &[String],
        kind: LinkKind,
        stage: Stage,
    ) -> Option<Stage> {
        match kind {
            LinkKind::Closes => Some(stage),
            LinkKind::Contributes if self.all().any(|label| present.iter().any(|p| p == label)) => {
                None
            }
            LinkKind::Contributes => Some(Stage::Linked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels() -> Labels {
        Labels::new([
            (Stage::Linked, "linked".to_owned()),
            (Stage::Queued, "integrating".to_owned()),
            (Stage::InTrial, "integrating".to_owned()),
            (Stage::Landed, "landed".to_owned()),
        ])
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn exactly_the_label_of_the_stage_is_there_and_a_persons_own_stay() {
        use Stage::{InTrial, Landed, Linked, Queued, Validated};
        type Row = (
            &'static [&'static str],
            Option<Stage>,
            &'static [&'static str],
            &'static [&'static str],
        );
        let table: [Row; 7] = [
            (&["bug"], Some(Linked), &["linked"], &[]),
            (&["bug", "linked"], Some(Linked), &[], &[]),
            (&["linked"], Some(Queued), &["integrating"], &["linked"]),
            (&["integrating"], Some(InTrial), &[], &[]),
            (
                &["integrating", "linked", "bug"],
                Some(Landed),
                &["landed"],
                &["integrating", "linked"],
            ),
            (&["linked"], Some(Validated), &[], &["linked"]),
            (&["landed", "bug"], None, &[], &["landed"]),
        ];
        for (present, stage, add, remove) in table {
            let change = labels()
                .change(&texts(present), stage, Teller::Gate)
                .unwrap_or_default();
            assert_eq!(
                (change.add, change.remove),
                (texts(add), texts(remove)),
                "{present:?}"
            );
        }
    }

    #[test]
    fn a_pipeline_of_the_merge_request_leaves_the_gates_labels_alone() {
        let present = texts(&["integrating"]);
        let change = |teller| labels().change(&present, Some(Stage::Linked), teller);
        assert_eq!(change(Teller::MergeRequest), None);
        assert!(change(Teller::Gate).is_some());
    }

    #[test]
    fn the_closing_merge_request_speaks_for_the_feature() {
        let stage = |present: &[&str], kind| {
            labels().stage_of_feature(&texts(present), kind, Stage::Landed)
        };
        assert_eq!(stage(&["landed"], LinkKind::Closes), Some(Stage::Landed));
        assert_eq!(stage(&["bug"], LinkKind::Contributes), Some(Stage::Linked));
        assert_eq!(stage(&["integrating"], LinkKind::Contributes), None);
    }

    proptest! {
        #[test]
        fn what_is_right_is_not_written_again(present in proptest::collection::vec("linked|integrating|landed|bug|x", 0..5), index in 0..8usize) {
            let stage = Some(Stage::ALL[index].1);
            let mut after: Vec<String> = present.clone();
            if let Some(change) = labels().change(&present, stage, Teller::Gate) {
                after.retain(|label| !change.remove.contains(label));
                after.extend(change.add);
            }
            prop_assert_eq!(labels().change(&after, stage, Teller::Gate), None);
            let own = |list: &[String]| list.iter().filter(|l| *l == "bug" || *l == "x").cloned().collect::<Vec<_>>();
            prop_assert_eq!(own(&present), own(&after));
        }
    }
}
