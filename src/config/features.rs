//! The section `features`: how features are recognised and linked.

use super::reading::Section;
use crate::domain::ids::ProjectPath;
use crate::domain::linking::{Exemption, LinkPolicy};

/// How features are recognised and linked.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Where a bare `#34` points; this project when not given.
    pub project: Option<ProjectPath>,
    /// Projects whose issues may be named beside these; any when not given.
    pub projects: Option<Vec<ProjectPath>>,
    /// The label that makes an issue a feature.
    pub label: Option<String>,
    /// The type that makes an issue a feature, in GitLab's word.
    pub issue_type: Option<String>,
    /// Whether a merge request must name one.
    pub links: LinkPolicy,
    /// Merge requests that need not name one, in the order of the file.
    pub exempt: Vec<Exemption>,
    /// Verbs that mean "closes".
    pub closing_words: Vec<String>,
    /// Verbs that mean "contributes to".
    pub contributing_words: Vec<String>,
}

impl Features {
    /// Reads the section; absent keys have their usual values.
    pub(super) fn read(s: &mut Section) -> Self {
        Self {
            project: s.id("project"),
            projects: s.holds("projects").then(|| s.ids("projects")),
            label: s.text("label"),
            issue_type: s.word("type"),
            links: s
                .choice(
                    "links",
                    &[
                        ("required", LinkPolicy::Required),
                        ("warned", LinkPolicy::Warned),
                        ("off", LinkPolicy::Off),
                    ],
                )
                .unwrap_or_default(),
            exempt: s.entries("exempt", |name, e| {
                let exemption = Exemption {
                    name: name.to_owned(),
                    labels: e.texts("labels"),
                    authors: e.ids("authors"),
                    branches: e.ids("branches"),
                };
                if !exemption.has_conditions() {
                    e.problem("sets no condition: give it `labels`, `authors` or `branches`");
                }
                Some(exemption)
            }),
            closing_words: s.texts("closing_words"),
            contributing_words: s.texts("contributing_words"),
        }
    }
}
