//! The parsed configuration as a plain tree: questions about its values, and the merge that GitLab uses everywhere.

use serde_json::Value;

/// A mapping of the configuration in written order.
pub(super) type Map = serde_json::Map<String, Value>;

/// The key under which a `!reference` tag travels until it is resolved.
pub(super) const REFERENCE: &str = "!reference";

/// The mapping, unless the value is something else or an unresolved `!reference`.
pub(super) fn mapping(value: &Value) -> Option<&Map> {
    value.as_object().filter(|map| !is_reference(map))
}

/// Whether this mapping is the stand-in of a `!reference` tag.
pub(super) fn is_reference(map: &Map) -> bool {
    map.len() == 1 && map.contains_key(REFERENCE)
}

/// The value of a key; absent and null are the same to GitLab.
pub(super) fn get<'a>(map: &'a Map, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// The text GitLab shows or stores for a value, as Ruby writes it.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => inspected(value),
    }
}

/// The text of a list's item when Ruby joins the list.
pub(super) fn joined(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().map(joined).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            text_of(value)
        }
    }
}

/// A value as Ruby's `inspect` writes it.
pub(super) fn inspected(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Array(list) => {
            format!(
                "[{}]",
                list.iter().map(inspected).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| {
                let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let key = if plain {
                    key.clone()
                } else {
                    format!("{key:?}")
                };
                format!(":{key}=>{}", inspected(value))
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Null, false, empty or white space.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// A list, or the one value that stands for a list of one.
pub(super) fn wrap(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
    }
}

/// The strings of a list, or the one string; anything else is left out.
pub(super) fn strings(value: &Value) -> Vec<String> {
    wrap(value)
        .into_iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The items of a list that GitLab reads one by one: nested lists are opened, nulls left out.
pub(super) fn items(value: &Value) -> Vec<&Value> {
    let mut flat = Vec::new();
    flatten(value, &mut flat);
    flat.retain(|item| !item.is_null());
    flat
}

/// The elements of arbitrarily nested lists in reading order.
pub(super) fn flatten<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| flatten(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            into.push(value)
        }
    }
}

/// Merges `over` into `base`: mappings key by key, everything else (lists too) is replaced.
pub(super) fn deep_merge(base: &mut Map, over: &Map) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above))
                if !is_reference(below) && !is_reference(above) =>
            {
                deep_merge(below, above);
            }
            (Some(slot), _) => *slot = value.clone(),
            (None, _) => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merging_joins_mappings_and_replaces_lists() {
        let mut base =
            json!({"job": {"script": ["a", "b"], "variables": {"A": "1"}}, "stages": ["x"]});
        let over = json!({"job": {"script": ["c"], "variables": {"B": "2"}}, "other": 1});
        deep_merge(
            base.as_object_mut().expect("a mapping"),
            over.as_object().expect("a mapping"),
        );
        assert_eq!(
            base,
            json!({"job": {"script": ["c"], "variables": {"A": "1", "B": "2"}}, "stages": ["x"], "other": 1})
        );
    }

    #[test]
    fn a_reference_is_replaced_and_not_merged() {
        let mut base = json!({"variables": {"!reference": [".a", "variables"]}});
        let over = json!({"variables": {"B": "2"}});
        deep_merge(
            base.as_object_mut().expect("a mapping"),
            over.as_object().expect("a mapping"),
        );
        assert_eq!(base, json!({"variables": {"B": "2"}}));
    }
}
