//! Searching the files of a commit for a text.

use super::{GitError, Repository};

/// Neighbouring lines of a file around one or more hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrepHit {
    pub path: String,
    /// The number of the first line.
    pub start: u64,
    pub text: String,
}

impl Repository {
    /// The places where a text occurs, whatever its case, with two lines around each.
    pub fn grep(&self, commit: &str, text: &str) -> Result<Vec<GrepHit>, GitError> {
        let args = [
            "grep", "-I", "-i", "-n", "-z", "-F", "-C2", "-e", text, commit,
        ];
        let output = match self.git(&args) {
            Ok(output) => output,
            // Exit status 1 without a word: no hit.
            Err(GitError::Failed { message, .. }) if message.is_empty() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut hits: Vec<GrepHit> = Vec::new();
        let mut fresh = true;
        for line in String::from_utf8_lossy(&output).lines() {
            if line == "--" {
                fresh = true;
                continue;
            }
            let mut parts = line.splitn(3, '\0');
            let (Some(name), Some(number), Some(content)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let path = name.split_once(':').map_or(name, |(_, path)| path);
            match hits.last_mut().filter(|hit| !fresh && hit.path == path) {
                Some(hit) => hit.text.push_str(&format!("{content}\n")),
                None => hits.push(GrepHit {
                    path: path.to_owned(),
                    start: number.parse().unwrap_or(1),
                    text: format!("{content}\n"),
                }),
            }
            fresh = false;
        }
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use crate::git::fixture;

    #[test]
    fn hits_come_with_the_lines_around_them() {
        let made = fixture::empty();
        let text = "1\n2\n3\nThe Needle\n5\n6\n7\n8\n9\n10\nneedle again\n";
        made.commit(
            "main",
            None,
            "c",
            &[("dir/a.txt", text), ("b.txt", "hay\n")],
        );
        let hits = made.repository.grep("main", "needle").unwrap();
        let found: Vec<_> = hits
            .iter()
            .map(|hit| (hit.path.as_str(), hit.start))
            .collect();
        assert_eq!(found, [("dir/a.txt", 2), ("dir/a.txt", 9)]);
        assert_eq!(hits[0].text, "2\n3\nThe Needle\n5\n6\n");
        assert!(made.repository.grep("main", "nothing").unwrap().is_empty());
    }
}
