//! The filters and orders that lists of issues and of merge requests share.

use jiff::Timestamp;

use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::router::{Param, hash, integers, list, one_of, string};
use crate::store::State;
use crate::store::issues::Issue;
use crate::store::merge_requests::MergeRequest;
use crate::store::notes::Noteable;

use super::instants::instant;

pub(super) const FILTERS: &[Param] = &[
    integers("iids"),
    list("labels"),
    string("milestone"),
    string("author_id"),
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
    hash("not", &["labels", "milestone", "author_username"]),
    one_of(
        "scope",
        &[
            "created_by_me",
            "created-by-me",
            "assigned_to_me",
            "assigned-to-me",
            "all",
        ],
    ),
    one_of(
        "order_by",
        &["created_at", "updated_at", "merged_at", "title", "due_date"],
    ),
    one_of("sort", &["asc", "desc"]),
];

/// What the filters look at.
pub(super) struct Facts<'a> {
    pub(super) noteable: Noteable,
    iid: u64,
    title: &'a str,
    description: &'a str,
    author: u64,
    assignees: &'a [u64],
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
            labels: &row.label_ids,
            milestone: row.milestone_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
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
        let iids = ctx.list_of_numbers("iids");
        let emoji = ctx.string("my_reaction_emoji");
        let between = |at: Timestamp, (after, before): (Option<Timestamp>, Option<Timestamp>)| {
            after.is_none_or(|after| at >= after) && before.is_none_or(|before| at <= before)
        };
        iids.is_none_or(|iids| iids.contains(&facts.iid))
            && self.is_in_scope(facts)
            && self.has_people(state, facts)
            && self.has_labels(state, facts)
            && self.has_milestone(state, facts)
            && self.is_found(facts)
            && between(facts.created_at, self.created)
            && between(facts.updated_at, self.updated)
            && emoji.is_none_or(|emoji| {
                let mut own = state.awards_on(facts.noteable);
                own.any(|award| award.name == emoji && Some(award.user_id) == ctx.caller.user())
            })
    }

    fn is_in_scope(&self, facts: &Facts<'_>) -> bool {
        let user = self.ctx.caller.user();
        match self.ctx.string("scope").unwrap_or(self.default_scope) {
            "created_by_me" | "created-by-me" => user == Some(facts.author),
            "assigned_to_me" | "assigned-to-me" => {
                user.is_some_and(|user| facts.assignees.contains(&user))
            }
            _ => true,
        }
    }

    fn has_people(&self, state: &State, facts: &Facts<'_>) -> bool {
        let ctx = self.ctx;
        let is = |id: u64, name: &str| state.user_named(name).is_some_and(|user| user.id == id);
        let assignee = |wanted: &str| match wanted {
            "None" | "0" => facts.assignees.is_empty(),
            "Any" => !facts.assignees.is_empty(),
            id => id.parse().is_ok_and(|id| facts.assignees.contains(&id)),
        };
        ctx.string("author_id")
            .is_none_or(|id| id.parse() == Ok(facts.author))
            && ctx
                .string("author_username")
                .is_none_or(|name| is(facts.author, name))
            && ctx
                .hash_string("not", "author_username")
                .is_none_or(|name| !is(facts.author, name))
            && ctx.string("assignee_id").is_none_or(assignee)
            && ctx.list("assignee_username").is_none_or(|names| {
                names
                    .iter()
                    .all(|name| facts.assignees.iter().any(|id| is(*id, name)))
            })
    }

    fn has_labels(&self, state: &State, facts: &Facts<'_>) -> bool {
        let names = state.label_names(facts.labels);
        let has = |wanted: &str| match wanted.to_lowercase().as_str() {
            "none" => names.is_empty(),
            "any" => !names.is_empty(),
            _ => names.iter().any(|name| name == wanted),
        };
        let wanted = self.ctx.list("labels").unwrap_or_default();
        let unwanted = self.ctx.hash_string("not", "labels").unwrap_or_default();
        wanted.iter().all(|name| has(name))
            && unwanted
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .all(|name| !has(name))
    }

    fn has_milestone(&self, state: &State, facts: &Facts<'_>) -> bool {
        let own = facts.milestone.and_then(|id| state.milestones.get(id));
        let has = |wanted: &str| match wanted {
            "None" => own.is_none(),
            "Any" => own.is_some(),
            title => own.is_some_and(|milestone| milestone.title == title),
        };
        self.ctx.string("milestone").is_none_or(has)
            && self
                .ctx
                .hash_string("not", "milestone")
                .is_none_or(|title| !has(title))
    }

    fn is_found(&self, facts: &Facts<'_>) -> bool {
        let Some(search) = self.ctx.string("search").map(str::to_lowercase) else {
            return true;
        };
        let places = self.ctx.string("in").unwrap_or("title,description");
        let texts = [("title", facts.title), ("description", facts.description)];
        texts.iter().any(|(place, text)| {
            places.split(',').any(|wanted| wanted.trim() == *place)
                && text.to_lowercase().contains(&search)
        })
    }

    /// Puts rows in the order asked for; newest first if none is.
    pub(super) fn sort<T>(
        &self,
        rows: &mut [T],
        key: impl Fn(&T, &str) -> (String, Timestamp, u64),
    ) {
        let order = self.ctx.string("order_by").unwrap_or("created_at");
        rows.sort_by_cached_key(|row| key(row, order));
        let default = if order == "title" { "asc" } else { "desc" };
        if self.ctx.string("sort").unwrap_or(default) == "desc" {
            rows.reverse();
        }
    }
}
