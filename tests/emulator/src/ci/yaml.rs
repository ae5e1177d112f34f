//! Text to tree: documents, merge keys, `!reference` tags, and GitLab's wording of syntax errors.

use std::fmt;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde::de::{
    self, Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Number, Value};

use super::kept::Kept;
use super::tree::{Map, REFERENCE, text_of};
use super::yaml11;

/// GitLab's default for `max_yaml_size_bytes`.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// GitLab's default for `max_yaml_depth`.
const MAX_DEPTH: usize = 100;
/// A header and the configuration.
const MAX_DOCUMENTS: usize = 2;

/// A file after reading, before its inputs are put in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Documents {
    /// The document with `spec`, when there is one.
    pub(super) header: Option<Map>,
    pub(super) content: Map,
}

/// Reads a file that may start with a `spec` header.
pub(super) fn read(text: &str) -> Result<Arc<Documents>, String> {
    static FILES: Kept<Arc<Documents>> = Kept::new();
    FILES.of(text, |text| parse(text).map(Arc::new))
}

fn parse(text: &str) -> Result<Documents, String> {
    static DIVIDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^---\s+").expect("the pattern is a literal that compiles")
    });
    let mut pieces: Vec<&str> = DIVIDER.splitn(text, MAX_DOCUMENTS + 1).collect();
    pieces.retain(|piece| !piece.trim().is_empty());
    let mut documents = Vec::new();
    for piece in pieces {
        if let Some(document) = document(piece)? {
            documents.push(document);
        }
    }
    let has_header = documents.len() > 1 && documents[0].contains_key("spec");
    if has_header {
        let content = documents.pop().unwrap_or_default();
        return Ok(Documents {
            header: documents.into_iter().next(),
            content,
        });
    }
    Ok(Documents {
        header: None,
        content: documents.into_iter().next().unwrap_or_default(),
    })
}

fn document(text: &str) -> Result<Option<Map>, String> {
    if text.len() > MAX_BYTES {
        return Err("The provided YAML is too big".to_owned());
    }
    let text = yaml11::as_yaml12(text)?;
    let Some(document) = serde_yaml::Deserializer::from_str(&text).next() else {
        return Ok(None);
    };
    let tree = Tree::deserialize(document).map_err(|error| wording(&error.to_string()))?;
    match tree.0 {
        // Comments only: nothing to say about it.
        Value::Null => Ok(None),
        Value::Object(map) if depth(&map) > MAX_DEPTH => {
            Err("The parsed YAML is too big".to_owned())
        }
        Value::Object(map) => Ok(Some(map)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("Invalid configuration format".to_owned())
        }
    }
}

fn depth(map: &Map) -> usize {
    fn below(value: &Value) -> usize {
        match value {
            Value::Object(map) => 1 + map.values().map(below).max().unwrap_or(0),
            Value::Array(list) => 1 + list.iter().map(below).max().unwrap_or(0),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    1 + map.values().map(below).max().unwrap_or(0)
}

/// Both servers sit on libyaml; only the order of the parts of the sentence differs.
fn wording(error: &str) -> String {
    static CONTEXT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?<problem>.*?) at line \d+ column \d+, (?<context>while .*) at (?<place>line \d+ column \d+)$")
            .expect("the pattern is a literal that compiles")
    });
    // Where the part around it has no place of its own.
    static AROUND: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?<problem>.*?) at (?<place>line \d+ column \d+), (?<context>while .*)$")
            .expect("the pattern is a literal that compiles")
    });
    match CONTEXT.captures(error) {
        Some(parts) => format!(
            "(<unknown>): {} {} at {}",
            &parts["problem"], &parts["context"], &parts["place"]
        ),
        None => match AROUND.captures(error) {
            Some(parts) => format!(
                "(<unknown>): {} {} at {}",
                &parts["problem"], &parts["context"], &parts["place"]
            ),
            None => format!("(<unknown>): {error}"),
        },
    }
}

