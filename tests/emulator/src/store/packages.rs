//! Packages of the package registry and their files.

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::State;
use crate::digests;

/// One version of a package.
#[derive(Debug, Clone)]
pub struct Package {
    pub id: u64,
    pub project_id: u64,
    pub name: String,
    pub version: String,
    /// `default` or `hidden`.
    pub status: String,
    pub creator_id: u64,
    /// The pipeline whose job published it first.
    pub pipeline_id: Option<u64>,
    pub created_at: Timestamp,
    pub last_downloaded_at: Option<Timestamp>,
}

/// A file of a package.
#[derive(Debug, Clone)]
pub struct PackageFile {
    pub id: u64,
    pub package_id: u64,
    pub name: String,
    pub content: Bytes,
    pub sha256: String,
    pub sha1: String,
    pub md5: String,
    pub pipeline_id: Option<u64>,
    pub created_at: Timestamp,
}

impl State {
    /// The packages of a project by ascending id.
    pub fn packages_of(&self, project: u64) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(move |package| package.project_id == project)
    }

    /// The package of a name and version.
    pub fn find_package(&self, project: u64, name: &str, version: &str) -> Option<&Package> {
        self.packages_of(project)
            .find(|package| package.name == name && package.version == version)
    }

    /// The files of a package by ascending id.
    pub fn files_of(&self, package: u64) -> impl DoubleEndedIterator<Item = &PackageFile> {
        self.package_files
            .iter()
            .filter(move |file| file.package_id == package)
    }

    /// Adds a file; files of the same name may be many, the newest is the one that is downloaded.
    pub fn add_package_file(
        &mut self,
        package_id: u64,
        name: &str,
        content: Bytes,
        pipeline_id: Option<u64>,
        now: Timestamp,
    ) -> u64 {
        let sha256 = Sha256::digest(&content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.package_files.insert(|id| PackageFile {
            id,
            package_id,
            name: name.to_owned(),
            sha1: digests::sha1(&content),
            md5: digests::md5(&content),
            content,
            sha256,
            pipeline_id,
            created_at: now,
        })
    }

    /// Removes a package with its files.
    pub fn remove_package(&mut self, package: u64) {
        self.packages.remove(package);
        self.package_files.retain(|file| file.package_id != package);
    }
}
