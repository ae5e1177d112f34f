//! Putting a damaged log in variables right: what cannot be read is moved to another scope, holes are filled.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use gitlab::api::endpoint_prelude::{Endpoint, Method, QueryParams};

use super::reading::{Entry, Found, key_of, key_of_base};
use super::{READS, VariableJournal, came_at_once, json, nonce_of};
use crate::checkpoint::Checkpoint;
use crate::domain::archive::Base;
use crate::domain::event::Event;
use crate::domain::yard::Yard;
use crate::gitlab::endpoints::{Get, segment};
use crate::gitlab::wire;
use crate::outcome::Problem;
use crate::ports::{Answer, Archive, Damage, Mending, Replaced, Survey, Unpacked};

/// In how many places what one job sets aside is put before something must be wrong.
const PLACES: u32 = 5;

impl Mending for VariableJournal<'_> {
    fn survey(&self) -> Answer<Survey> {
        let mut survey = Survey::default();
        for attempt in 1..=READS {
            let variables = self.variables()?;
            survey = self.surveyed(&variables)?;
            // As for readers: one of several pages can miss an entry for a moment.
            if survey.damages.is_empty() || came_at_once(variables.len()) {
                break;
            }
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
        // What this very job put aside before under the same name stays where it is.
        let mut moved = Move {
            path: one,
            from: self.scope.clone(),
            to: aside.clone(),
        };
        let mut reply = self.client.send(&moved)?;
        for nth in 2..=PLACES {
            if reply.status != 400 {
                break;
            }
            moved.to = format!("{aside}-{nth}");
            reply = self.client.send(&moved)?;
        }
        reply.done()?;
        Ok(moved.to)
    }

    fn replace_base(&self, base: &Base) -> Answer<()> {
        let checkpoint = Checkpoint::of(&base.state, base.slot, self.clock.now())?;
        self.set_base(base.generation, &checkpoint).map(drop)
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

impl VariableJournal<'_> {
    fn surveyed(&self, variables: &[wire::Variable]) -> Answer<Survey> {
        let found = Found::of(variables, &self.scope);
        let mut survey = Survey {
            damages: found.strangers().to_vec(),
            ..Survey::default()
        };
        let lost = match found.base() {
            Ok(base) => {
                survey.base = base;
                // Without a base the log begins with entry 1, unless there was one.
                let begins = found.entries.first_key_value().map(|(slot, _)| *slot);
                (survey.base.is_none() && begins != Some(1)).then(|| Damage {
                    slot: None,
                    name: key_of_base(found.highest_generation().max(1)),
                    there: false,
                    how: "it is missing, although there is an archive of what it covers".to_owned(),
                })
            }
            Err(damage) => Some(damage),
        };
        if let Some(damage) = lost {
            let (base, replaced) = self.in_its_place(&found)?;
            // A log that never had an archive has holes where entries are missing.
            if damage.there || replaced != Replaced::Nothing(0) {
                survey.damages.push(damage);
                survey.base = Some(Arc::new(base));
                survey.replaced = Some(replaced);
            }
        }
        let slot = survey.base.as_ref().map_or(0, |base| base.slot);
        survey.last = slot;
        for (slot, found) in found.behind(slot) {
            survey.last = survey.last.max(slot);
            match found {
                Ok(entry) => survey.events.extend(entry.events),
                Err(damage) => survey.damages.push(damage),
            }
        }
        Ok(survey)
    }

    /// What can take the place of a base that cannot be read: an older one with every entry since, or else the state of the newest
    /// package, or else nothing.
    fn in_its_place(&self, found: &Found<'_>) -> Answer<(Base, Replaced)> {
        let generation = found.highest_generation() + 1;
        let older = found.bases.iter().rev().find_map(|(generation, head)| {
            let base = found.opened(*generation, head).ok()?;
            let behind = found.behind(base.slot);
            let whole = !behind.is_empty() && behind.iter().all(|(_, entry)| entry.is_ok());
            whole.then_some(base)
        });
        if let Some(base) = older {
            return Ok((Base { generation, ..base }, Replaced::Older));
        }
        let mut packed = false;
        for package in self.packages(Timestamp::MIN)? {
            packed = true;
            let Unpacked::Whole(state) = self.unpack_state(&package)? else {
                continue;
            };
            if let Ok(base) = state.open(generation) {
                return Ok((base, Replaced::Package(self.name(&package.holding))));
            }
        }
        let begins = found.entries.first_key_value().map(|(slot, _)| *slot);
        let had_one = packed || found.highest_generation() > 0;
        let slot = begins.filter(|_| had_one).map_or(0, |slot| slot - 1);
        let base = Base {
            generation,
            slot,
            state: Yard::default(),
        };
        Ok((base, Replaced::Nothing(slot)))
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
