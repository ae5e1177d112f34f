//! Which commit last touched each line of a file.

use super::{GitError, Repository};

/// Neighbouring lines that come from one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlameRange {
    pub commit: String,
    pub lines: Vec<String>,
}

impl Repository {
    /// The origin of every line of a file, or of the lines from one number to another.
    pub fn blame(
        &self,
        commit: &str,
        path: &str,
        lines: Option<(u64, u64)>,
    ) -> Result<Vec<BlameRange>, GitError> {
        let mut args = vec!["blame".to_owned(), "--porcelain".to_owned()];
        if let Some((from, to)) = lines {
            args.push(format!("-L{from},{to}"));
        }
        args.extend([commit, "--", path].map(str::to_owned));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = self.git(&args)?;
        let mut ranges: Vec<BlameRange> = Vec::new();
        let mut current = String::new();
        for line in String::from_utf8_lossy(&output).lines() {
            if let Some(text) = line.strip_prefix('\t') {
                match ranges.last_mut().filter(|range| range.commit == current) {
                    Some(range) => range.lines.push(text.to_owned()),
                    None => ranges.push(BlameRange {
                        commit: current.clone(),
                        lines: vec![text.to_owned()],
                    }),
                }
            } else if let Some((id, _)) = line.split_once(' ')
                && id.len() == 40
                && id.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                id.clone_into(&mut current);
            }
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use crate::git::fixture;

    #[test]
    fn lines_are_grouped_by_the_commit_they_come_from() {
        let made = fixture::empty();
        let one = made.commit("main", None, "1", &[("a", "x\ny\nz\n")]);
        let two = made.commit("main", None, "2", &[("a", "x\nchanged\nz\n")]);
        let ranges = made.repository.blame("main", "a", None).unwrap();
        let commits: Vec<&str> = ranges.iter().map(|range| range.commit.as_str()).collect();
        assert_eq!(commits, [&one, &two, &one]);
        assert_eq!(ranges[1].lines, ["changed"]);
        let part = made.repository.blame("main", "a", Some((2, 2))).unwrap();
        assert_eq!(part.len(), 1);
    }
}
