//! `$[[ inputs.name | function ]]`: values put into the tree of one file.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::functions;
use super::inputs::Spec;
use super::source::Source;
use super::spec;
use super::tree::{Map, is_reference, text_of};
use super::yaml;

const MAX_TEXT: usize = 1024 * 1024;
const MAX_ACCESS: usize = 1024;
const MAX_SEGMENTS: usize = 5;
const MAX_INDICES: usize = 5;
const MAX_FUNCTIONS: usize = 3;
/// How many errors GitLab joins to one message.
const SHOWN_ERRORS: usize = 3;

/// What a component may know of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) sha: String,
    pub(super) version: Option<String>,
    pub(super) reference: String,
}

/// Reads a file and puts its inputs in.
pub(super) fn load(
    text: &str,
    inputs: Option<&Value>,
    source: &Source<'_>,
    component: Option<&Facts>,
    more: &mut dyn FnMut(&Value, &Map) -> Result<Map, String>,
) -> Result<Map, String> {
    let documents = yaml::read(text)?;
    let none = Map::new();
    let given = match inputs {
        None | Some(Value::Null) => &none,
        Some(Value::Object(given)) => given,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err("Given inputs must be a hash".to_owned());
        }
    };
    let Some(header) = &documents.header else {
        if given.is_empty() {
            return Ok(documents.content.clone());
        }
        return Err(
            "Given inputs not defined in the `spec` section of the included configuration file"
                .to_owned(),
        );
    };
    let fails = |errors: Vec<String>| errors[..errors.len().min(SHOWN_ERRORS)].join(", ");
    let spec = spec::read(header, more).map_err(fails)?;
    let values = spec.values(given).map_err(fails)?;
    let mut context = Map::new();
    context.insert("inputs".to_owned(), Value::Object(values));
    context.insert(
        "component".to_owned(),
        Value::Object(facts(component, &spec)),
    );
    let template = Template {
        context: Value::Object(context),
        source,
    };
    if is_reference(&documents.content) {
        return Ok(documents.content.clone());
    }
    template.map(&documents.content)
}

fn facts(component: Option<&Facts>, spec: &Spec) -> Map {
    let Some(facts) = component else {
        return Map::new();
    };
    let known = [
        ("name", Value::from(facts.name.as_str())),
        ("sha", facts.sha.as_str().into()),
        ("version", facts.version.clone().into()),
        ("reference", facts.reference.as_str().into()),
    ];
    let wanted = known
        .into_iter()
        .filter(|(key, _)| spec.component.iter().any(|name| name == key));
    wanted.map(|(key, value)| (key.to_owned(), value)).collect()
}

struct Template<'a> {
    context: Value,
    source: &'a Source<'a>,
}

