//! The section `labels`: labels that show where something stands.

use super::Config;
use super::reading::Section;
use crate::domain::labelling::{Labels, Stage};

/// Labels that show where something stands; none unless the project names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageLabels {
    /// On merge requests.
    pub merge_request: Labels,
    /// On features.
    pub feature: Labels,
}

impl StageLabels {
    /// Reads the section; absent keys name no label.
    pub(super) fn read(s: &mut Section) -> Self {
        Self {
            merge_request: s.section("merge_request", stage_labels),
            feature: s.section("feature", stage_labels),
        }
    }
}

fn stage_labels(section: &mut Section) -> Labels {
    let named = Stage::ALL.map(|(key, stage)| (stage, section.label(key)));
    Labels::new(
        named
            .into_iter()
            .filter_map(|(stage, label)| Some((stage, label?))),
    )
}

/// A label that something is decided on must not come and go with a stage.
pub(super) fn misused(config: &Config) -> Vec<String> {
    let priorities = config.integration.priorities.iter();
    let conditions = config.validation.rules.iter().map(|rule| &rule.when);
    let ruled = conditions.flat_map(|when| when.labels.iter().chain(&when.feature_labels));
    let meaning: Vec<(&str, &str)> = priorities
        .map(|(label, _)| (label.as_str(), "integration.priorities"))
        .chain(
            config
                .features
                .label
                .as_deref()
                .map(|l| (l, "features.label")),
        )
        .chain([(
            config.integration.breaking_label.as_str(),
            "integration.breaking_label",
        )])
        .chain(
            config
                .integration
                .hold_label
                .as_deref()
                .map(|label| (label, "integration.hold_label")),
        )
        .chain(ruled.map(|label| (label.as_str(), "validation.rules")))
        .collect();
    let StageLabels {
        merge_request,
        feature,
    } = &config.labels;
    [("merge_request", merge_request), ("feature", feature)]
        .iter()
        .flat_map(|(kind, labels)| labels.all().map(move |label| (*kind, label)))
        .filter_map(|(kind, label)| {
            let (_, user) = meaning.iter().find(|(used, _)| *used == label)?;
            Some(format!("`labels.{kind}` takes the label `{label}` away again, which `{user}` decides on; name another one"))
        })
        .collect()
}