/// A value as it comes out of the YAML library, with the last of equal keys kept and merge keys applied.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Tree)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // Infinities and NaN have no place in the tree; their names do.
        Ok(Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Tree(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((Tree(key), Tree(value))) = entries.next_entry()? {
            let key = without_symbol(text_of(&key));
            if key == "<<" {
                merge_key(&mut map, value).map_err(de::Error::custom)?;
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, content): (String, _) = tagged.variant()?;
        let Tree(value) = content.newtype_variant()?;
        if tag.trim_start_matches('!') != "reference" {
            // Unknown tags carry no meaning to GitLab either.
            return Ok(value);
        }
        let mut map = Map::new();
        map.insert(REFERENCE.to_owned(), value);
        Ok(Value::Object(map))
    }
}

/// A key written as a Ruby symbol, `:script`, is the same as one without the colon.
fn without_symbol(key: String) -> String {
    match key.strip_prefix(':') {
        Some(name) if name.starts_with(|char: char| char.is_alphabetic() || char == '_') => {
            name.to_owned()
        }
        Some(_) | None => key,
    }
}

/// As Psych does it: merged entries win over those written before `<<`, and lose against those after it.
fn merge_key(map: &mut Map, value: Value) -> Result<(), String> {
    match value {
        Value::Object(other) => map.extend(other),
        Value::Array(list) => {
            for item in list.into_iter().rev() {
                merge_key(map, item)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err("expected a mapping or a list of mappings for merging".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content(text: &str) -> Value {
        Value::Object(parse(text).expect("valid YAML").content)
    }

    #[test]
    fn anchors_and_merge_keys_are_applied() {
        let tree =
            content(".a: &a\n  x: 1\n  y: 2\nb:\n  <<: *a\n  y: 3\nc:\n  <<: [*a, {x: 9, z: 4}]\n");
        assert_eq!(tree["b"], json!({"x": 1, "y": 3}));
        assert_eq!(tree["c"], json!({"x": 1, "z": 4, "y": 2}));
    }

    #[test]
    fn keys_may_be_written_as_symbols() {
        assert_eq!(
            content(":job:\n  :script: a\n"),
            json!({"job": {"script": "a"}})
        );
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(content("a: 1\na: 2\n"), json!({"a": 2}));
    }

    #[test]
    fn a_header_is_told_from_the_content() {
        let documents = parse("spec:\n  inputs:\n---\njob: 1\n").expect("valid YAML");
        assert!(documents.header.is_some());
        assert_eq!(Value::Object(documents.content), json!({"job": 1}));
        let documents = parse("---\njob: 1\n---\nother: 2\n").expect("valid YAML");
        assert!(documents.header.is_none());
        assert_eq!(Value::Object(documents.content), json!({"job": 1}));
    }

    #[test]
    fn reference_tags_are_kept_for_later() {
        assert_eq!(
            content("a: !reference [.b, script]\n"),
            json!({"a": {"!reference": [".b", "script"]}})
        );
    }

    #[test]
    fn syntax_errors_read_as_in_gitlab() {
        let error = parse("job:\n  script: [a\n").expect_err("invalid YAML");
        assert_eq!(
            error,
            "(<unknown>): did not find expected ',' or ']' while parsing a flow sequence at line 2 column 11"
        );
        assert_eq!(
            parse("just text").expect_err("not a mapping"),
            "Invalid configuration format"
        );
        assert_eq!(
            parse("d: 2024-01-31").expect_err("a date"),
            "Tried to load unspecified class: Date"
        );
    }

    #[test]
    fn size_and_depth_are_limited() {
        let large = format!("a: '{}'", "x".repeat(MAX_BYTES));
        assert_eq!(
            parse(&large).expect_err("too large"),
            "The provided YAML is too big"
        );
        let deep = format!("a: {}{}", "[".repeat(110), "]".repeat(110));
        assert_eq!(
            parse(&deep).expect_err("too deep"),
            "The parsed YAML is too big"
        );
    }
}
