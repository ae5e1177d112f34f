//! The inputs of a file: their types, options and rules, and the values they get.

use serde_json::Value;

use super::expression::{Expression, Names};
use super::kept;
use super::tree::{Map, get, text_of};

/// A header that is right in itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Spec {
    pub(super) inputs: Vec<Input>,
    /// What of the component's facts the file wants to use.
    pub(super) component: Vec<String>,
}

/// One input.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Present even when it is null: then the input may be left out.
    pub(super) default: Option<Value>,
    pub(super) options: Option<Vec<Value>>,
    pub(super) regex: Option<String>,
    pub(super) rules: Option<Vec<InputRule>>,
}

/// Options and default that hold under a condition on other inputs.
#[derive(Debug, Clone)]
pub(super) struct InputRule {
    pub(super) condition: Option<Expression>,
    pub(super) options: Option<Vec<Value>>,
    pub(super) default: Option<Value>,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Boolean,
    Number,
    Text,
    /// Its type is given, but as null.
    Unknown,
}

impl Spec {
    /// The value of every input, from what is given or from its default.
    pub(super) fn values(&self, given: &Map) -> Result<Map, Vec<String>> {
        let mut errors = Vec::new();
        let unknown: Vec<&str> = given
            .keys()
            .map(String::as_str)
            .filter(|name| {
                !self
                    .inputs
                    .iter()
                    .any(|input| input.kind != Kind::Unknown && input.name == *name)
            })
            .collect();
        if !unknown.is_empty() {
            errors.push(format!("unknown input arguments: {}", unknown.join(", ")));
        }
        let mut values = Map::new();
        for input in &self.inputs {
            if input.kind == Kind::Unknown {
                errors.push(format!(
                    "unknown input specification for `{}` (valid types: array, boolean, number, string)",
                    input.name
                ));
                continue;
            }
            let mut known = given.clone();
            known.extend(values.clone());
            let value = get(given, &input.name);
            input.check(value, &known, &mut errors);
            values.insert(input.name.clone(), input.value(value, &known));
        }
        if errors.is_empty() {
            Ok(values)
        } else {
            Err(errors)
        }
    }
}

impl Input {
    /// Default and options that hold given the other inputs.
    fn resolved(&self, known: &Map) -> (Option<Value>, Option<Vec<Value>>) {
        let rule = self.rules.iter().flatten().find(|rule| {
            rule.condition
                .as_ref()
                .is_none_or(|condition| condition.holds(&Given(known)))
        });
        let default = rule
            .and_then(|rule| rule.default.clone())
            .filter(|value| !value.is_null());
        let options = rule.and_then(|rule| rule.options.clone());
        (
            default.or_else(|| self.default.clone()),
            options.or_else(|| self.options.clone()),
        )
    }

    fn is_required(&self) -> bool {
        self.default.is_none()
            && !self
                .rules
                .iter()
                .flatten()
                .any(|rule| rule.default.is_some())
    }

    fn check(&self, given: Option<&Value>, known: &Map, errors: &mut Vec<String>) {
        let mut complain = |message: &str| errors.push(format!("`{}` input: {message}", self.name));
        let given = self.unless_empty(given);
        if given.is_none() && self.is_required() {
            complain("required value has not been provided");
            return;
        }
        let (default, options) = self.resolved(known);
        let default = default.filter(|value| !value.is_null());
        for (value, origin) in [(default.as_ref(), "default"), (given, "provided")] {
            if let Some(value) = value {
                self.check_value(
                    &self.coerced(value),
                    origin,
                    options.as_deref(),
                    &mut complain,
                );
            }
        }
    }

    /// With rules an empty text means that nothing was chosen.
    fn unless_empty<'a>(&self, given: Option<&'a Value>) -> Option<&'a Value> {
        given.filter(|value| self.rules.is_none() || value.as_str() != Some(""))
    }

    fn check_value(
        &self,
        value: &Value,
        origin: &str,
        options: Option<&[Value]>,
        complain: &mut dyn FnMut(&str),
    ) {
        let (right, noun) = match self.kind {
            Kind::Array => (value.is_array(), "an array"),
            Kind::Boolean => (value.is_boolean(), "a boolean"),
            Kind::Number => (value.is_number(), "a number"),
            Kind::Text | Kind::Unknown => (true, "a string"),
        };
        if !right {
            complain(&format!("{origin} value is not {noun}"));
        }
        match (self.kind, options) {
            (_, None) => {}
            (Kind::Array | Kind::Boolean, Some(_)) => {
                complain("Options can only be used with string and number inputs");
            }
            (Kind::Number, Some(options)) if !options.contains(value) => {
                complain(&format!(
                    "`{}` cannot be used because it is not in the list of the allowed options",
                    text_of(value)
                ));
            }
            (Kind::Text, Some(options))
                if !options
                    .iter()
                    .any(|option| text_of(option) == text_of(value)) =>
            {
                let value = text_of(value);
                complain(&format!(
                    "`{value}` cannot be used because it is not in the list of allowed options"
                ));
            }
            (Kind::Number | Kind::Text | Kind::Unknown, Some(_)) => {}
        }
        let Some(regex) = &self.regex else { return };
        if self.kind != Kind::Text {
            complain("RegEx validation can only be used with string inputs");
            return;
        }
        match kept::regex(regex) {
            Err(_) => complain("invalid regular expression"),
            Ok(regex) if !regex.is_match(&text_of(value)) => {
                complain(&format!(
                    "{origin} value does not match required RegEx pattern"
                ));
            }
            Ok(_) => {}
        }
    }

    fn value(&self, given: Option<&Value>, known: &Map) -> Value {
        let value = self
            .unless_empty(given)
            .cloned()
            .or_else(|| self.resolved(known).0);
        self.coerced(&value.unwrap_or(Value::Null))
    }

    /// Texts stand for values of the input's type.
    fn coerced(&self, value: &Value) -> Value {
        match (self.kind, value) {
            (Kind::Text | Kind::Unknown, _) => Value::String(text_of(value)),
            (Kind::Array | Kind::Boolean | Kind::Number, Value::String(text)) => {
                serde_json::from_str(text).unwrap_or_else(|_not_json| value.clone())
            }
            (Kind::Array | Kind::Boolean | Kind::Number, _) => value.clone(),
        }
    }
}

struct Given<'a>(&'a Map);

impl Names for Given<'_> {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn input(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
}
