//! The `spec` header of a file: which inputs it takes, and the values it gets.

use serde_json::{Value, json};

use super::expression::{Expression, Names};
use super::report::{At, Report};
use super::tree::{Map, get, text_of};

const INPUT_KEYS: &[&str] = &[
    "default",
    "description",
    "options",
    "regex",
    "type",
    "rules",
];
const COMPONENT_FACTS: &[&str] = &["name", "sha", "version", "reference"];
const MAX_OPTIONS: usize = 50;

/// A header that is right in itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Spec {
    inputs: Vec<Input>,
    /// What of the component's facts the file wants to use.
    pub(super) component: Vec<String>,
}

#[derive(Debug, Clone)]
struct Input {
    name: String,
    kind: Kind,
    /// Present even when it is null: then the input may be left out.
    default: Option<Value>,
    options: Option<Vec<Value>>,
    regex: Option<String>,
    rules: Option<Vec<InputRule>>,
}

/// Options and default that hold under a condition on other inputs.
#[derive(Debug, Clone)]
struct InputRule {
    condition: Option<Expression>,
    options: Option<Vec<Value>>,
    default: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Boolean,
    Number,
    Text,
}

impl Spec {
    /// Reads a header.
    pub(super) fn read(header: &Map) -> Result<Self, Vec<String>> {
        let mut report = Report::default();
        let at = At::section("header");
        report.allowed_keys(&at, header, &["spec"]);
        let mut spec = Self::default();
        if let Some(value) = get(header, "spec") {
            spec.fill(&mut report, &at.key("spec"), value);
        }
        if report.errors.is_empty() {
            Ok(spec)
        } else {
            Err(report.errors)
        }
    }

    fn fill(&mut self, report: &mut Report, at: &At, value: &Value) {
        let Some(map) = report.hash(at, value) else {
            return;
        };
        report.allowed_keys(at, map, &["inputs", "include", "component", "description"]);
        report.text(at, map, "description");
        if map.contains_key("include") {
            report.unsupported(at, "spec:include");
        }
        if let Some(inputs) = get(map, "inputs")
            && let Some(inputs) = report.hash(&at.key("inputs"), inputs)
        {
            self.inputs = inputs
                .iter()
                .filter_map(|(name, input)| {
                    Input::read(report, &at.key("inputs").key(name), name, input)
                })
                .collect();
        }
        if let Some(component) = get(map, "component") {
            let at = at.key("component");
            self.component = report.strings(&at, "config", component);
            let unknown: Vec<&str> = self
                .component
                .iter()
                .map(String::as_str)
                .filter(|fact| !COMPONENT_FACTS.contains(fact))
                .collect();
            if !unknown.is_empty() {
                report.config(
                    &at,
                    &format!("contains unknown values: {}", unknown.join(", ")),
                );
            }
        }
    }

    /// The value of every input, from what is given or from its default.
    pub(super) fn values(&self, given: &Map) -> Result<Map, Vec<String>> {
        let mut errors = Vec::new();
        let unknown: Vec<&str> = given
            .keys()
            .map(String::as_str)
            .filter(|name| !self.inputs.iter().any(|input| input.name == *name))
            .collect();
        if !unknown.is_empty() {
            errors.push(format!("unknown input arguments: {}", unknown.join(", ")));
        }
        let mut values = Map::new();
        for input in &self.inputs {
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
    fn read(report: &mut Report, at: &At, name: &str, value: &Value) -> Option<Self> {
        let none = json!({});
        let map = report.hash(at, if value.is_null() { &none } else { value })?;
        let mut kind = Kind::Text;
        let passes = report.passes(|report| {
            if get(map, "description").is_some_and(|text| !text.is_string() && !text.is_i64()) {
                report.attribute(at, "input_description", "must be an alphanumeric string");
            }
            if get(map, "regex").is_some_and(|regex| !regex.is_string()) {
                report.attribute(at, "input_regex", "should be a string");
            }
            match get(map, "type").map(text_of).as_deref() {
                None | Some("string") => {}
                Some("array") => kind = Kind::Array,
                Some("boolean") => kind = Kind::Boolean,
                Some("number") => kind = Kind::Number,
                Some(other) => {
                    report.attribute(at, "input_type", &format!("unknown value: {other}"))
                }
            }
            if let Some(options) = get(map, "options") {
                check_options(report, at, options);
            }
            report.allowed_keys(at, map, INPUT_KEYS);
            report.exclusive_keys(at, map, &["rules", "options"]);
            report.exclusive_keys(at, map, &["rules", "default"]);
        });
        let rules = get(map, "rules").map(|rules| input_rules(report, at, rules));
        passes.then(|| Self {
            name: name.to_owned(),
            kind,
            default: map.get("default").cloned(),
            options: get(map, "options").and_then(Value::as_array).cloned(),
            regex: get(map, "regex").and_then(Value::as_str).map(str::to_owned),
            rules,
        })
    }

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
            Kind::Text => (true, "a string"),
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
                    "`{value}` cannot be used because it is not in the list of the allowed options"
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
            (Kind::Number | Kind::Text, Some(_)) => {}
        }
        let Some(regex) = &self.regex else { return };
        if self.kind != Kind::Text {
            complain("RegEx validation can only be used with string inputs");
            return;
        }
        match regex::Regex::new(regex) {
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
            (Kind::Text, _) => Value::String(text_of(value)),
            (Kind::Array | Kind::Boolean | Kind::Number, Value::String(text)) => {
                serde_json::from_str(text).unwrap_or_else(|_not_json| value.clone())
            }
            (Kind::Array | Kind::Boolean | Kind::Number, _) => value.clone(),
        }
    }
}

fn check_options(report: &mut Report, at: &At, options: &Value) {
    let Some(list) = options.as_array() else {
        report.attribute(at, "input_options", "should be a array");
        return;
    };
    if list.len() > MAX_OPTIONS {
        report.config(
            at,
            &format!("cannot define more than {MAX_OPTIONS} options"),
        );
    }
    if list.iter().any(Value::is_null) {
        report.config(at, "options array cannot contain null values");
    }
}

fn input_rules(report: &mut Report, at: &At, value: &Value) -> Vec<InputRule> {
    let at = at.key("rules");
    let Some(list) = value.as_array() else {
        report.config(&at, "should be a array");
        return Vec::new();
    };
    let at = at.key("rule");
    let mut rules = Vec::new();
    for item in list {
        let Some(map) = report.hash(&at, item) else {
            continue;
        };
        report.allowed_keys(&at, map, &["if", "options", "default"]);
        let condition = get(map, "if").map(|text| Expression::parse(&text_of(text)));
        if matches!(condition, Some(Err(_))) {
            report.attribute(&at, "if", "invalid expression syntax");
        }
        rules.push(InputRule {
            condition: condition.and_then(Result::ok),
            options: get(map, "options").and_then(Value::as_array).cloned(),
            default: map.get("default").cloned(),
        });
    }
    rules
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
