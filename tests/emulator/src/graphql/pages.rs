//! Parts of lists: connections and cursors. A cursor is the place of its item in the whole.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::objects::{Found, Object, Outcome, Problem, record, value};

/// The longest page.
pub(super) const MAX_PAGE: usize = 100;

/// A part of a list.
#[derive(Debug, Clone)]
pub(super) struct Page {
    items: Vec<Object>,
    /// The place of the first item in the whole.
    offset: usize,
    total: usize,
}

impl Page {
    /// The part of a list that `first`, `last`, `after` and `before` ask for.
    pub(super) fn cut(all: &[Object], args: &Map<String, Value>) -> Result<Self, Problem> {
        let number = |name: &str| -> Result<Option<usize>, Problem> {
            match args.get(name).and_then(Value::as_i64) {
                Some(number) => usize::try_from(number)
                    .map(Some)
                    .map_err(|_negative| Problem::new(format!("`{name}` cannot be negative"))),
                None => Ok(None),
            }
        };
        let cursor = |name: &str| match args.get(name).and_then(Value::as_str) {
            Some(text) => place(text).map(Some),
            None => Ok(None),
        };
        let (first, last) = (number("first")?, number("last")?);
        if first.is_some() && last.is_some() {
            let text = "Can only provide either `first` or `last`, not both";
            return Err(Problem::new(text));
        }
        let total = all.len();
        let mut start = cursor("after")?.unwrap_or(0).min(total);
        let mut end = cursor("before")?
            .map_or(total, |before| before.saturating_sub(1))
            .clamp(start, total);
        if let Some(last) = last {
            start = start.max(end.saturating_sub(last.min(MAX_PAGE)));
        } else {
            end = end.min(start + first.unwrap_or(MAX_PAGE).min(MAX_PAGE));
        }
        Ok(Self {
            items: all[start..end].to_vec(),
            offset: start,
            total,
        })
    }

    /// Answers a field of a connection.
    pub(super) fn field(&self, name: &str) -> Outcome {
        let end = self.offset + self.items.len();
        let at = |place: usize| (!self.items.is_empty()).then(|| cursor(place));
        Ok(match name {
            "nodes" => Found::Many(self.items.clone()),
            "edges" => {
                let edge = |(at, item): (usize, &Object)| {
                    Object::Edge(Rc::new(item.clone()), self.offset + at + 1)
                };
                Found::Many(self.items.iter().enumerate().map(edge).collect())
            }
            "count" => value(self.total),
            "pageInfo" => record(
                "PageInfo",
                json!({
                    "hasNextPage": end < self.total,
                    "hasPreviousPage": self.offset > 0,
                    "startCursor": at(self.offset + 1),
                    "endCursor": at(end),
                }),
            )
            .found(),
            other => return Err(Problem::lacking(format!("field `{other}` of connections"))),
        })
    }
}

/// The cursor of a place, counted from one.
pub(super) fn cursor(place: usize) -> String {
    URL_SAFE_NO_PAD.encode(place.to_string())
}

fn place(cursor: &str) -> Result<usize, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.trim_end_matches('=')).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Problem::new("Please provide a valid cursor"))
}
