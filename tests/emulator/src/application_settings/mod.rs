//! The settings of the instance: their names and defaults, and those that the emulator heeds itself.
//!
//! Everything can be set and is shown again. Heeded are the API rate limits, the default visibilities and branch name, and
//! the job token scope.

pub(crate) mod numbers;
pub(crate) mod switches;
pub(crate) mod texts;

use serde_json::{Map, Value, json};

use crate::store::State;

/// All settings with their values.
pub(crate) fn all(state: &State) -> Map<String, Value> {
    let mut settings = Map::new();
    for (name, default) in switches::SWITCHES {
        settings.insert(name.to_owned(), json!(default));
    }
    for (name, default) in numbers::NUMBERS {
        settings.insert(name.to_owned(), json!(default));
    }
    for (name, default) in texts::TEXTS {
        settings.insert(name.to_owned(), json!(default));
    }
    for (name, default) in texts::LISTS {
        settings.insert(name.to_owned(), json!(default));
    }
    settings.extend(state.instance.settings.clone());
    settings
}

/// One setting that is on or off.
pub(crate) fn switch(state: &State, name: &str) -> bool {
    let default = || {
        let mut known = switches::SWITCHES.iter();
        known.any(|(known, default)| *known == name && *default)
    };
    let set = state.instance.settings.get(name).and_then(Value::as_bool);
    set.unwrap_or_else(default)
}

/// One setting that is a number.
pub(crate) fn number(state: &State, name: &str) -> Option<i64> {
    let default = || {
        let mut known = numbers::NUMBERS.iter();
        known.find(|(known, _)| *known == name)?.1
    };
    match state.instance.settings.get(name) {
        Some(value) => value.as_i64(),
        None => default(),
    }
}

/// One setting that is a text; empty counts as unset.
pub(crate) fn text<'a>(state: &'a State, name: &str) -> Option<&'a str> {
    let default = || {
        let mut known = texts::TEXTS.iter();
        known.find(|(known, _)| *known == name)?.1
    };
    match state.instance.settings.get(name) {
        Some(value) => value.as_str(),
        None => default(),
    }
    .filter(|text| !text.is_empty())
}
