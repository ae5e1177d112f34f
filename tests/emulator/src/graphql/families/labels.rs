//! Labels and milestones.

use serde_json::{Value, json};

use super::entity::{instant, many, shown, web_path};
use crate::graphql::objects::{
    Call, Found, NOTHING, Object, Outcome, gid, number_of, one, record, time, value,
};
use crate::graphql::schema::{Family, Line, field, object};
use crate::store::holders::Holder;
use crate::store::labels::Label;

const LABEL: &[Line] = &[
    field("id: ID!", |c| label(c, |row| gid("ProjectLabel", row.id))),
    field("title: String!", |c| {
        label(c, |row| value(row.name.clone()))
    }),
    field("color: String!", |c| {
        label(c, |row| value(row.color.clone()))
    }),
    field("textColor: String!", |_| Ok(value("#FFFFFF"))),
    field("description: String", |c| {
        label(c, |row| Found::Value(json!(row.description)))
    }),
    field("descriptionHtml: String", |c| {
        label(c, |row| Found::Value(json!(row.description)))
    }),
    field("archived: Boolean!", |_| Ok(value(false))),
    field("lockOnMerge: Boolean!", |_| Ok(value(false))),
    field("createdAt: Time!", |c| label(c, |row| time(row.created_at))),
    field("updatedAt: Time!", |c| label(c, |row| time(row.created_at))),
];

const MILESTONE: &[Line] = &[
    field("id: ID!", |c| {
        let Object::Milestone(id) = c.object else {
            return Ok(NOTHING);
        };
        Ok(gid("Milestone", *id))
    }),
    field("iid: ID!", |c| shown(c, "/iid").map(as_text)),
    field("title: String!", |c| shown(c, "/title")),
    field("description: String", |c| shown(c, "/description")),
    field("state: MilestoneStateEnum!", |c| shown(c, "/state")),
    field("expired: Boolean!", |c| shown(c, "/expired")),
    field("upcoming: Boolean!", |_| Ok(value(false))),
    field("startDate: Time", |c| shown(c, "/start_date").map(midnight)),
    field("dueDate: Time", |c| shown(c, "/due_date").map(midnight)),
    field("createdAt: Time!", |c| instant(c, "/created_at")),
    field("updatedAt: Time!", |c| instant(c, "/updated_at")),
    field("groupMilestone: Boolean!", |_| Ok(value(false))),
    field("projectMilestone: Boolean!", |_| Ok(value(true))),
    field("subgroupMilestone: Boolean!", |_| Ok(value(false))),
    field("webPath: String!", web_path),
    field("project: Project", |c| {
        let Object::Milestone(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        Ok(one(state
            .milestones
            .get(*id)
            .and_then(|row| row.holder.project())
            .map(Object::Project)))
    }),
    field("group: Group", |c| {
        let Object::Milestone(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        Ok(one(state
            .milestones
            .get(*id)
            .and_then(|row| row.holder.group())
            .map(Object::Group)))
    }),
    field("stats: MilestoneStats", |c| {
        let Object::Milestone(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let all = || {
            state
                .issues
                .iter()
                .filter(|row| row.milestone_id == Some(*id))
        };
        let closed = all().filter(|row| !row.open).count();
        let data = json!({ "totalIssuesCount": all().count(), "closedIssuesCount": closed });
        Ok(record("MilestoneStats", data).found())
    }),
];

/// The fields of a project.
pub(super) const OF_PROJECT: &[Line] = &[
    field("label(title: String!): Label", |c| {
        let Object::Project(id) = c.object else {
            return Ok(NOTHING);
        };
        let state = c.state();
        let found = state.label_named(*id, c.text("title").unwrap_or_default());
        Ok(one(found.map(|row| Object::Label(row.id))))
    }),
    field(
        "labels(searchTerm: String, title: String, includeAncestorGroups: Boolean = false): LabelConnection",
        |c| {
            let Object::Project(id) = c.object else {
                return Ok(NOTHING);
            };
            let search = c.text("searchTerm").unwrap_or_default().to_lowercase();
            let title = c.text("title");
            let state = c.state();
            let holders = if c.flag("includeAncestorGroups") == Some(true) {
                state.holder_and_above(Holder::Project(*id))
            } else {
                vec![Holder::Project(*id)]
            };
            let mut rows: Vec<&Label> = state
                .labels
                .iter()
                .filter(|row| holders.contains(&row.holder))
                .filter(|row| {
                    let text = row.description.clone().unwrap_or_default();
                    row.name.to_lowercase().contains(&search)
                        || text.to_lowercase().contains(&search)
                })
                .filter(|row| title.is_none_or(|title| title == row.name))
                .collect();
            rows.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(many(rows.iter().map(|row| row.id), Object::Label))
        },
    ),
    field(
        "milestones(ids: [ID!], state: MilestoneStateEnum, title: String, searchTitle: String, includeAncestors: Boolean): MilestoneConnection",
        |c| {
            let Object::Project(id) = c.object else {
                return Ok(NOTHING);
            };
            let ids: Option<Vec<u64>> = match c.texts("ids") {
                Some(texts) => {
                    let ids = texts
                        .into_iter()
                        .map(|text| number_of(text, &["Milestone"]));
                    Some(ids.collect::<Result<_, _>>()?)
                }
                None => None,
            };
            let search = c.text("searchTitle").unwrap_or_default().to_lowercase();
            let state = c.state();
            let holders = if c.flag("includeAncestors") == Some(true) {
                state.holder_and_above(Holder::Project(*id))
            } else {
                vec![Holder::Project(*id)]
            };
            let mut rows: Vec<_> = state
                .milestones
                .iter()
                .filter(|row| holders.contains(&row.holder))
                .filter(|row| ids.as_ref().is_none_or(|ids| ids.contains(&row.id)))
                .filter(|row| c.text("state").is_none_or(|wanted| wanted == row.state()))
                .filter(|row| c.text("title").is_none_or(|title| title == row.title))
                .filter(|row| row.title.to_lowercase().contains(&search))
                .collect();
            rows.sort_by_key(|row| (row.due_date.is_none(), row.due_date, row.id));
            Ok(many(rows.iter().map(|row| row.id), Object::Milestone))
        },
    ),
];

/// The family of labels and milestones.
pub(super) const FAMILY: Family = Family {
    tables: &[object("Label", &[LABEL]), object("Milestone", &[MILESTONE])],
    sdl: "
        enum MilestoneStateEnum { active closed }
        type MilestoneStats { closedIssuesCount: Int totalIssuesCount: Int }
    ",
};

fn label(call: &Call<'_>, read: fn(&Label) -> Found) -> Outcome {
    let Object::Label(id) = call.object else {
        return Ok(NOTHING);
    };
    Ok(call.state().labels.get(*id).map_or(NOTHING, read))
}

/// A number as an id.
pub(super) fn as_text(found: Found) -> Found {
    if let Found::Value(Value::Number(number)) = &found {
        return value(number.to_string());
    }
    found
}

/// A day as the instant it begins.
pub(super) fn midnight(found: Found) -> Found {
    found.on_text(|day| value(format!("{day}T00:00:00Z")))
}
