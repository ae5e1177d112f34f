//! `extends`: a job built on others.

use serde_json::Value;

use super::tree::{Map, deep_merge, inspected, mapping, text_of, wrap};

/// How many jobs may stand above one another.
const MAX_LEVELS: usize = 10;

/// Merges every job with the jobs it extends.
pub(super) fn resolve(config: &mut Map) -> Result<(), String> {
    let keys: Vec<String> = config.keys().cloned().collect();
    for key in keys {
        if mapping(&config[&key]).is_some_and(|job| job.contains_key("extends")) {
            extend(config, &key, &mut Vec::new())?;
        }
    }
    Ok(())
}

fn extend(config: &mut Map, key: &str, above: &mut Vec<String>) -> Result<Map, String> {
    let own = config
        .get(key)
        .and_then(mapping)
        .cloned()
        .unwrap_or_default();
    let Some(extends) = own.get("extends") else {
        return Ok(own);
    };
    let bases: Vec<String> = match extends {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| format!("[:{key}, {}]", inspected(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            wrap(extends).into_iter().map(text_of).collect()
        }
    };
    let complain = |reason: &str, keys: Vec<&str>| {
        Err(format!(
            "{key}: {reason} in `extends` ({})",
            keys.join(", ")
        ))
    };
    let unknown: Vec<&str> = bases
        .iter()
        .map(String::as_str)
        .filter(|base| !config.contains_key(*base))
        .collect();
    if !unknown.is_empty() {
        return complain("unknown keys", unknown);
    }
    let invalid: Vec<&str> = bases
        .iter()
        .map(String::as_str)
        .filter(|base| config.get(*base).and_then(mapping).is_none())
        .collect();
    if !invalid.is_empty() {
        return complain("invalid base hashes", invalid);
    }
    if above.len() > MAX_LEVELS {
        return Err(format!("{key}: nesting too deep in `extends`"));
    }
    if above.iter().any(|before| before == key) {
        return Err(format!("{key}: circular dependency detected in `extends`"));
    }
    above.push(key.to_owned());
    let mut merged = Map::new();
    for base in &bases {
        deep_merge(&mut merged, &extend(config, base, above)?);
    }
    above.pop();
    deep_merge(&mut merged, &own);
    config.insert(key.to_owned(), Value::Object(merged.clone()));
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(value: Value) -> Result<Value, String> {
        let mut config = mapping(&value).expect("a mapping").clone();
        resolve(&mut config).map(|()| Value::Object(config))
    }

    #[test]
    fn later_bases_win_and_the_job_itself_wins_over_all() {
        let config = resolved(json!({
            ".a": {"script": ["a"], "variables": {"X": "a", "Y": "a"}},
            ".b": {"extends": ".a", "variables": {"Y": "b"}},
            ".c": {"variables": {"Y": "c", "Z": "c"}},
            "job": {"extends": [".b", ".c"], "variables": {"Z": "job"}},
        }))
        .expect("valid");
        assert_eq!(config["job"]["script"], json!(["a"]));
        assert_eq!(
            config["job"]["variables"],
            json!({"X": "a", "Y": "c", "Z": "job"})
        );
    }

    #[test]
    fn faults_are_named() {
        let fault = |value| resolved(value).expect_err("invalid");
        assert_eq!(
            fault(json!({"job": {"extends": [".a", ".b"]}})),
            "job: unknown keys in `extends` (.a, .b)"
        );
        assert_eq!(
            fault(json!({".a": 1, "job": {"extends": ".a"}})),
            "job: invalid base hashes in `extends` (.a)"
        );
        assert_eq!(
            fault(json!({"a": {"extends": "b"}, "b": {"extends": "a"}})),
            "a: circular dependency detected in `extends`"
        );
    }

    #[test]
    fn eleven_levels_are_allowed() {
        let chain = |levels: usize| {
            let mut config = Map::new();
            for level in 0..levels {
                config.insert(
                    format!("j{level}"),
                    json!({"extends": format!("j{}", level + 1)}),
                );
            }
            config.insert(format!("j{levels}"), json!({"script": "x"}));
            resolved(Value::Object(config))
        };
        assert!(chain(11).is_ok());
        assert_eq!(
            chain(12),
            Err("j11: nesting too deep in `extends`".to_owned())
        );
    }
}
