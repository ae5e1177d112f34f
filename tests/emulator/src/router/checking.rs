//! The parameters of a request against those its route lists: what is refused, what is dropped, and the types of the rest.

use serde_json::Value;

use super::{Param, Route, UNIVERSAL};
use crate::errors::ApiError;
use crate::param_spec::{Kind, coerced};
use crate::params::Params;
use crate::versions::{self, Version};

impl Route {
    /// Types, requirements and allowed values; afterwards each value has its JSON type. Gives back the names that nobody
    /// knows, which are dropped.
    pub(crate) fn check_params(
        &self,
        version: Version,
        params: &mut Params,
    ) -> Result<Vec<String>, ApiError> {
        // Clients repeat in the body what the path says already; the path counts.
        params.values.retain(|name, _| {
            !self
                .pattern
                .split('/')
                .any(|part| part.strip_prefix([':', '*']) == Some(name.as_str()))
        });
        let mut unheard = Vec::new();
        for name in params.values.keys() {
            if !versions::has_parameter(version, self.pattern, name) {
                unheard.push(name.clone());
                continue;
            }
            let known = self.all_params().find(|param| param.name == name.as_str());
            match known {
                Some(Param {
                    kind: Kind::Hash(keys),
                    ..
                }) if !keys.is_empty() => {
                    let inner = params.values[name].as_object();
                    if let Some(odd) = inner
                        .and_then(|object| object.keys().find(|key| !keys.contains(&key.as_str())))
                    {
                        return Err(self.not_implemented(&format!("{name}[{odd}]")));
                    }
                }
                Some(_) => {}
                None if UNIVERSAL.contains(&name.as_str()) => {}
                None if self.refused.contains(&name.as_str()) => {
                    return Err(self.not_implemented(name));
                }
                None if self.any_parameter => {}
                None => unheard.push(name.clone()),
            }
        }
        params.values.retain(|name, _| !unheard.contains(name));
        let mut problems = Vec::new();
        for param in self.all_params() {
            match params.values.get_mut(param.name) {
                None if param.required => problems.push(format!("{} is missing", param.name)),
                None | Some(Value::Null) => {}
                Some(value) => match coerced(param.kind, value) {
                    Some(typed) => *value = typed,
                    None if matches!(param.kind, Kind::OneOf(_)) => {
                        problems.push(format!("{} does not have a valid value", param.name));
                    }
                    None => problems.push(format!("{} is invalid", param.name)),
                },
            }
        }
        if problems.is_empty() {
            self.check_offset(params)?;
            Ok(unheard)
        } else {
            Err(ApiError::error(400, problems.join(", ")))
        }
    }

    /// Where keyset pagination is to be had, pages by number end at a limit.
    fn check_offset(&self, params: &Params) -> Result<(), ApiError> {
        const MAX_OFFSET: i64 = 50_000;
        let number = |name: &str, default: i64| {
            let given = params.values.get(name).and_then(Value::as_i64);
            given.unwrap_or(default)
        };
        let keyset = params.values.get("pagination").and_then(Value::as_str) == Some("keyset");
        let reach = number("page", 1).saturating_mul(number("per_page", 20).min(100));
        if self.params[3].is_empty() || keyset || reach <= MAX_OFFSET {
            return Ok(());
        }
        let kind = match self.pattern.rsplit('/').next() {
            Some("projects") => "Project",
            Some("groups") => "Group",
            Some("users") => "User",
            Some("jobs") => "Ci::Build",
            Some(_) | None => "ActiveRecord",
        };
        let text = format!(
            "Offset pagination has a maximum allowed offset of {MAX_OFFSET} for requests that return objects of type \
             {kind}. Remaining records can be retrieved using keyset pagination."
        );
        Err(ApiError::error(405, text))
    }

    fn not_implemented(&self, name: &str) -> ApiError {
        let text = format!(
            "parameter `{name}` of `{} {}` is not implemented",
            self.method, self.pattern
        );
        ApiError::error(501, format!("sandbox: {text}")).unknown(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Answer, Guard, hash, integer, list, post, string};
    use super::*;
    use crate::ctx::Ctx;
    use crate::message::Response;

    fn nothing(_: &Ctx<'_>) -> Answer {
        Ok(Response::no_content())
    }

    static PLAY: Route = post("jobs/:id/play", Guard::Open, nothing)
        .params(&[
            string("name").required(),
            integer("age"),
            list("labels"),
            hash("inputs", &[]),
        ])
        .refuses(&["colour"]);

    #[test]
    fn a_parameter_that_repeats_a_placeholder_is_left_out() {
        let route = &PLAY;
        let mut repeated = Params::default();
        repeated.put("name", json!("n"));
        repeated.put("id", json!("8"));
        route
            .check_params(Version::default(), &mut repeated)
            .unwrap();
        assert_eq!(Value::Object(repeated.values), json!({ "name": "n" }));
    }

    #[test]
    fn what_gitlab_does_not_know_is_dropped_and_what_only_we_lack_is_refused() {
        let route = &PLAY;
        let mut odd = Params::default();
        odd.put("name", json!("n"));
        odd.put("nmae", json!("n"));
        assert_eq!(
            route.check_params(Version::default(), &mut odd).unwrap(),
            ["nmae"]
        );
        assert_eq!(Value::Object(odd.values), json!({ "name": "n" }));
        let mut lacking = Params::default();
        lacking.put("name", json!("n"));
        lacking.put("colour", json!("red"));
        let refusal = route
            .check_params(Version::default(), &mut lacking)
            .unwrap_err();
        assert_eq!(refusal.status, 501);
        assert!(refusal.unknown.unwrap().contains("`colour`"));
    }

    #[test]
    fn parameters_get_their_types_or_name_every_problem() {
        let route = &PLAY;
        let mut good = Params::default();
        for (name, value) in [
            ("name", "n"),
            ("age", "7"),
            ("labels", "a, b"),
            ("inputs[x]", "1"),
        ] {
            good.put(name, json!(value));
        }
        route.check_params(Version::default(), &mut good).unwrap();
        assert_eq!(
            Value::Object(good.values),
            json!({ "name": "n", "age": 7, "labels": ["a", "b"], "inputs": { "x": "1" } })
        );
        let mut bad = Params::default();
        bad.put("age", json!("old"));
        let error = route
            .check_params(Version::default(), &mut bad)
            .unwrap_err();
        assert_eq!(
            error.body,
            json!({ "error": "name is missing, age is invalid" })
        );
    }
}
