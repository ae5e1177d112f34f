//! Channels beside GitLab: chats, webhooks, commands. Each format makes untrusted text inert in its own way; addresses and
//! secrets come from CI variables and show nowhere.

mod chat;
mod command;
mod http;
mod mattermost;
mod slack;
mod teams;
mod text;
mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::ci::{Ci, Secret};
use crate::config::notification::{Chat, Reach};
use crate::domain::ids::ChannelName;
use crate::domain::notification::letter::Letter;
use crate::ports::{Channels, Clock, Delivery, DeliveryFailure};

/// The most messages in one post to a chat: more would be longer than some chats take.
pub const MOST_IN_A_POST: usize = 10;

/// The channels that the configuration defines, reached from this job.
#[derive(Debug)]
pub struct Post<'a> {
    reaches: &'a BTreeMap<ChannelName, Reach>,
    ci: &'a Ci,
    clock: &'a dyn Clock,
    ca: Option<Vec<u8>>,
}

impl<'a> Post<'a> {
    /// With the variables of this job's environment; a channel whose variable is missing fails when it is used.
    pub fn new(
        reaches: &'a BTreeMap<ChannelName, Reach>,
        ci: &'a Ci,
        clock: &'a dyn Clock,
    ) -> Self {
        // The connection to GitLab has read the same file and complained if it must.
        let ca = ci
            .ca_file
            .as_ref()
            .and_then(|path| std::fs::read(path).ok());
        Self {
            reaches,
            ci,
            clock,
            ca,
        }
    }

    /// What would be sent to a channel, as text.
    pub fn preview(&self, channel: &ChannelName, letters: &[Letter]) -> Option<String> {
        Some(match self.reaches.get(channel)? {
            Reach::Chat { chat, .. } => format!("{:#}", body(*chat, letters)),
            Reach::Webhook { .. } | Reach::Command { .. } => letters
                .iter()
                .map(|letter| webhook::envelope(letter, &self.ci.project_url).to_string() + "\n")
                .collect(),
        })
    }

    fn http(&self) -> Result<http::Line<'_>, DeliveryFailure> {
        http::Line::new(self.ca.as_deref(), self.clock)
    }

    fn to_chat(
        &self,
        chat: Chat,
        url_variable: &str,
        letters: &[Letter],
    ) -> Result<(), DeliveryFailure> {
        let url = http::address(url_variable)?;
        self.http()?
            .post(&url, &[], &body(chat, letters).to_string())
    }

    fn to_webhook(
        &self,
        url_variable: &str,
        secret_variable: Option<&str>,
        letter: &Letter,
    ) -> Result<(), DeliveryFailure> {
        let url = http::address(url_variable)?;
        let key = secret_variable.map(webhook::key).transpose()?;
        let body = webhook::envelope(letter, &self.ci.project_url).to_string();
        let headers = webhook::headers(letter, self.clock.now(), key.as_deref(), &body);
        self.http()?.post(&url, &headers, &body)
    }

    fn to_command(
        &self,
        command: &[String],
        variables: &[String],
        letters: &[Letter],
    ) -> Result<(), DeliveryFailure> {
        let lines: String = letters
            .iter()
            .map(|letter| webhook::envelope(letter, &self.ci.project_url).to_string() + "\n")
            .collect();
        command::run(command, variables, &self.ci.directory, &lines, self.clock)
    }
}

fn body(chat: Chat, letters: &[Letter]) -> serde_json::Value {
    match chat {
        Chat::Slack => slack::payload(letters),
        Chat::Mattermost => mattermost::payload(letters),
        Chat::Teams => teams::payload(letters),
    }
}

impl Channels for Post<'_> {
    fn deliver(&self, channel: &ChannelName, letters: &[Letter]) -> Delivery {
        let whole = |result: Result<(), DeliveryFailure>, count: usize| match result {
            Ok(()) => Delivery {
                taken: count,
                failure: None,
            },
            Err(failure) => Delivery {
                taken: 0,
                failure: Some(failure),
            },
        };
        match self.reaches.get(channel) {
            None => whole(
                Err(DeliveryFailure {
                    reason: "the configuration does not define it".to_owned(),
                    mend: "define it in `notification.channels`".to_owned(),
                }),
                0,
            ),
            Some(Reach::Chat { chat, url_variable }) => {
                let some = &letters[..letters.len().min(MOST_IN_A_POST)];
                whole(self.to_chat(*chat, url_variable, some), some.len())
            }
            Some(Reach::Command { command, variables }) => {
                let some = &letters[..letters.len().min(MOST_IN_A_POST)];
                whole(self.to_command(command, variables, some), some.len())
            }
            Some(Reach::Webhook {
                url_variable,
                secret_variable,
            }) => one_by_one(self.clock, letters, |letter| {
                self.to_webhook(url_variable, secret_variable.as_deref(), letter)
            }),
        }
    }

    fn obstacle(&self, channel: &ChannelName) -> Option<DeliveryFailure> {
        match self.reaches.get(channel)? {
            Reach::Chat { url_variable, .. } => http::address(url_variable).err(),
            Reach::Webhook {
                url_variable,
                secret_variable,
            } => http::address(url_variable)
                .err()
                .or_else(|| webhook::key(secret_variable.as_deref()?).err()),
            Reach::Command { variables, .. } => {
                variables.iter().find_map(|name| needed(name).err())
            }
        }
    }
}

/// The longest time for messages that are sent one by one.
const PATIENCE: Duration = Duration::from_secs(20);

fn one_by_one(
    clock: &dyn Clock,
    letters: &[Letter],
    send: impl Fn(&Letter) -> Result<(), DeliveryFailure>,
) -> Delivery {
    let begun = clock.now();
    for (taken, letter) in letters.iter().take(MOST_IN_A_POST).enumerate() {
        let late = clock.now().duration_since(begun).unsigned_abs() > PATIENCE;
        if late && taken > 0 {
            return Delivery {
                taken,
                failure: None,
            };
        }
        if let Err(failure) = send(letter) {
            return Delivery {
                taken,
                failure: Some(failure),
            };
        }
    }
    Delivery {
        taken: letters.len().min(MOST_IN_A_POST),
        failure: None,
    }
}

/// The value of a variable, or why the channel cannot do without it.
fn needed(variable: &str) -> Result<Secret, DeliveryFailure> {
    Ci::variable(variable).ok_or_else(|| DeliveryFailure {
        reason: format!("the CI variable `{variable}` is not set in this job"),
        mend: format!("store it as the masked, protected variable `{variable}` in Settings > CI/CD > Variables"),
    })
}

#[cfg(test)]
mod tests;
