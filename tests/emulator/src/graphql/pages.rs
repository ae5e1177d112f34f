//! Parts of lists: connections, edges and cursors. A cursor is the place of its item in the whole.

use serde_json::{Value, json};

use super::parse::Field;
use super::types::{Found, Object};

/// The longest page.
const MAX_PAGE: usize = 100;

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    items: Vec<Object>,
    /// The place of the first item in the whole.
    offset: usize,
    total: usize,
}

pub(super) fn connection(page: &Page, field: &Field) -> Option<Found> {
    Some(match field.name.as_str() {
        "nodes" => Found::Many(page.items.clone()),
        "edges" => Found::Many(
            page.items
                .iter()
                .enumerate()
                .map(|(at, item)| Object::Edge(Box::new(item.clone()), page.offset + at + 1))
                .collect(),
        ),
        "count" => Found::Scalar(json!(page.total)),
        "pageInfo" => Found::One(Object::PageInfo(page.clone())),
        _ => return None,
    })
}

pub(super) fn page_info(page: &Page, field: &Field) -> Option<Found> {
    let end = page.offset + page.items.len();
    let cursor = |place: usize| (!page.items.is_empty()).then(|| place.to_string());
    Some(Found::Scalar(match field.name.as_str() {
        "hasNextPage" => json!(end < page.total),
        "hasPreviousPage" => json!(page.offset > 0),
        "startCursor" => json!(cursor(page.offset + 1)),
        "endCursor" => json!(cursor(end)),
        _ => return None,
    }))
}

/// The part of a list that `first`, `last`, `after` and `before` ask for.
pub(super) fn page(
    field: &Field,
    kind: &'static str,
    all: Vec<Object>,
) -> Result<Option<Found>, String> {
    let number = |name: &str| -> Result<Option<usize>, String> {
        match field.arguments.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(cursor)) => cursor
                .parse()
                .map(Some)
                .map_err(|_error| format!("Invalid cursor \"{cursor}\"")),
            Some(value) => Ok(value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())),
        }
    };
    let total = all.len();
    let mut start = number("after")?.unwrap_or(0).min(total);
    let mut end = number("before")?
        .map_or(total, |before| before.saturating_sub(1))
        .clamp(start, total);
    if let Some(last) = number("last")? {
        start = start.max(end.saturating_sub(last.min(MAX_PAGE)));
    } else {
        let most = number("first")?.unwrap_or(MAX_PAGE).min(MAX_PAGE);
        end = end.min(start + most);
    }
    let items = all[start..end].to_vec();
    let page = Page {
        items,
        offset: start,
        total,
    };
    Ok(Some(Found::One(Object::Connection { kind, page })))
}
