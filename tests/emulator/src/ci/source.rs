//! What the compiler is given: the text, everything known about the pipeline at creation, and a way to other files.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One configuration to compile, with all that is known when the pipeline is created.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The text of `.gitlab-ci.yml`.
    pub text: &'a str,
    /// Predefined variables of project and pipeline; `variables:` of the configuration override them.
    pub predefined: &'a BTreeMap<String, String>,
    /// Variables of instance, group, project (without environment scope), schedule and pipeline; they override `variables:`.
    pub assigned: &'a BTreeMap<String, Assigned>,
    /// Pipeline inputs as given; strings may stand for numbers, booleans and arrays.
    pub inputs: &'a Map<String, Value>,
    /// Paths changed by the push or merge request; `None`: cannot be known, so every `rules:changes` matches.
    pub changed_paths: Option<&'a [String]>,
}

/// A variable that somebody set outside the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    pub value: String,
    /// References inside the value are left alone.
    pub raw: bool,
    /// Refused by the `expand_vars` function of inputs.
    pub masked: bool,
}

impl From<&str> for Assigned {
    fn from(value: &str) -> Self {
        Self {
            value: value.to_owned(),
            raw: false,
            masked: false,
        }
    }
}

/// What is wrong with `include:artifact` where there is no parent pipeline.
pub const NO_PARENT: &str =
    "Including configs from artifacts is only allowed when triggering child pipelines";

/// Access to the files a configuration may include; one value stands for one project at one commit.
pub trait Files {
    /// Where the files are from, for the linter.
    fn origin(&self) -> Origin {
        Origin::default()
    }
    /// The file at this path (no leading slash) of the project and commit this value stands for.
    fn local(&self, path: &str) -> Option<String>;
    /// All paths of that commit, sorted; for globs and `rules:exists`.
    fn local_paths(&self) -> Vec<String>;
    /// Paths that differ between that commit and the merge base with `reference`; `None`: no such reference.
    fn changed_since(&self, reference: &str) -> Option<Vec<String>>;
    /// The state of another project at `reference` (`None`: its default branch).
    fn project(
        &self,
        path: &str,
        reference: Option<&str>,
    ) -> Result<Box<dyn Files + '_>, OutOfReach>;
    /// A component by its whole address, `host/group/project/name@version`.
    fn component(&self, address: &str) -> Result<Component<'_>, ComponentError>;
    /// A file from the artifacts of a job of the parent pipeline, for which there must be one; the error is GitLab's text.
    fn artifact(&self, _job: &str, _path: &str) -> Result<String, String> {
        Err(NO_PARENT.to_owned())
    }
}

/// A project at one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The path of the project.
    pub project: String,
    /// The address of the project's page.
    pub url: String,
    pub sha: String,
}

/// Why another project cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfReach {
    /// There is no such project, or the user may not read it.
    Project,
    /// The project has no such ref.
    Reference,
}

/// Why a component cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentError {
    /// The address is not of this server or has no version.
    UnsupportedPath,
    /// There is no such project, or the user may not read it.
    NotAllowed,
    /// The version or the file does not exist.
    NotFound,
    /// `~latest` of a project that is not in the catalog.
    LatestOutsideCatalog,
    /// A partial version such as `1.2` of a project that is not in the catalog.
    PartialVersionOutsideCatalog,
}

impl ComponentError {
    pub(super) fn message(self, address: &str) -> String {
        let reason = match self {
            Self::UnsupportedPath => "the component path is not supported",
            Self::NotAllowed => "project does not exist or you don't have sufficient permissions",
            Self::NotFound => "content not found",
            Self::LatestOutsideCatalog => {
                "The ~latest version reference is not supported for non-catalog resources. \
                 Use a tag, branch, or commit SHA instead."
            }
            Self::PartialVersionOutsideCatalog => {
                "The partial semantic version reference is not supported for non-catalog resources. \
                 Use a tag, branch, or commit SHA instead."
            }
        };
        format!("Component '{address}' - {reason}")
    }
}

/// A component's file and what it may know of itself.
pub struct Component<'a> {
    pub text: String,
    /// The component's project at the component's commit.
    pub files: Box<dyn Files + 'a>,
    pub name: String,
    pub sha: String,
    /// The resolved version when the component is published, else `None`.
    pub version: Option<String>,
    /// What stood after `@`.
    pub reference: String,
}
