//! The directories of one job: sources, files of variables, home.

use std::io;
use std::path::{Path, PathBuf};

/// The place where a job is executed; removed at the end.
#[derive(Debug)]
pub(super) struct Workspace {
    builds: PathBuf,
    project: PathBuf,
    files: PathBuf,
    home: PathBuf,
}

impl Workspace {
    /// The directories of a job, not made yet.
    pub(super) fn of(data_dir: &Path, job: u64, project_path: &str) -> Self {
        let builds = data_dir.join("builds").join(format!("job-{job}"));
        Self {
            project: builds.join(project_path),
            files: builds.join(format!("{project_path}.tmp")),
            home: builds.join("home"),
            builds,
        }
    }

    /// Makes the directories and writes the files of the variables that are files.
    pub(super) fn make<'a>(
        &self,
        contents: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> io::Result<()> {
        for dir in [&self.project, &self.files, &self.home] {
            std::fs::create_dir_all(dir)?;
        }
        for (name, content) in contents {
            std::fs::write(self.files.join(name), content)?;
        }
        Ok(())
    }

    /// The root.
    pub(super) fn builds(&self) -> &Path {
        &self.builds
    }

    /// Where the sources go.
    pub(super) fn project(&self) -> &Path {
        &self.project
    }

    /// `HOME` of the job.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The file of a variable, or one beside those.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files.join(name)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _never_made = std::fs::remove_dir_all(&self.builds);
    }
}
