//! The filters and orders that lists of issues and of merge requests share.

use jiff::Timestamp;

use serde_json::Value;

use crate::clock;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::{Param, hash, integer, integers, list, one_of, string};
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

use super::instants::instant;
use super::text_search::TextSearch;

pub(super) const FILTERS: &[Param] = &[
    integers("iids"),
    list("labels"),
    string("milestone"),
    string("milestone_id"),
    integer("author_id"),
    string("author_username"),
    string("assignee_id"),
    list("assignee_username"),
    string("search"),
    string("in"),
    string("created_after"),
    string("created_before"),
    string("updated_after"),
    string("updated_before"),
    string("my_reaction_emoji"),
    hash(
        "not",
        &[
            "labels",
            "milestone",
            "milestone_id",
            "iids",
            "author_id",
            "author_username",
            "assignee_id",
            "assignee_username",
            "reviewer_id",
            "reviewer_username",
            "my_reaction_emoji",
        ],
    ),
    one_of(
        "scope",
        &[
            "created_by_me",
            "created-by-me",
            "assigned_to_me",
            "assigned-to-me",
            "reviews_for_me",
            "all",
        ],
    ),
    one_of("sort", &["asc", "desc"]),
];

/// What a list goes by in its order.
pub(super) type SortKey = (bool, i64, String);

/// What the filters look at.
pub(super) struct Facts<'a> {
    pub(super) noteable: Noteable,
    iid: u64,
    title: &'a str,
    description: &'a str,
    author: u64,
    assignees: &'a [u64],
    reviewers: &'a [u64],
    labels: &'a [u64],
    milestone: Option<u64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> Facts<'a> {
    pub(super) fn of_issue(issue: &'a Issue) -> Self {
        Self {
            noteable: Noteable::Issue(issue.id),
            iid: issue.iid,
            title: &issue.title,
            description: issue.description.as_deref().unwrap_or_default(),
            author: issue.author_id,
            assignees: &issue.assignee_ids,
            reviewers: &[],
            labels: &issue.label_ids,
            milestone: issue.milestone_id,
            created_at: issue.created_at,
            updated_at: issue.updated_at,
        }
    }

    pub(super) fn of_merge_request(row: &'a MergeRequest) -> Self {
        Self {
            noteable: Noteable::MergeRequest(row.id),
            iid: row.iid,
            title: &row.title,
            description: row.description.as_deref().unwrap_or_default(),
            author: row.author_id,
            assignees: &row.assignee_ids,
            reviewers: &row.reviewer_ids,
            labels: &row.label_ids,
            milestone: row.milestone_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    /// The place in an order that issues and merge requests share.
    pub(super) fn sort_key(&self, state: &State, order: &str) -> SortKey {
        let number = |number: Option<i64>| (number.is_none(), number.unwrap_or(0), String::new());
        let priority = || {
            let labels = self.labels.iter().filter_map(|id| state.labels.get(*id));
            labels.filter_map(|label| label.priority).min()
        };
        let milestone_due = || {
            let milestone = state.milestones.get(self.milestone?)?;
            let due = milestone.due_date?.to_string();
            due.replace('-', "").parse::<i64>().ok()
        };
        match order {
            "updated_at" => number(Some(self.updated_at.as_microsecond())),
            "title" => (false, 0, self.title.to_lowercase()),
            "popularity" => {
                let votes = state.award_count(self.noteable, "thumbsup");
                number(i64::try_from(votes).ok())
            }
            "milestone_due" => number(milestone_due()),
            "label_priority" => number(priority()),
            "priority" => {
                let due = milestone_due().unwrap_or(99_999_999);
                number(Some(due * 1_000_000 + priority().unwrap_or(999_999)))
            }
            _ => number(Some(self.created_at.as_microsecond())),
        }
    }
}

/// The filters of one request, with what can be wrong about them checked.
pub(super) struct Filter<'a> {
    ctx: &'a Ctx<'a>,
    /// The scope of requests that name none.
    default_scope: &'static str,
    created: (Option<Timestamp>, Option<Timestamp>),
    updated: (Option<Timestamp>, Option<Timestamp>),
}

