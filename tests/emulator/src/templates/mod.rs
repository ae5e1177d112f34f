//! The files GitLab offers to start from, in short versions of our own: ignore lists, pipelines, Dockerfiles, licenses.

mod dockerfiles;
mod gitignores;
mod licenses;
mod pipelines;

pub(crate) use licenses::{LICENSES, License};

/// A template by its name, with its content.
pub(crate) type Template = (&'static str, &'static str);

/// The templates of a kind, such as `gitignores`; licenses have more to them and are apart.
pub(crate) fn of_kind(kind: &str) -> Option<&'static [Template]> {
    match kind {
        "dockerfiles" => Some(dockerfiles::ALL),
        "gitignores" => Some(gitignores::ALL),
        "gitlab_ci_ymls" => Some(pipelines::ALL),
        _ => None,
    }
}
