//! References to issues and merge requests in text: `#12`, `group/project!7`, addresses of their pages.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::markdown;
use crate::store::State;
use crate::store::notes::Noteable;

static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let page = r"(?P<host>https?://[^/\s]+)/(?P<page>[\w./-]+?)/-/(?P<kind>issues|work_items|merge_requests)/(?P<number>\d+)\b";
    let short = r"(?P<path>\w[\w.-]*(?:/[\w.-]+)*)?(?P<sign>[#!])(?P<iid>\d+)\b";
    let words = r"GL-(?P<gl>\d+)\b|\[issue:(?P<bracket>\d+)\]";
    Regex::new(&format!("{page}|{short}|{words}")).ok()
});

/// A reference as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) to_issue: bool,
    /// Absent: the project of the text. Without a slash: one in the same namespace.
    pub(crate) project: Option<String>,
    pub(crate) iid: u64,
}

/// The reference that a text starts with, and how long it is.
pub(crate) fn at_start(text: &str, url: &str) -> Option<(Reference, usize)> {
    let found = REFERENCE.as_ref()?.captures(text)?;
    let whole = found.get(0).filter(|whole| whole.start() == 0)?;
    Some((reference(&found, url)?, whole.end()))
}

/// The issues and merge requests that a text refers to, code left out; each once, in the order of the text.
pub(crate) fn mentioned(state: &State, url: &str, project: u64, text: &str) -> Vec<Noteable> {
    let text = markdown::without_code(text);
    let mut found = Vec::new();
    let Some(pattern) = REFERENCE.as_ref() else {
        return found;
    };
    for captures in pattern.captures_iter(&text) {
        let start = captures.get(0).map_or(0, |whole| whole.start());
        let before = text[..start].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || "#!&/_".contains(before)) {
            continue;
        }
        let noteable =
            reference(&captures, url).and_then(|reference| resolve(state, project, &reference));
        if let Some(noteable) = noteable.filter(|noteable| !found.contains(noteable)) {
            found.push(noteable);
        }
    }
    found
}

/// What a reference in a text of this project stands for.
pub(crate) fn resolve(state: &State, project: u64, reference: &Reference) -> Option<Noteable> {
    let target = match &reference.project {
        None => project,
        Some(path) if path.contains('/') => state.find_project(path)?.id,
        Some(path) => {
            let namespace = state.namespace_path(state.projects.get(project)?.namespace_id);
            state.find_project(&format!("{namespace}/{path}"))?.id
        }
    };
    if reference.to_issue {
        state
            .issue(target, reference.iid)
            .map(|issue| Noteable::Issue(issue.id))
    } else {
        state
            .merge_request(target, reference.iid)
            .map(|merge_request| Noteable::MergeRequest(merge_request.id))
    }
}

fn reference(captures: &Captures<'_>, url: &str) -> Option<Reference> {
    let text = |name: &str| captures.name(name).map(|part| part.as_str());
    if let Some(number) = text("number") {
        return (text("host") == Some(url)).then(|| Reference {
            to_issue: text("kind") != Some("merge_requests"),
            project: text("page").map(str::to_owned),
            iid: number.parse().unwrap_or(0),
        });
    }
    let number = text("iid").or(text("gl")).or(text("bracket"))?;
    Some(Reference {
        to_issue: text("sign") != Some("!"),
        project: text("path").map(str::to_owned),
        iid: number.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Reference, at_start};

    #[test]
    fn all_forms_of_references_are_read() {
        let issue = |project: Option<&str>, iid| Reference {
            to_issue: true,
            project: project.map(str::to_owned),
            iid,
        };
        for (text, expected) in [
            ("#12 x", issue(None, 12)),
            ("GL-3", issue(None, 3)),
            ("[issue:4]", issue(None, 4)),
            ("shop#5", issue(Some("shop"), 5)),
            ("a/b/shop#6", issue(Some("a/b/shop"), 6)),
            ("http://h:1/a/shop/-/issues/7", issue(Some("a/shop"), 7)),
            ("http://h:1/a/shop/-/work_items/8", issue(Some("a/shop"), 8)),
        ] {
            assert_eq!(
                at_start(text, "http://h:1").map(|found| found.0),
                Some(expected),
                "{text}"
            );
        }
        let merge_request = at_start("!9", "http://h:1").map(|found| found.0);
        assert!(merge_request.is_some_and(|found| !found.to_issue && found.iid == 9));
        assert_eq!(at_start("feature #42", "http://h:1"), None);
        assert_eq!(at_start("http://other/a/b/-/issues/7", "http://h:1"), None);
        assert_eq!(at_start("#12abc", "http://h:1"), None);
    }
}