impl<'a> Filter<'a> {
    pub(super) fn read(ctx: &'a Ctx<'a>, default_scope: &'static str) -> Result<Self, ApiError> {
        for pair in [
            ["author_id", "author_username"],
            ["assignee_id", "assignee_username"],
            ["reviewer_id", "reviewer_username"],
            ["milestone_id", "milestone"],
        ] {
            if pair.iter().all(|name| ctx.given(name)) {
                let text = format!("{} are mutually exclusive", pair.join(", "));
                return Err(ApiError::error(400, text));
            }
        }
        for name in ["assignee_id", "reviewer_id", "my_reaction_emoji"] {
            let id = ctx.string(name).filter(|_| name != "my_reaction_emoji");
            let valid = |id: &str| {
                ["none", "any"].contains(&id.to_lowercase().as_str()) || id.parse::<i64>().is_ok()
            };
            if id.is_some_and(|id| !valid(id)) {
                let text = format!("{name} should be an integer, 'None' or 'Any'");
                return Err(ApiError::error(400, text));
            }
        }
        let scope = ctx.string("scope").unwrap_or(default_scope);
        if scope != "all" {
            ctx.user()?;
        }
        Ok(Self {
            ctx,
            default_scope,
            created: (
                instant(ctx, "created_after")?,
                instant(ctx, "created_before")?,
            ),
            updated: (
                instant(ctx, "updated_after")?,
                instant(ctx, "updated_before")?,
            ),
        })
    }

    pub(super) fn passes(&self, state: &State, facts: &Facts<'_>) -> bool {
        let ctx = self.ctx;
        let between = |at: Timestamp, (after, before): (Option<Timestamp>, Option<Timestamp>)| {
            after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before)
        };
        self.is_in_scope(facts)
            && self.is_found(facts)
            && between(facts.created_at, self.created)
            && between(facts.updated_at, self.updated)
            && NAMES.iter().all(|name| {
                let wanted = ctx.value(name).map(texts);
                let unwanted = ctx.value("not").and_then(|not| not.get(*name)).map(texts);
                wanted.is_none_or(|wanted| self.has(state, facts, name, &wanted, All::Of))
                    && unwanted.is_none_or(|texts| {
                        texts.is_empty() || !self.has(state, facts, name, &texts, All::Or)
                    })
            })
    }

    fn is_in_scope(&self, facts: &Facts<'_>) -> bool {
        let user = self.ctx.caller.user();
        match self.ctx.string("scope").unwrap_or(self.default_scope) {
            "created_by_me" | "created-by-me" => user == Some(facts.author),
            "assigned_to_me" | "assigned-to-me" => {
                user.is_some_and(|user| facts.assignees.contains(&user))
            }
            "reviews_for_me" => user.is_some_and(|user| facts.reviewers.contains(&user)),
            _ => true,
        }
    }

    /// Does it have what one filter names: all of it, or any of it?
    fn has(
        &self,
        state: &State,
        facts: &Facts<'_>,
        name: &str,
        wanted: &[String],
        how: All,
    ) -> bool {
        let test = |text: &String| match name {
            "iids" => text.parse() == Ok(facts.iid),
            "author_id" => text.parse() == Ok(facts.author),
            "author_username" => is_user(state, facts.author, text),
            "assignee_id" => is_person(facts.assignees, text),
            "reviewer_id" => is_person(facts.reviewers, text),
            "assignee_username" => is_named(state, facts.assignees, text),
            "reviewer_username" => is_named(state, facts.reviewers, text),
            "labels" => has_label(state, facts.labels, text),
            "milestone" | "milestone_id" => self.has_milestone(state, facts, text),
            _ => self.has_reaction(state, facts, text),
        };
        match how {
            All::Of if name == "iids" => wanted.is_empty() || wanted.iter().any(test),
            All::Of => wanted.iter().all(test),
            All::Or => wanted.iter().any(test),
        }
    }

    fn has_milestone(&self, state: &State, facts: &Facts<'_>, wanted: &str) -> bool {
        let own = facts.milestone.and_then(|id| state.milestones.get(id));
        let today = clock::day(self.ctx.now());
        match wanted.to_lowercase().trim_start_matches('#') {
            "none" => own.is_none(),
            "any" => own.is_some(),
            "upcoming" => own.is_some_and(|milestone| {
                milestone.active && milestone.due_date.is_some_and(|due| due > today)
            }),
            "started" => own.is_some_and(|milestone| {
                milestone.active
                    && milestone.start_date.is_some_and(|start| start <= today)
                    && milestone.due_date.is_none_or(|due| due >= today)
            }),
            _ => own.is_some_and(|milestone| milestone.title == wanted),
        }
    }

    fn has_reaction(&self, state: &State, facts: &Facts<'_>, wanted: &str) -> bool {
        let user = self.ctx.caller.user();
        let mut own = state
            .awards_on(facts.noteable)
            .filter(|award| Some(award.user_id) == user);
        match wanted.to_lowercase().as_str() {
            "none" => own.next().is_none(),
            "any" => own.next().is_some(),
            _ => own.any(|award| award.name == wanted),
        }
    }

    fn is_found(&self, facts: &Facts<'_>) -> bool {
        let Some(search) = self.ctx.string("search").map(TextSearch::new) else {
            return true;
        };
        let places = self.ctx.string("in").unwrap_or("title,description");
        let texts = [("title", facts.title), ("description", facts.description)];
        texts.iter().any(|(place, text)| {
            places.split(',').any(|wanted| wanted.trim() == *place) && search.is_in(text)
        })
    }

    /// Puts rows in the order asked for, newest first if none is; those without the wanted property come last.
    pub(super) fn sort<T>(&self, rows: &mut [T], key: impl Fn(&T, &str) -> (SortKey, u64)) {
        let order = self.ctx.string("order_by").unwrap_or("created_at");
        let descending = self.ctx.string("sort") != Some("asc");
        rows.sort_by_cached_key(|row| {
            let ((missing, number, text), id) = key(row, order);
            let (number, id) = if descending {
                (-number, -i64::try_from(id).unwrap_or(0))
            } else {
                (number, i64::try_from(id).unwrap_or(0))
            };
            let text: Vec<i64> = text
                .chars()
                .map(|c| i64::from(u32::from(c)) * if descending { -1 } else { 1 })
                // The end of a text sorts before any letter, or after it in descending order.
                .chain([if descending { 0 } else { i64::MIN }])
                .collect();
            (missing, number, text, id)
        });
    }
}

