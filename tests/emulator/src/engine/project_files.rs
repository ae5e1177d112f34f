//! The files that a configuration may include: of its own project at one commit, of other projects, of components, and of
//! the artifacts of a parent pipeline.

use super::component_versions::{self, Released};
use crate::access;
use crate::ci::{Component, ComponentError, Files, NO_PARENT, Origin, OutOfReach};
use crate::git::Repository;
use crate::shared::Shared;
use crate::store::State;
use crate::store::projects::Visibility;

/// A project at one commit, in the eyes of one user.
pub(super) struct ProjectFiles<'a> {
    pub(super) shared: &'a Shared,
    pub(super) project: u64,
    pub(super) sha: String,
    pub(super) user: u64,
    /// The pipeline whose artifacts may be included.
    pub(super) parent: Option<u64>,
}

impl ProjectFiles<'_> {
    fn repository(&self) -> Repository {
        self.shared.repository(self.project)
    }

    /// A project that the user may read, if its code is not hidden.
    fn readable(&self, state: &State, path: &str) -> Option<u64> {
        let project = state.find_project(path)?;
        let access = access::in_project(state, Some(self.user), project.id);
        let member = access.at_least(access::Role::Reporter);
        let open = project.visibility != Visibility::Private && access.can_read;
        (member || open).then_some(project.id)
    }

    fn at(&self, project: u64, sha: String) -> Box<dyn Files + '_> {
        Box::new(ProjectFiles {
            shared: self.shared,
            project,
            sha,
            user: self.user,
            parent: None,
        })
    }
}

impl Files for ProjectFiles<'_> {
    fn origin(&self) -> Origin {
        let state = self.shared.state();
        let project = state.projects.get(self.project);
        let path = project.map(|project| state.project_path(project));
        let path = path.unwrap_or_default();
        Origin {
            url: format!("{}/{path}", self.shared.url),
            project: path,
            sha: self.sha.clone(),
        }
    }

    fn local(&self, path: &str) -> Option<String> {
        let content = self.repository().file(&self.sha, path).ok()??;
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    fn local_paths(&self) -> Vec<String> {
        let entries = self.repository().tree(&self.sha, "", true);
        let mut paths: Vec<String> = entries
            .unwrap_or_default()
            .into_iter()
            .filter(|entry| entry.kind == "blob")
            .map(|entry| entry.path)
            .collect();
        paths.sort();
        paths
    }

    fn changed_since(&self, reference: &str) -> Option<Vec<String>> {
        let repository = self.repository();
        let other = repository.resolve(reference).ok()??;
        let base = repository.merge_base(&other, &self.sha).ok()??;
        changed_paths(&repository, &base, &self.sha)
    }

    fn project(
        &self,
        path: &str,
        reference: Option<&str>,
    ) -> Result<Box<dyn Files + '_>, OutOfReach> {
        let project = self.readable(&self.shared.state(), path);
        let project = project.ok_or(OutOfReach::Project)?;
        let repository = self.shared.repository(project);
        let found = repository.resolve(reference.unwrap_or("HEAD"));
        let sha = found.ok().flatten().ok_or(OutOfReach::Reference)?;
        Ok(self.at(project, sha))
    }

    fn component(&self, address: &str) -> Result<Component<'_>, ComponentError> {
        let host = self.shared.url.trim_start_matches("http://");
        let inside = address
            .strip_prefix(host)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or(ComponentError::UnsupportedPath)?;
        let (path, version) = inside
            .split_once('@')
            .ok_or(ComponentError::UnsupportedPath)?;
        let (project_path, name) = path.rsplit_once('/').ok_or(ComponentError::NotFound)?;
        let (project, readable, releases) = {
            let state = self.shared.state();
            let project = state.find_project(project_path);
            let project = project.ok_or(ComponentError::NotFound)?.id;
            let releases: Vec<Released> = state.releases_of(project).map(Released::from).collect();
            (
                project,
                self.readable(&state, project_path).is_some(),
                releases,
            )
        };
        let repository = self.shared.repository(project);
        let found = component_versions::find(&releases, &repository, version)?;
        if !readable {
            return Err(ComponentError::NotAllowed);
        }
        let sha = found.sha;
        let text = [
            format!("templates/{name}.yml"),
            format!("templates/{name}/template.yml"),
        ]
        .iter()
        .find_map(|path| repository.file(&sha, path).ok().flatten())
        .ok_or(ComponentError::NotFound)?;
        Ok(Component {
            text: String::from_utf8_lossy(&text).into_owned(),
            files: self.at(project, sha.clone()),
            name: name.to_owned(),
            sha,
            version: found.version,
            reference: version.to_owned(),
        })
    }

    fn artifact(&self, job: &str, path: &str) -> Result<String, String> {
        let Some(parent) = self.parent else {
            return Err(NO_PARENT.to_owned());
        };
        let state = self.shared.state();
        let maker = state
            .current_jobs_of(parent)
            .filter(|other| other.name == job)
            .find(|other| other.status == super::status::Status::Success)
            .ok_or_else(|| {
                format!("Job `{job}` not found in parent pipeline or does not have artifacts!")
            })?;
        if maker.files.is_empty() {
            return Err(format!(
                "Job `{job}` has missing artifacts metadata and cannot be extracted!"
            ));
        }
        let file = maker.files.iter().find(|file| file.path == path);
        let file = file.ok_or_else(|| {
            format!("Path `{path}` does not exist inside the `{job}` artifacts archive!")
        })?;
        Ok(String::from_utf8_lossy(&file.content).into_owned())
    }
}

/// The paths that differ between two commits; `None` if that cannot be told.
pub(super) fn changed_paths(repository: &Repository, from: &str, to: &str) -> Option<Vec<String>> {
    let mut paths: Vec<String> = repository
        .diff(from, to)
        .ok()?
        .into_iter()
        .flat_map(|diff| [diff.old_path, diff.new_path])
        .collect();
    paths.sort();
    paths.dedup();
    Some(paths)
}
