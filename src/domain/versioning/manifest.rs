//! What a version was frozen with, as a document that outlives the log: content, validations, trials. Its checksum is in the log.

use serde::Serialize;

use super::comparison::Around;
use super::{Appended, Number};
use crate::domain::ids::{
    CommitSha, FeatureId, MergeRequestId, ProjectPath, RoleName, TrialId, UserName,
};
use crate::domain::linking::LinkKind;
use crate::domain::validation::Decision;
use jiff::Timestamp;

/// The number of the format; a field is only ever added.
const FORMAT: u32 = 1;

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The number of this format.
    pub format: u32,
    /// Where it was made.
    pub project: ProjectPath,
    /// The number of the version.
    pub version: semver::Version,
    /// Its tag.
    pub tag: String,
    /// The commit that is deployed and tagged.
    pub commit: CommitSha,
    /// Who closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<UserName>,
    /// What is in it, in the order it landed.
    pub change_sets: Vec<Entry>,
    /// What came around the gate.
    pub around_the_gate: Vec<Around>,
}

/// A change set of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its merge request.
    pub merge_request: MergeRequestId,
    /// Its author.
    pub author: UserName,
    /// The head that was asked to be integrated.
    pub head: CommitSha,
    /// The commit of the target that brought it.
    pub landed: CommitSha,
    /// The trial that validated it.
    pub trial: TrialId,
    /// When it landed.
    pub landed_at: Timestamp,
    /// Whether something breaks by it.
    pub breaking: bool,
    /// What it contributes to or closes.
    pub features: Vec<Linked>,
    /// Who validated what it closes.
    pub validations: Vec<Validated>,
}

/// A feature of a change set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Linked {
    /// Which one.
    pub feature: FeatureId,
    /// How.
    pub kind: LinkKind,
}

/// A validation that it landed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Validated {
    /// In which role.
    pub role: RoleName,
    /// Who.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
    /// The commit that was looked at.
    pub commit: CommitSha,
}

impl Manifest {
    /// The document of a version.
    pub fn of(
        project: &ProjectPath,
        number: &Number,
        commit: &CommitSha,
        content: &[Appended],
        around: &[Around],
        closed_by: Option<&UserName>,
    ) -> Self {
        Self {
            format: FORMAT,
            project: project.clone(),
            version: number.version.clone(),
            tag: number.tag(),
            commit: commit.clone(),
            closed_by: closed_by.cloned(),
            change_sets: content.iter().map(Entry::of).collect(),
            around_the_gate: around.to_vec(),
        }
    }

    /// The text of the file: the same manifest gives the same bytes.
    ///
    /// # Errors
    /// None that its fields can cause.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Entry {
    fn of(appended: &Appended) -> Self {
        let set = &appended.change_set;
        let features = set.links.iter().map(|link| Linked {
            feature: link.feature.clone(),
            kind: link.kind,
        });
        let positive =
            |verdict: &&crate::domain::validation::Verdict| verdict.decision == Decision::Validate;
        let validations = set
            .verdicts
            .iter()
            .filter(positive)
            .map(|verdict| Validated {
                role: verdict.role.clone(),
                by: verdict.by.clone(),
                at: verdict.at,
                commit: verdict.commit.clone(),
            });
        Self {
            merge_request: set.merge_request.clone(),
            author: set.author.clone(),
            head: set.head.clone(),
            landed: appended.landed.clone(),
            trial: appended.trial,
            landed_at: appended.at,
            breaking: set.breaking,
            features: features.collect(),
            validations: validations.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::appended;
    use super::*;
    use crate::domain::digest::sha256;

    #[test]
    fn the_same_version_gives_the_same_bytes_and_another_one_does_not() {
        let project: ProjectPath = "shop/web".parse().unwrap();
        let number = Number::of_tag("v1.0.0", "v").unwrap();
        let one = appended(1, &[34], &[], false);
        let text = |content: &[Appended]| {
            let commit = &one.landed;
            let manifest = Manifest::of(&project, &number, commit, content, &[], None);
            manifest.text().unwrap()
        };
        let first = text(std::slice::from_ref(&one));
        assert_eq!(first, text(std::slice::from_ref(&one)));
        assert!(first.contains(r#""kind": "closes""#), "{first}");
        assert!(first.ends_with("}\n"));
        assert_ne!(sha256(&first), sha256(text(&[])));
    }
}