impl Template<'_> {
    fn node(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(list) => {
                let mut items = Vec::with_capacity(list.len());
                for item in list {
                    let mut node = self.node(item)?;
                    // A list put in as one item becomes its items.
                    match node.as_array_mut().filter(|_| item.is_string()) {
                        Some(more) => items.append(more),
                        None => items.push(node),
                    }
                }
                Ok(Value::Array(items))
            }
            Value::Object(map) if is_reference(map) => Ok(value.clone()),
            Value::Object(map) => self.map(map).map(Value::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        }
    }

    fn map(&self, map: &Map) -> Result<Map, String> {
        let entries = map.iter();
        entries
            .map(|(key, value)| Ok((text_of(&self.text(key)?), self.node(value)?)))
            .collect()
    }

    fn text(&self, text: &str) -> Result<Value, String> {
        static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"\$\[\[\s*(?<data>\S.*?\S)\s*\]\]")
                .expect("the pattern is a literal that compiles")
        });
        if text.len() > MAX_TEXT {
            return Err("config node too large".to_owned());
        }
        if !text.contains("$[[") {
            return Ok(text.into());
        }
        let mut whole = String::new();
        let mut end = 0;
        for found in BLOCK.captures_iter(text) {
            let block = found.get(0).map_or(0..0, |block| block.range());
            let value = self.block(&found[0], &found["data"])?;
            if block == (0..text.len()) {
                return Ok(value);
            }
            whole.push_str(&text[end..block.start]);
            whole.push_str(&text_of(&value));
            end = block.end;
        }
        whole.push_str(&text[end..]);
        Ok(Value::String(whole))
    }

    fn block(&self, block: &str, data: &str) -> Result<Value, String> {
        let mut parts = data.split('|').map(str::trim);
        let access = parts.next().unwrap_or_default();
        if access.split('.').next() == Some("matrix") {
            // Put in later, when parallel jobs are told apart.
            return Ok(block.into());
        }
        let value = self.access(access)?;
        let mut calls: Vec<&str> = parts.collect();
        // Nothing after the last bar is no function.
        while calls.last().is_some_and(|call| call.is_empty()) {
            calls.pop();
        }
        if calls.len() > MAX_FUNCTIONS {
            return Err("too many functions in interpolation block".to_owned());
        }
        functions::apply(value, &calls, self.source)
    }

    fn access(&self, path: &str) -> Result<Value, String> {
        if !path.contains('.') {
            return Err(
                "invalid pattern used for interpolation. valid pattern is $[[ inputs.input ]]"
                    .to_owned(),
            );
        }
        if path.len() > MAX_ACCESS {
            return Err("maximum interpolation expression size exceeded".to_owned());
        }
        path.splitn(MAX_SEGMENTS, '.')
            .try_fold(&self.context, |value, segment| step(value, segment, path))
            .cloned()
    }
}

fn step<'a>(value: &'a Value, segment: &str, path: &str) -> Result<&'a Value, String> {
    let (key, indices) = match segment.find('[') {
        Some(_) => indexed(segment, path)?,
        None => (segment, Vec::new()),
    };
    let mut found = value
        .as_object()
        .and_then(|map| map.get(key))
        .ok_or_else(|| format!("unknown interpolation provided: `{key}` in `{path}`"))?;
    for at in indices {
        let Value::Array(list) = found else {
            return Err(format!(
                "cannot index into non-array value at [{at}] in `{path}`"
            ));
        };
        let size = list.len();
        found = list
            .get(at)
            .ok_or_else(|| format!("array index {at} out of bounds (size: {size}) in `{path}`"))?;
    }
    Ok(found)
}

/// `key[0][1]` taken apart.
fn indexed<'a>(segment: &'a str, path: &str) -> Result<(&'a str, Vec<usize>), String> {
    static INDEXED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?<key>\w*)(?<indices>(?:\[[0-9]+\])+)$")
            .expect("the pattern is a literal that compiles")
    });
    let Some(parts) = INDEXED.captures(segment) else {
        if segment.matches('[').count() != segment.matches(']').count() {
            return Err(format!(
                "invalid array index in `{path}`: missing closing bracket"
            ));
        }
        let odd = segment
            .split('[')
            .skip(1)
            .filter_map(|part| part.split_once(']').map(|(index, _)| index))
            .find(|index| index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()));
        return Err(match odd {
            Some(odd) => {
                format!("invalid array index in `{path}`: `{odd}` is not a valid index")
            }
            None => format!("invalid array index syntax in `{path}`"),
        });
    };
    let key = parts.name("key").map_or("", |key| key.as_str());
    if key.is_empty() {
        return Err(format!("invalid indexed access without a key in `{path}`"));
    }
    let indices: Vec<usize> = parts["indices"]
        .split_terminator(']')
        .map(|index| index.trim_start_matches('[').parse().unwrap_or(usize::MAX))
        .collect();
    if indices.len() > MAX_INDICES {
        return Err(format!(
            "too many array indices in `{path}` (maximum depth: {MAX_INDICES})"
        ));
    }
    Ok((key, indices))
}
