//! Whole trees as one file: archives of a commit in every format, and the repository's own files as a snapshot.

use std::path::Path;

use super::{GitError, Repository, finish, run};

/// What goes into an archive.
#[derive(Debug)]
pub struct Archive<'a> {
    pub commit: &'a str,
    /// The folder that all files get, with its slash.
    pub prefix: &'a str,
    /// Only this part of the tree; empty for all of it.
    pub path: &'a str,
    /// Paths that are left out.
    pub excluded: &'a [String],
}

/// The container and compression of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    Zip,
    Tar,
    TarGz,
    TarBz2,
}

impl ArchiveFormat {
    /// The format of a file ending, as GitLab names them.
    pub fn of(ending: &str) -> Option<Self> {
        match ending {
            "zip" => Some(Self::Zip),
            "tar" => Some(Self::Tar),
            "tar.gz" | "tgz" | "gz" => Some(Self::TarGz),
            "tar.bz2" | "tbz" | "tbz2" | "tb2" | "bz2" => Some(Self::TarBz2),
            _ => None,
        }
    }

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::TarBz2 => "tar.bz2",
        }
    }
}

impl Repository {
    /// Packs the files of a commit.
    pub fn archive(&self, format: ArchiveFormat, what: &Archive<'_>) -> Result<Vec<u8>, GitError> {
        let mut command = self.command();
        command.args(["-c", "tar.tar.bz2.command=bzip2 -c"]);
        command.args(["archive", &format!("--format={}", format.ending())]);
        command.arg(format!("--prefix={}", what.prefix));
        command.args([what.commit, "--"]);
        if what.path.is_empty() {
            command.arg(".");
        } else {
            command.arg(what.path);
        }
        for path in what.excluded {
            command.arg(format!(":(exclude){path}"));
        }
        finish(run(command, &[])?, "archive")
    }

    /// The files of the repository itself as a tar archive, without the hooks and locks of this server.
    pub fn snapshot(&self) -> Result<Vec<u8>, GitError> {
        let mut out = Vec::new();
        add_directory(&mut out, self.dir(), "").map_err(GitError::Start)?;
        // Two empty blocks end an archive.
        out.extend([0; 1024]);
        Ok(out)
    }
}

fn add_directory(out: &mut Vec<u8>, dir: &Path, prefix: &str) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            header(out, &format!("{name}/"), 0, b'5');
            add_directory(out, &entry.path(), &format!("{name}/"))?;
        } else if kind.is_file() && !name.ends_with(".lock") {
            let content = std::fs::read(entry.path())?;
            header(out, &name, content.len(), b'0');
            out.extend(&content);
            out.resize(out.len().next_multiple_of(512), 0);
        }
    }
    Ok(())
}

/// Adds one file to a tar archive.
pub(crate) fn tar_entry(out: &mut Vec<u8>, name: &str, content: &[u8]) {
    header(out, name, content.len(), b'0');
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// One header block of the ustar format.
fn header(out: &mut Vec<u8>, name: &str, size: usize, kind: u8) {
    let mut block = [0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    // Longer names do not occur in a bare repository.
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(
        100,
        if kind == b'5' {
            b"0000755\0"
        } else {
            b"0000644\0"
        },
    );
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend(block);
}

#[cfg(test)]
mod tests {
    use super::{Archive, ArchiveFormat};
    use crate::git::fixture;

    #[test]
    fn an_archive_has_its_prefix_and_leaves_out_what_is_excluded() {
        let made = fixture::empty();
        let commit = made.commit("main", None, "c", &[("a.txt", "A"), ("docs/b.txt", "B")]);
        let what = |path, excluded| Archive {
            commit: &commit,
            prefix: "shop/",
            path,
            excluded,
        };
        let names = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = made
            .repository
            .archive(ArchiveFormat::Tar, &what("", &[]))
            .unwrap();
        assert!(names(&all).contains("shop/a.txt") && names(&all).contains("shop/docs/b.txt"));
        let docs = made
            .repository
            .archive(ArchiveFormat::Tar, &what("docs", &[]))
            .unwrap();
        assert!(!names(&docs).contains("shop/a.txt"));
        let without = made
            .repository
            .archive(ArchiveFormat::Tar, &what("", &["docs".to_owned()]))
            .unwrap();
        assert!(!names(&without).contains("docs/b.txt"));
    }

    #[test]
    fn a_snapshot_is_a_tar_archive_of_the_repository() {
        let made = fixture::empty();
        made.commit("main", None, "c", &[("a", "1")]);
        let bytes = made.repository.snapshot().unwrap();
        assert_eq!(&bytes[257..262], b"ustar");
        assert!(String::from_utf8_lossy(&bytes).contains("refs/heads/main"));
    }
}
