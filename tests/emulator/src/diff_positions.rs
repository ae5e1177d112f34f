//! The places of diff notes: what clients send, checked and completed, and how they move with new commits.

use serde_json::{Map, Value, json};

use crate::diff_lines::{self, Line};
use crate::errors::ApiError;
use crate::git::{FileDiff, GitError, Repository};
use crate::store::notes::Position;

const SHAS: [&str; 3] = ["base_sha", "start_sha", "head_sha"];
const NUMBERS: [&str; 6] = ["old_line", "new_line", "width", "height", "x", "y"];

/// A position as it was sent, with its types; `400` for what is missing or wrong.
pub(crate) fn read(sent: &Value) -> Result<Value, ApiError> {
    let Some(sent) = sent.as_object() else {
        return Err(ApiError::error(400, "position is invalid"));
    };
    let text = |name: &str| sent.get(name).and_then(Value::as_str);
    let mut problems = Vec::new();
    for name in SHAS.iter().chain(["position_type"].iter()) {
        if !sent.contains_key(*name) {
            problems.push(format!("position[{name}] is missing"));
        }
    }
    let kind = text("position_type").unwrap_or_default();
    if sent.contains_key("position_type") && !["text", "image", "file"].contains(&kind) {
        problems.push("position[position_type] does not have a valid value".to_owned());
    }
    let mut position = Map::new();
    for name in ["base_sha", "start_sha", "head_sha", "old_path", "new_path"] {
        position.insert(name.to_owned(), json!(text(name)));
    }
    position.insert("position_type".to_owned(), json!(kind));
    for name in NUMBERS {
        let value = sent.get(name).filter(|value| !is_blank(value));
        let number = value.and_then(number);
        if value.is_some() && number.is_none() {
            problems.push(format!("position[{name}] is invalid"));
        }
        let wanted = match kind {
            "text" => name.ends_with("line"),
            "image" => !name.ends_with("line"),
            _ => false,
        };
        if wanted {
            position.insert(name.to_owned(), json!(number));
        }
    }
    if kind == "text" {
        let range = sent.get("line_range").filter(|range| range.is_object());
        position.insert("line_range".to_owned(), json!(range.map(typed_range)));
    }
    if problems.is_empty() {
        Ok(Value::Object(position))
    } else {
        Err(ApiError::error(400, problems.join(", ")))
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn number(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// The two ends of a range, their line numbers as numbers.
fn typed_range(range: &Value) -> Value {
    let mut range = range.clone();
    for end in ["start", "end"] {
        for name in ["old_line", "new_line"] {
            if let Some(line) = range
                .get(end)
                .and_then(|end| end.get(name))
                .and_then(number)
            {
                range[end][name] = json!(line);
            }
        }
    }
    range
}

/// Looks for the line a position names; `400` in GitLab's words if there is none.
pub(crate) fn place(repository: &Repository, value: Value) -> Result<Position, ApiError> {
    let is = |name: &str| !value[name].is_null();
    let complete = match value["position_type"].as_str() {
        Some("text") => is("old_line") || is("new_line"),
        Some("image") => ["width", "height", "x", "y"].iter().all(|name| is(name)),
        Some(_) | None => true,
    } && SHAS.iter().all(|name| is(name))
        && (is("old_path") || is("new_path"));
    let on_text = value["position_type"] == "text";
    let line_code = if on_text {
        find(repository, &value)?.map(|(path, line)| diff_lines::code(&path, line))
    } else {
        None
    };
    let mut errors = Vec::new();
    if on_text && line_code.is_none() {
        errors.push(r#":line_code=>["can't be blank", "must be a valid line code"]"#);
    }
    if !complete {
        errors.push(r#":position=>["is incomplete"]"#);
    }
    if errors.is_empty() {
        Ok(Position { value, line_code })
    } else {
        let text = format!("Note {{{}}}", errors.join(", "));
        Err(ApiError::bad_request(&text))
    }
}

fn find(repository: &Repository, value: &Value) -> Result<Option<(String, Line)>, GitError> {
    let Some((file, head)) = file_of(repository, value)? else {
        return Ok(None);
    };
    let line = |name: &str| value[name].as_u64();
    let content = repository.file(&head, &file.new_path)?.unwrap_or_default();
    let total = String::from_utf8_lossy(&content).lines().count();
    let total = u64::try_from(total).unwrap_or(0);
    let found = diff_lines::find(&file.diff, line("old_line"), line("new_line"), total);
    Ok(found.map(|line| (file.new_path, line)))
}

/// The file of the difference that a position is about, and the head of that difference.
fn file_of(repository: &Repository, value: &Value) -> Result<Option<(FileDiff, String)>, GitError> {
    let text = |name: &str| value[name].as_str().unwrap_or_default();
    let base = repository.resolve(text("base_sha"))?;
    let head = repository.resolve(text("head_sha"))?;
    let (Some(base), Some(head)) = (base, head) else {
        return Ok(None);
    };
    let (old, new) = (text("old_path"), text("new_path"));
    let mut files = repository.diff(&base, &head)?.into_iter();
    let file = files.find(|file| {
        (new.is_empty() || file.new_path == new || file.old_path == new)
            && (old.is_empty() || file.old_path == old || file.new_path == old)
            && !(new.is_empty() && old.is_empty())
    });
    Ok(file.map(|file| (file, head)))
}

/// Where a position on a new line goes with a new version of the difference; nothing if its line was changed.
pub(crate) fn moved(
    repository: &Repository,
    position: &Position,
    (base, start, head): (&str, &str, &str),
) -> Result<Option<Position>, GitError> {
    let value = &position.value;
    let path = value["new_path"].as_str().unwrap_or_default();
    let (Some(line), Some(old_head)) = (value["new_line"].as_u64(), value["head_sha"].as_str())
    else {
        return Ok(Some(position.clone()));
    };
    let Some(old_head) = repository.resolve(old_head)? else {
        return Ok(None);
    };
    let between = repository.diff(&old_head, head)?;
    let change = between.into_iter().find(|file| file.old_path == path);
    let (path, line) = match &change {
        None => (path.to_owned(), Some(line)),
        Some(file) if file.deleted_file => return Ok(None),
        Some(file) => (file.new_path.clone(), diff_lines::new_of(&file.diff, line)),
    };
    let Some(line) = line else {
        return Ok(None);
    };
    let mut value = value.clone();
    for (name, text) in [("base_sha", base), ("start_sha", start), ("head_sha", head)] {
        value[name] = json!(text);
    }
    value["new_path"] = json!(path);
    value["new_line"] = json!(line);
    let whole = repository.diff(base, head)?;
    let file = whole.into_iter().find(|file| file.new_path == path);
    let known = file.and_then(|file| {
        let mut lines = diff_lines::lines(&file.diff).into_iter();
        lines.find(|known| known.new == line && known.kind != diff_lines::Kind::Removed)
    });
    let Some(known) = known else {
        return Ok(None);
    };
    value["old_line"] = match known.kind {
        diff_lines::Kind::Same => json!(known.old),
        diff_lines::Kind::Added | diff_lines::Kind::Removed => Value::Null,
    };
    let line_code = Some(diff_lines::code(&path, known));
    Ok(Some(Position { value, line_code }))
}
