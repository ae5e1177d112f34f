//! `!reference` tags, resolved once everything is merged.

use serde_json::Value;

use super::tree::{Map, REFERENCE, is_reference};

/// Replaces every reference by what it points at.
pub(super) fn resolve(config: &Map) -> Result<Map, String> {
    config
        .iter()
        .map(|(key, value)| Ok((key.clone(), deep(config, value, &mut Vec::new())?)))
        .collect()
}

fn deep(config: &Map, value: &Value, path: &mut Vec<String>) -> Result<Value, String> {
    match value {
        Value::Object(map) if is_reference(map) => follow(config, &map[REFERENCE], path),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| Ok((key.clone(), deep(config, value, path)?)));
            entries.collect::<Result<Map, String>>().map(Value::Object)
        }
        Value::Array(list) => list
            .iter()
            .map(|item| deep(config, item, path))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
    }
}

fn follow(config: &Map, target: &Value, path: &mut Vec<String>) -> Result<Value, String> {
    let shown = shown(target);
    let keys: Option<Vec<&str>> = target
        .as_array()
        .filter(|keys| !keys.is_empty())
        .and_then(|keys| keys.iter().map(Value::as_str).collect());
    let Some(keys) = keys else {
        return Err(format!("!reference {shown} is not valid"));
    };
    if path.contains(&shown) {
        return Err(format!("!reference {shown} is part of a circular chain"));
    }
    let missing = || format!("!reference {shown} could not be found");
    path.push(shown.clone());
    let mut found = config.get(keys[0]).ok_or_else(missing)?;
    for key in &keys[1..] {
        // GitLab does not look through another reference on the way.
        found = found.get(*key).ok_or_else(missing)?;
    }
    let value = deep(config, found, path)?;
    path.pop();
    if matches!(value, Value::Null | Value::Bool(false)) {
        Err(missing())
    } else {
        Ok(value)
    }
}

/// The target as Ruby prints it.
fn shown(target: &Value) -> String {
    match target {
        Value::Array(keys) => format!(
            "[{}]",
            keys.iter().map(shown).collect::<Vec<_>>().join(", ")
        ),
        Value::Null => "nil".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            target.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(value: Value) -> Result<Value, String> {
        resolve(value.as_object().expect("a mapping")).map(Value::Object)
    }

    #[test]
    fn references_are_followed_through_references() {
        let config = resolved(json!({
            ".one": {"script": ["a", "b"]},
            ".two": {"script": [{"!reference": [".one", "script"]}, "c"]},
            "job": {"script": [{"!reference": [".two", "script"]}], "variables": {"X": {"!reference": [".three", "x"]}}},
            ".three": {"x": "1"},
        }))
        .expect("valid");
        assert_eq!(
            config["job"],
            json!({"script": [[["a", "b"], "c"]], "variables": {"X": "1"}})
        );
    }

    #[test]
    fn faults_are_named() {
        let fault = |value| resolved(value).expect_err("invalid");
        assert_eq!(
            fault(json!({"a": {"!reference": [".x", "script"]}})),
            "!reference [\".x\", \"script\"] could not be found"
        );
        assert_eq!(
            fault(json!({"a": {"!reference": ["b"]}, "b": {"!reference": ["a"]}})),
            "!reference [\"b\"] is part of a circular chain"
        );
        assert_eq!(
            fault(json!({"a": {"!reference": "x"}})),
            "!reference \"x\" is not valid"
        );
    }
}
