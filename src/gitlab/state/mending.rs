//! Putting a damaged log in variables right: what cannot be read is moved to another scope, holes are filled.

use std::time::Duration;

use gitlab::api::endpoint_prelude::{Endpoint, Method, QueryParams};

use super::{Entry, READS, VariableJournal, json, key_of, nonce_of};
use crate::domain::event::Event;
use crate::gitlab::endpoints::{Get, segment};
use crate::gitlab::wire;
use crate::outcome::Problem;
use crate::ports::{Answer, Damage, Mending, Survey};

impl Mending for VariableJournal<'_> {
    fn survey(&self) -> Answer<Survey> {
        let mut survey = Survey::default();
        for attempt in 1..=READS {
            survey = Survey::default();
            for (slot, found) in self.inspect(&self.variables()?) {
                survey.last = survey.last.max(slot);
                match found {
                    Ok(entry) => survey.events.extend(entry.events),
                    Err(damage) => survey.damages.push(damage),
                }
            }
            if survey.damages.is_empty() {
                break;
            }
            // As for readers: a page can miss an entry for a moment.
            if attempt < READS {
                self.clock.wait(Duration::from_millis(500));
            }
        }
        Ok(survey)
    }

    fn set_aside(&self, damage: &Damage) -> Answer<String> {
        let aside = format!("{}/aside/{}", self.scope, self.writer.replace('/', "-"));
        let one = format!(
            "projects/{}/variables/{}",
            self.project,
            segment(&damage.name)
        );
        // Another repair may have put it right since it was looked at: only what still cannot be read is moved.
        let now = Get::new(&one).with("filter[environment_scope]", &self.scope);
        let now: Option<wire::Variable> = self.client.send(&now)?.json_or_missing()?;
        let Some(now) = now else {
            return Ok(aside);
        };
        let readable = |entry: Entry| entry.parts == 0;
        let value = now.value.as_deref().unwrap_or_default();
        if damage.slot.is_some() && serde_json::from_str::<Entry>(value).is_ok_and(readable) {
            return Err(Problem::gitlab(
                format!(
                    "the state variable `{}` was put right by somebody else meanwhile",
                    damage.name
                ),
                "run `trainyard repair` again: it begins with what is there now",
            ));
        }
        let moved = Move {
            path: one,
            from: self.scope.clone(),
            to: aside.clone(),
        };
        self.client.send(&moved)?.done()?;
        Ok(aside)
    }

    fn fill(&self, slot: u64, events: &[Event]) -> Answer<()> {
        let entry = Entry {
            nonce: nonce_of(&self.writer, slot, self.clock),
            events: events.to_vec(),
            parts: 0,
        };
        self.create(&key_of(slot), &self.scope, &json(&entry)?)
            .map(drop)
    }
}

/// Gives a variable another scope; its value stays.
struct Move {
    path: String,
    from: String,
    to: String,
}

impl Endpoint for Move {
    fn method(&self) -> Method {
        Method::PUT
    }

    fn endpoint(&self) -> std::borrow::Cow<'static, str> {
        self.path.clone().into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters
            .push("filter[environment_scope]", self.from.as_str())
            .push("environment_scope", self.to.as_str());
        parameters
    }
}
