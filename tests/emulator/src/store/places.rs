//! What things such as hooks, badges and custom attributes may belong to.

use super::State;

/// The owner of a thing that several kinds of owners can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Instance,
    Project(u64),
    Group(u64),
    User(u64),
}

impl State {
    /// Removes what belongs to an owner that is going away.
    pub(crate) fn remove_belongings(&mut self, place: Place) {
        let belongings = &mut self.belongings;
        belongings
            .custom_attributes
            .retain(|(owner, _), _| *owner != place);
        belongings
            .notification_settings
            .retain(|(user, owner), _| *owner != place && Place::User(*user) != place);
        belongings.exports.remove(&place);
        belongings.badges.retain(|row| row.place != place);
        belongings.webhooks.retain(|row| row.place != place);
        belongings.deploy_tokens.retain(|row| row.place != place);
        belongings
            .emails
            .retain(|row| Place::User(row.user_id) != place);
        belongings
            .ssh_keys
            .retain(|row| Place::User(row.user_id) != place);
        belongings
            .gpg_keys
            .retain(|row| Place::User(row.user_id) != place);
        belongings
            .group_links
            .retain(|link| link.shared != place && Place::Group(link.with_group) != place);
        for key in belongings.deploy_keys.iter_mut() {
            key.enabled_in
                .retain(|(project, _)| Place::Project(*project) != place);
        }
        belongings
            .deploy_keys
            .retain(|key| key.public || !key.enabled_in.is_empty());
    }
}
