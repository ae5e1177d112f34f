//! Who holds a role.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{RoleName, UserName};
use crate::domain::validation::Members;
use crate::jobs::Desk;
use crate::outcome::Problem;
use crate::ports::Answer;

/// GitLab's number of the role Maintainer.
const MAINTAINER: u64 = 40;

/// Who holds each role.
pub(in crate::jobs) type Holders = BTreeMap<RoleName, BTreeSet<UserName>>;

/// Who holds each role.
pub(in crate::jobs) fn holders(desk: &Desk<'_>, roles: &[RoleName]) -> Answer<Holders> {
    let wanted: Vec<(RoleName, &Members)> = desk
        .config
        .roles
        .iter()
        .filter(|role| roles.contains(&role.name))
        .map(|role| (role.name.clone(), &role.members))
        .collect();
    desk.people.holders(&wanted)
}

/// The people of roles that the project defines.
pub(in crate::jobs) fn people_of(
    desk: &Desk<'_>,
    roles: &[RoleName],
) -> Answer<BTreeSet<UserName>> {
    Ok(holders(desk, roles)?.into_values().flatten().collect())
}

/// The people of roles that the project names for something, or its maintainers where it names none.
pub(in crate::jobs) fn people_or_maintainers(
    desk: &Desk<'_>,
    roles: &[RoleName],
) -> Answer<BTreeSet<UserName>> {
    if !roles.is_empty() {
        return people_of(desk, roles);
    }
    let name = "maintainers"
        .parse()
        .map_err(|error| Problem::bug("a role of ours has no name").caused_by(error))?;
    let maintainers = Members {
        access: Some(MAINTAINER),
        ..Members::default()
    };
    let found = desk.people.holders(&[(name, &maintainers)])?;
    Ok(found.into_values().flatten().collect())
}
