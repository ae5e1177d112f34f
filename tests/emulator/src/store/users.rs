//! Users, people and bots alike.

use jiff::Timestamp;

use super::State;
use super::avatars::Avatar;
use super::profiles::{self, Profile, UserStatus};
use crate::git::Identity;

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    pub id: u64,
    pub username: String,
    pub name: String,
    pub email: String,
    /// Such as `active` or `blocked`.
    pub state: String,
    pub admin: bool,
    /// The user behind a project access token.
    pub bot: bool,
    pub created_at: Timestamp,
    /// The user's own namespace.
    pub namespace_id: u64,
    pub profile: Profile,
    pub avatar: Option<Avatar>,
    pub status: UserStatus,
    pub identities: Vec<profiles::Identity>,
    /// The users who follow this one.
    pub followers: Vec<u64>,
    pub created_by: Option<u64>,
    /// The day of the last request.
    pub last_activity_on: Option<jiff::civil::Date>,
}

impl State {
    /// Adds an active user with an own namespace.
    pub fn add_user(&mut self, username: &str, name: &str, email: &str, now: Timestamp) -> u64 {
        let namespace_id = self.next_namespace();
        self.users.insert(|id| User {
            id,
            username: username.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            state: "active".to_owned(),
            admin: false,
            bot: false,
            created_at: now,
            namespace_id,
            profile: Profile::default(),
            avatar: None,
            status: UserStatus::default(),
            identities: Vec::new(),
            followers: Vec::new(),
            created_by: None,
            last_activity_on: None,
        })
    }

    /// The name under which a user makes commits.
    pub fn identity(&self, user: u64, at: Timestamp) -> Identity {
        let user = self.users.get(user);
        Identity {
            name: user.map_or_else(String::new, |user| user.name.clone()),
            email: user.map_or_else(String::new, |user| user.email.clone()),
            at,
        }
    }

    /// The user of a name, which is compared without case.
    pub fn user_named(&self, username: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.username.eq_ignore_ascii_case(username))
    }
}
