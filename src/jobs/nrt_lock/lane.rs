//! The lane of a change set. The hotfix lane overtakes everybody and goes through freezes: a project can say who may send there.

use crate::domain::integration::Priority;
use crate::domain::linking::Sight;
use crate::jobs::Desk;
use crate::jobs::observe::{self, Linked};
use crate::ports::Answer;
use crate::report;

/// The lane, and what to tell about it.
pub(super) struct Lane {
    /// Where the change set queues.
    pub(super) priority: Priority,
    /// Why it is not where its labels ask for.
    pub(super) warning: Option<String>,
}

/// The lane that the labels of a merge request and its features lead to. Where `integration.hotfix_by` names roles, one of their people
/// must have put the label of the hotfix lane on the merge request itself.
///
/// # Errors
/// When GitLab cannot be asked; it is asked only about hotfixes of such projects.
pub(super) fn lane(desk: &Desk<'_>, linked: &Linked) -> Answer<Lane> {
    let found = &linked.merge_request;
    let of_features = linked.sights.values().flat_map(|sight| match sight {
        Sight::Seen(feature) => feature.labels.as_slice(),
        Sight::NotFound | Sight::NotLookedUp => &[],
    });
    let labels: Vec<&String> = found.labels.iter().chain(of_features).collect();
    let priority = desk.config.lane(labels.iter().copied());
    let roles = &desk.config.integration.hotfix_by;
    if priority != Priority::Hotfix || roles.is_empty() {
        return Ok(Lane {
            priority,
            warning: None,
        });
    }
    let (hotfix, other): (Vec<&String>, Vec<&String>) = labels
        .into_iter()
        .partition(|label| desk.config.lane([*label]) == Priority::Hotfix);
    let people = observe::people_of(desk, roles)?;
    let mut setters = Vec::new();
    for label in hotfix.into_iter().filter(|l| found.labels.contains(l)) {
        setters.extend(desk.merge_requests.labelled_by(found.id.iid, label)?);
    }
    if setters.iter().any(|person| people.contains(person)) {
        return Ok(Lane {
            priority,
            warning: None,
        });
    }
    let priority = desk.config.lane(other);
    Ok(Lane {
        priority,
        warning: Some(report::no_hotfix(priority, &setters, roles)),
    })
}
