//! Taking fields out of an answer that a server of an older version does not show.

use serde_json::Value;

use super::Version;
use super::since::missing_fields;
use crate::message::Response;

/// The answer without fields that are newer than the server.
pub(crate) fn without_newer(version: Version, mut response: Response) -> Response {
    let missing = missing_fields(version);
    if missing.is_empty() || response.content_type() != Some("application/json") {
        return response;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&response.body) else {
        return response;
    };
    if prune(&mut body, &missing) {
        response.body = body.to_string().into();
    }
    response
}

fn prune(value: &mut Value, missing: &[(&str, &str)]) -> bool {
    match value {
        Value::Array(items) => {
            let mut changed = false;
            for item in items {
                changed |= prune(item, missing);
            }
            changed
        }
        Value::Object(map) => {
            let mut changed = false;
            for (name, beside) in missing {
                changed |= map.contains_key(*beside) && map.remove(*name).is_some();
            }
            for inner in map.values_mut() {
                changed |= prune(inner, missing);
            }
            changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_newer_field_goes_at_any_depth_but_only_beside_its_neighbour() {
        let body = json!([{ "hidden": false, "variable_type": "file", "nested": { "hidden": 1 } }]);
        let old = without_newer("17.3".parse().unwrap(), Response::ok(&body));
        assert_eq!(
            serde_json::from_slice::<Value>(&old.body).unwrap(),
            json!([{ "variable_type": "file", "nested": { "hidden": 1 } }])
        );
        let new = without_newer(Version::default(), Response::ok(&body));
        assert_eq!(serde_json::from_slice::<Value>(&new.body).unwrap(), body);
    }
}