/// The filters that can be turned round with `not`.
const NAMES: [&str; 11] = [
    "iids",
    "author_id",
    "author_username",
    "assignee_id",
    "assignee_username",
    "reviewer_id",
    "reviewer_username",
    "labels",
    "milestone",
    "milestone_id",
    "my_reaction_emoji",
];

#[derive(Clone, Copy)]
enum All {
    Of,
    Or,
}

/// The texts of a filter, sent as an array, with commas, or alone.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(items) => items.values().flat_map(texts).collect(),
        Value::String(text) => text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
    }
}

fn is_user(state: &State, id: u64, name: &str) -> bool {
    state.user_named(name).is_some_and(|user| user.id == id)
}

fn is_person(ids: &[u64], wanted: &str) -> bool {
    match wanted.to_lowercase().as_str() {
        "none" | "0" => ids.is_empty(),
        "any" => !ids.is_empty(),
        id => id.parse().is_ok_and(|id| ids.contains(&id)),
    }
}

fn is_named(state: &State, ids: &[u64], wanted: &str) -> bool {
    match wanted {
        "None" => ids.is_empty(),
        "Any" => !ids.is_empty(),
        name => ids.iter().any(|id| is_user(state, *id, name)),
    }
}

fn has_label(state: &State, ids: &[u64], wanted: &str) -> bool {
    let mut labels = ids.iter().filter_map(|id| state.labels.get(*id));
    match wanted.to_lowercase().as_str() {
        "none" => ids.is_empty(),
        "any" => !ids.is_empty(),
        _ => labels.any(|label| label.name == wanted),
    }
}
