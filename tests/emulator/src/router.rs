//! The table of routes: what a request may look like, who may make it and which function answers it.
//!
//! A route lists every parameter it understands, and by name those of GitLab's that it does not: `check_params` refuses
//! these loudly, because a silently ignored filter or setting would let a client pass here and fail on a real server. What
//! GitLab does not know either is ignored, as GitLab does, and named in the request log.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::param_spec::{Kind, coerced};
pub(crate) use crate::param_spec::{
    Param, any, boolean, file, hash, hashes, integer, integers, list, one_of, string,
};
use crate::params::Params;
use crate::versions::{self, Version};

/// What a handler returns.
pub(crate) type Answer = Result<Response, ApiError>;

/// A function that answers a request.
pub(crate) type Handler = fn(&Ctx<'_>) -> Answer;

/// Who may call a route; checked before the parameters, as GitLab does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guard {
    /// Anybody, signed in or not; the handler decides.
    Open,
    /// Any signed in user.
    User,
    /// An administrator.
    Admin,
    /// Whoever may see the project `:id`; anonymous callers see public ones.
    ProjectReader,
    /// A signed in user who may see the project `:id`.
    SignedInReader,
    /// A signed in user with this role in the project `:id`.
    Project(Role),
    /// Whoever may see the group `:id`.
    GroupReader,
    /// A signed in user with this role in the group `:id`.
    Group(Role),
}

const PAGE: &[Param] = &[integer("page"), integer("per_page")];
const KEYSET: &[Param] = &[
    one_of("pagination", &["keyset", "legacy", "none"]),
    string("cursor"),
];
/// Ways to authenticate, read by `auth` and allowed everywhere.
const UNIVERSAL: &[&str] = &["private_token", "access_token", "job_token", "sudo"];

/// One line of the table.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) handler: Handler,
    pub(crate) guard: Guard,
    pub(crate) job_token: bool,
    pub(crate) any_scope: bool,
    pub(crate) raw_body: bool,
    /// Takes whatever parameters are sent, unchecked.
    any_parameter: bool,
    /// Parameters of GitLab's that the emulator lacks: `501`.
    refused: &'static [&'static str],
    params: [&'static [Param]; 5],
}

const fn route(
    method: &'static str,
    pattern: &'static str,
    guard: Guard,
    handler: Handler,
) -> Route {
    Route {
        method,
        pattern,
        handler,
        guard,
        job_token: false,
        any_scope: false,
        raw_body: false,
        any_parameter: false,
        refused: &[],
        params: [&[], &[], &[], &[], &[]],
    }
}
pub(crate) const fn get(pattern: &'static str, guard: Guard, handler: Handler) -> Route {
    route("GET", pattern, guard, handler)
}
pub(crate) const fn post(pattern: &'static str, guard: Guard, handler: Handler) -> Route {
    route("POST", pattern, guard, handler)
}
pub(crate) const fn put(pattern: &'static str, guard: Guard, handler: Handler) -> Route {
    route("PUT", pattern, guard, handler)
}
pub(crate) const fn patch(pattern: &'static str, guard: Guard, handler: Handler) -> Route {
    route("PATCH", pattern, guard, handler)
}
pub(crate) const fn delete(pattern: &'static str, guard: Guard, handler: Handler) -> Route {
    route("DELETE", pattern, guard, handler)
}

impl Route {
    /// The parameters the route understands.
    pub(crate) const fn params(mut self, params: &'static [Param]) -> Self {
        self.params[0] = params;
        self
    }

    /// A second list, for parameters that several routes share.
    pub(crate) const fn also(mut self, params: &'static [Param]) -> Self {
        self.params[1] = params;
        self
    }

    /// A third list.
    pub(crate) const fn and(mut self, params: &'static [Param]) -> Self {
        self.params[4] = params;
        self
    }

    /// Understands `page` and `per_page`.
    pub(crate) const fn paginated(mut self) -> Self {
        self.params[2] = PAGE;
        self
    }

    /// Understands `page`, `per_page` and keyset pagination.
    pub(crate) const fn keyset(mut self) -> Self {
        self.params[3] = KEYSET;
        self.paginated()
    }

    /// Accepts job tokens.
    pub(crate) const fn job_token(mut self) -> Self {
        self.job_token = true;
        self
    }

    /// Accepts a token of any scope.
    pub(crate) const fn any_scope(mut self) -> Self {
        self.any_scope = true;
        self
    }

    /// Takes the body as it is: an upload.
    pub(crate) const fn raw_body(mut self) -> Self {
        self.raw_body = true;
        self
    }

    /// Takes every parameter, because their names depend on the path.
    pub(crate) const fn any_parameter(mut self) -> Self {
        self.any_parameter = true;
        self
    }

