//! A section of a description that shows the open version, between two marks. What people write outside of it stays as it is, byte for
//! byte.

/// The most characters of a section: GitLab keeps a million of a description, and people write in it too.
const MOST: usize = 100_000;
/// What every mark begins with; a description that has one is found by it.
pub const MARK: &str = "trainyard:version";
/// What is between people's words and the section.
const GAP: &str = "\n\n";

/// Why a description cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenMarks {
    /// One of the two marks is missing, or there are several: nobody can tell which words are ours.
    NotAPair,
}

fn marks(environment: &str) -> (String, String) {
    (
        format!("<!-- {MARK} {environment} -->"),
        format!("<!-- {MARK} {environment} end -->"),
    )
}

/// A description with the section of an environment: in its place where it has one, at the end where it has none. Nothing, where it is
/// there as it is to be.
///
/// # Errors
/// When the marks are broken.
pub fn pin(
    description: &str,
    environment: &str,
    text: &str,
) -> Result<Option<String>, BrokenMarks> {
    let (begin, end) = marks(environment);
    let section = format!("{begin}\n{}\n{end}", cut(text.trim_end()));
    let after = match place(description, &begin, &end)? {
        Some((from, to)) => format!("{}{section}{}", &description[..from], &description[to..]),
        None if description.is_empty() => section,
        None => format!("{description}{GAP}{section}"),
    };
    Ok((after != description).then_some(after))
}

/// A description without the section of an environment; nothing, where it has none.
///
/// # Errors
/// When the marks are broken.
pub fn unpin(description: &str, environment: &str) -> Result<Option<String>, BrokenMarks> {
    let (begin, end) = marks(environment);
    let place = place(description, &begin, &end)?;
    Ok(place.map(|(from, to)| {
        let before = &description[..from];
        let before = before.strip_suffix(GAP).unwrap_or(before);
        format!("{before}{}", &description[to..])
    }))
}

fn place(text: &str, begin: &str, end: &str) -> Result<Option<(usize, usize)>, BrokenMarks> {
    let find = |mark: &str| -> Vec<usize> { text.match_indices(mark).map(|(at, _)| at).collect() };
    match (find(begin).as_slice(), find(end).as_slice()) {
        ([], []) => Ok(None),
        ([from], [to]) if from < to => Ok(Some((*from, to + end.len()))),
        (_, _) => Err(BrokenMarks::NotAPair),
    }
}

/// Whole lines, as many as fit.
fn cut(text: &str) -> String {
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut length = 0;
    let mut lines = text.lines();
    for line in lines.by_ref() {
        length += line.chars().count() + 1;
        if length > MOST {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    let left = lines.count() + 1;
    format!("{kept}\n{left} more lines do not fit here; `trainyard version` shows all of it.")
}

/// What people are told of marks that are broken.
pub fn marks_are_broken(place: &str, environment: &str) -> String {
    let (begin, end) = marks(environment);
    format!(
        "{place} does not show the open version any more: its description must have `{begin}` and `{end}` once each, in this order, or neither; nothing was changed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "<!-- trainyard:version nrt -->\nold\n<!-- trainyard:version nrt end -->";

    #[test]
    fn what_people_write_around_the_section_stays_byte_for_byte() {
        let words = "  Our goal\r\n\tis *this*.  ";
        let first = pin(words, "nrt", "one\n").unwrap().unwrap();
        assert_eq!(first, format!("{words}\n\n{}", SHOWN.replace("old", "one")));
        let more = format!("{first}\r\nand below");
        let second = pin(&more, "nrt", "two").unwrap().unwrap();
        assert_eq!(second, more.replace("one", "two"));
        assert_eq!(pin(&second, "nrt", "two"), Ok(None));
        let without = unpin(&second, "nrt").unwrap().unwrap();
        assert_eq!(without, format!("{words}\r\nand below"));
        assert_eq!(unpin(&without, "nrt"), Ok(None));
        assert_eq!(unpin(&first, "nrt").unwrap().unwrap(), words);
    }

    #[test]
    fn each_environment_has_its_own() {
        let both = pin(SHOWN, "staging", "there").unwrap().unwrap();
        assert!(both.starts_with(SHOWN));
        assert_eq!(unpin(&both, "staging").unwrap().unwrap(), SHOWN);
    }

    #[test]
    fn marks_that_are_no_pair_change_nothing() {
        let (begin, end) = marks("nrt");
        for broken in [
            begin.clone(),
            end.clone(),
            format!("{end}{begin}"),
            format!("{begin}{begin}{end}"),
        ] {
            assert_eq!(pin(&broken, "nrt", "x"), Err(BrokenMarks::NotAPair));
            assert_eq!(unpin(&broken, "nrt"), Err(BrokenMarks::NotAPair));
        }
    }

    #[test]
    fn a_text_that_is_too_long_ends_with_a_whole_line_and_says_so() {
        let long = "a line of the open version\n".repeat(10_000);
        let pinned = pin("", "nrt", &long).unwrap().unwrap();
        assert!(pinned.chars().count() < MOST + 200);
        assert!(
            pinned.contains("more lines do not fit here; `trainyard version` shows all of it.")
        );
        assert_eq!(pin(&pinned, "nrt", &long), Ok(None));
    }
}
