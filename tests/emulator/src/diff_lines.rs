//! The lines of one file's difference: which pairs of old and new line numbers there are, and where a line has gone.

/// What a line of a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Same,
    Added,
    Removed,
}

/// One line, with the numbers at which the old and the new file stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) old: u64,
    pub(crate) new: u64,
}

/// The lines of the hunks of a difference.
pub(crate) fn lines(diff: &str) -> Vec<Line> {
    let (mut old, mut new, mut found) = (0, 0, Vec::new());
    for text in diff.lines() {
        if let Some((from, to)) = hunk(text) {
            (old, new) = (from, to);
            continue;
        }
        let kind = match text.chars().next() {
            Some('+') => Kind::Added,
            Some('-') => Kind::Removed,
            Some(' ') | None => Kind::Same,
            Some(_) => continue,
        };
        found.push(Line { kind, old, new });
        old += u64::from(kind != Kind::Added);
        new += u64::from(kind != Kind::Removed);
    }
    found
}

/// The first line numbers of a hunk, by its head `@@ -a,b +c,d @@`.
fn hunk(text: &str) -> Option<(u64, u64)> {
    let (ranges, _) = text.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let start = |range: &str| {
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        let start: u64 = start.parse().ok()?;
        // A range of no lines stands after the line it names.
        Some(start + u64::from(count == "0"))
    };
    Some((start(old)?, start(new)?))
}

/// The line that a comment names: an added one by its new number, a removed one by its old, any other by both. Lines
/// outside the hunks count as long as the file has them.
pub(crate) fn find(diff: &str, old: Option<u64>, new: Option<u64>, total: u64) -> Option<Line> {
    let all = lines(diff);
    let named = |line: &&Line| match line.kind {
        Kind::Added => old.is_none() && new == Some(line.new),
        Kind::Removed => new.is_none() && old == Some(line.old),
        Kind::Same => old == Some(line.old) && new == Some(line.new),
    };
    if let Some(line) = all.iter().find(named) {
        return Some(*line);
    }
    let (old, new) = (old?, new?);
    let same = new_of(diff, old) == Some(new);
    (same && (1..=total).contains(&new)).then_some(Line {
        kind: Kind::Same,
        old,
        new,
    })
}

/// The number in the new file of a line of the old one; nothing if it was changed or removed.
pub(crate) fn new_of(diff: &str, old: u64) -> Option<u64> {
    let all = lines(diff);
    if let Some(line) = all
        .iter()
        .find(|line| line.old == old && line.kind != Kind::Added)
    {
        return (line.kind == Kind::Same).then_some(line.new);
    }
    let before = all.iter().rev().find(|line| line.old <= old);
    let Some(last) = before else {
        return Some(old);
    };
    // The numbers behind the last line before it.
    let old_after = last.old + u64::from(last.kind != Kind::Added);
    let new_after = last.new + u64::from(last.kind != Kind::Removed);
    Some(new_after + old - old_after)
}

/// GitLab's name of a line of a file.
pub(crate) fn code(path: &str, line: Line) -> String {
    let digest = crate::digests::sha1(path.as_bytes());
    format!("{digest}_{}_{}", line.old, line.new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "@@ -2,3 +2,4 @@ head\n b\n-c\n+C\n+D\n d\n@@ -20,0 +22 @@\n+new\n";

    #[test]
    fn lines_are_found_by_the_numbers_they_have() {
        let found = |old, new| find(DIFF, old, new, 30).map(|line| (line.old, line.new));
        assert_eq!(found(Some(2), Some(2)), Some((2, 2)));
        assert_eq!(found(Some(3), None), Some((3, 3)));
        assert_eq!(found(None, Some(4)), Some((4, 4)));
        assert_eq!(found(Some(4), Some(5)), Some((4, 5)));
        assert_eq!(found(Some(10), Some(11)), Some((10, 11)), "outside");
        assert_eq!(found(Some(25), Some(27)), Some((25, 27)), "at the end");
        assert_eq!(found(Some(1), Some(1)), Some((1, 1)), "at the start");
        for (old, new) in [
            (None, Some(5)),
            (Some(3), Some(3)),
            (Some(40), Some(42)),
            (Some(10), Some(10)),
            (None, None),
        ] {
            assert_eq!(found(old, new), None, "{old:?} {new:?}");
        }
    }

    #[test]
    fn unchanged_lines_are_followed() {
        assert_eq!(new_of(DIFF, 1), Some(1));
        assert_eq!(new_of(DIFF, 3), None);
        assert_eq!(new_of(DIFF, 4), Some(5));
        assert_eq!(new_of(DIFF, 20), Some(21));
        assert_eq!(new_of(DIFF, 21), Some(23));
        assert_eq!(new_of("", 7), Some(7));
    }
}