    /// Names parameters that GitLab has and the emulator does not.
    pub(crate) const fn refuses(mut self, names: &'static [&'static str]) -> Self {
        self.refused = names;
        self
    }

    /// May it give projects another path?
    pub(crate) fn may_move_projects(&self) -> bool {
        let pattern = self.pattern;
        match self.method {
            "PUT" => {
                pattern == "projects/:id"
                    || pattern == "groups/:id"
                    || pattern.ends_with("/transfer")
            }
            "POST" => {
                pattern.ends_with("/transfer") || pattern == "groups/:id/projects/:project_id"
            }
            _ => false,
        }
    }

    /// The names of the parameters it understands.
    pub(crate) fn understood(&self) -> Vec<&'static str> {
        self.all_params().map(|param| param.name).collect()
    }

    /// The names of GitLab's parameters that it refuses.
    pub(crate) fn refused(&self) -> &'static [&'static str] {
        self.refused
    }

    fn all_params(&self) -> impl Iterator<Item = &'static Param> {
        self.params.into_iter().flatten()
    }

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

/// The placeholders of a pattern with what the path has in their places.
pub(crate) type PathValues = Vec<(&'static str, String)>;

/// A route that fits a path, with the values of its placeholders.
pub(crate) struct Match {
    pub(crate) route: &'static Route,
    pub(crate) path: PathValues,
}

/// Why no route was found.
#[derive(Debug)]
pub(crate) enum NoRoute {
    Path,
    Method,
    /// Servers of a later version have it.
    Newer,
}

/// The best route for a path: literal segments win over placeholders, from left to right.
pub(crate) fn find(
    table: &[&'static [Route]],
    version: Version,
    method: &str,
    segments: &[String],
) -> Result<Match, NoRoute> {
    let mut best: Option<(Vec<u8>, Match)> = None;
    let (mut other_method, mut newer) = (false, false);
    for route in table.iter().copied().flatten() {
        let Some((rank, path)) = fits(route.pattern, segments) else {
            continue;
        };
        if !versions::has_route(version, route.method, route.pattern) {
            newer = true;
            continue;
        }
        if route.method != method {
            other_method = true;
        } else if best.as_ref().is_none_or(|(best_rank, _)| rank > *best_rank) {
            best = Some((rank, Match { route, path }));
        }
    }
    match best {
        Some((_, found)) => Ok(found),
        None if newer => Err(NoRoute::Newer),
        None if other_method => Err(NoRoute::Method),
        None => Err(NoRoute::Path),
    }
}

fn fits(pattern: &'static str, segments: &[String]) -> Option<(Vec<u8>, PathValues)> {
    let (mut rank, mut values, mut rest) = (Vec::new(), Vec::new(), segments);
    for part in pattern.split('/') {
        if let Some(name) = part.strip_prefix('*') {
            (!rest.is_empty()).then(|| values.push((name, rest.join("/"))))?;
            rank.push(0);
            return Some((rank, values));
        }
        let (segment, others) = rest.split_first()?;
        match part.strip_prefix(':') {
            Some(name) => {
                values.push((name, segment.clone()));
                rank.push(1);
            }
            None if part == segment => rank.push(2),
            None => return None,
        }
        rest = others;
    }
    rest.is_empty().then_some((rank, values))
}

/// The answer to a path or method that is not in the table.
pub(crate) fn unknown_route(reason: &NoRoute, method: &str, path: &str) -> ApiError {
    let what = format!("unknown route `{method} {path}`");
    match reason {
        NoRoute::Path => ApiError::body(404, json!({ "error": "404 Not Found" })).unknown(what),
        NoRoute::Newer => ApiError::body(404, json!({ "error": "404 Not Found" })),
        NoRoute::Method => ApiError::body(405, json!({ "error": "405 Not Allowed" })).unknown(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &Ctx<'_>) -> Answer {
        Ok(Response::no_content())
    }

    static TABLE: &[Route] = &[
        get("jobs/:id", Guard::Open, nothing),
        get("jobs/artifacts", Guard::Open, nothing),
        get("files/:ref/*path", Guard::Open, nothing),
        post("jobs/:id/play", Guard::Open, nothing)
            .params(&[
                string("name").required(),
                integer("age"),
                list("labels"),
                hash("inputs", &[]),
            ])
            .refuses(&["colour"]),
    ];

    fn found(method: &str, path: &[&str]) -> Result<Match, NoRoute> {
        find(
            &[TABLE],
            Version::default(),
            method,
            &path
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn literal_segments_win_and_stars_take_the_rest() {
        assert_eq!(
            found("GET", &["jobs", "artifacts"])
                .ok()
                .unwrap()
                .route
                .pattern,
            "jobs/artifacts"
        );
        assert_eq!(
            found("GET", &["jobs", "7"]).ok().unwrap().path,
            [("id", "7".to_owned())]
        );
        let file = found("GET", &["files", "main", "a", "b.txt"]).ok().unwrap();
        assert_eq!(
            file.path,
            [("ref", "main".to_owned()), ("path", "a/b.txt".to_owned())]
        );
        assert!(matches!(
            found("GET", &["jobs", "7", "play"]),
            Err(NoRoute::Method)
        ));
        assert!(matches!(found("GET", &["jobs"]), Err(NoRoute::Path)));
    }

    #[test]
    fn a_parameter_that_repeats_a_placeholder_is_left_out() {
        let route = found("POST", &["jobs", "7", "play"]).ok().unwrap().route;
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
        let route = found("POST", &["jobs", "7", "play"]).ok().unwrap().route;
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
        let route = found("POST", &["jobs", "7", "play"]).ok().unwrap().route;
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
