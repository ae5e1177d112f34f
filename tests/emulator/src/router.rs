//! The table of routes: what a request may look like, who may make it and which function answers it.
//!
//! A route lists every parameter it understands. `check_params` refuses the others loudly, because a silently ignored
//! parameter would let a client pass here and fail on a real server.

use serde_json::{Value, json};

use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
use crate::params::Params;

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
    /// A signed in user with this role in the project `:id`.
    Project(Role),
    /// Whoever may see the group `:id`.
    GroupReader,
    /// A signed in user with this role in the group `:id`.
    Group(Role),
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    String,
    Integer,
    Float,
    Boolean,
    /// Array of strings, or one string with commas.
    List,
    /// Array of integers, or one string with commas.
    Integers,
    OneOf(&'static [&'static str]),
    /// A hash; an empty list of keys means any key.
    Hash(&'static [&'static str]),
    /// An array of hashes with these keys.
    Hashes(&'static [&'static str]),
    File,
    /// Left as sent.
    Any,
}

/// One parameter of a route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

impl Param {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false }
    }

    /// The same parameter, obligatory.
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

pub(crate) const fn string(name: &'static str) -> Param {
    Param::new(name, Kind::String)
}
pub(crate) const fn integer(name: &'static str) -> Param {
    Param::new(name, Kind::Integer)
}
pub(crate) const fn boolean(name: &'static str) -> Param {
    Param::new(name, Kind::Boolean)
}
pub(crate) const fn list(name: &'static str) -> Param {
    Param::new(name, Kind::List)
}
pub(crate) const fn integers(name: &'static str) -> Param {
    Param::new(name, Kind::Integers)
}
pub(crate) const fn one_of(name: &'static str, values: &'static [&'static str]) -> Param {
    Param::new(name, Kind::OneOf(values))
}
pub(crate) const fn hash(name: &'static str, keys: &'static [&'static str]) -> Param {
    Param::new(name, Kind::Hash(keys))
}

const PAGE: &[Param] = &[integer("page"), integer("per_page")];
const KEYSET: &[Param] = &[one_of("pagination", &["keyset", "legacy", "none"]), string("cursor")];
/// Ways to authenticate, read by `auth` and allowed everywhere.
const UNIVERSAL: &[&str] = &["private_token", "access_token", "job_token"];

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
    params: [&'static [Param]; 4],
}

const fn route(method: &'static str, pattern: &'static str, guard: Guard, handler: Handler) -> Route {
    Route { method, pattern, handler, guard, job_token: false, any_scope: false, raw_body: false, params: [&[], &[], &[], &[]] }
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

    fn all_params(&self) -> impl Iterator<Item = &'static Param> {
        self.params.into_iter().flatten()
    }

    /// Types, requirements and allowed values; afterwards each value has its JSON type.
    pub(crate) fn check_params(&self, params: &mut Params) -> Result<(), ApiError> {
        for name in params.values.keys() {
            let known = self.all_params().find(|param| param.name == name.as_str());
            match known {
                Some(Param { kind: Kind::Hash(keys), .. }) if !keys.is_empty() => {
                    let inner = params.values[name].as_object();
                    if let Some(odd) = inner.and_then(|object| object.keys().find(|key| !keys.contains(&key.as_str()))) {
                        return Err(self.not_implemented(&format!("{name}[{odd}]")));
                    }
                }
                Some(_) => {}
                None if UNIVERSAL.contains(&name.as_str()) => {}
                None => return Err(self.not_implemented(name)),
            }
        }
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
        if problems.is_empty() { Ok(()) } else { Err(ApiError::error(400, problems.join(", "))) }
    }

    fn not_implemented(&self, name: &str) -> ApiError {
        let text = format!("parameter `{name}` of `{} {}` is not implemented", self.method, self.pattern);
        ApiError::error(501, format!("sandbox: {text}")).unknown(text)
    }
}

fn coerced(kind: Kind, value: &Value) -> Option<Value> {
    match kind {
        Kind::String => text_of(value).map(Value::String),
        Kind::Integer => integer_of(value).map(Value::from),
        Kind::Float => value.as_f64().or_else(|| value.as_str()?.parse().ok()).map(Value::from),
        Kind::Boolean => boolean_of(value).map(Value::from),
        Kind::List => texts_of(value).map(Value::from),
        Kind::Integers => {
            let texts = texts_of(value)?;
            texts.iter().map(|text| text.parse::<i64>().ok()).collect::<Option<Vec<_>>>().map(Value::from)
        }
        Kind::OneOf(allowed) => text_of(value).filter(|text| allowed.contains(&text.as_str())).map(Value::String),
        Kind::Hash(_) => value.is_object().then(|| value.clone()),
        Kind::Hashes(keys) => {
            let known = |item: &Value| item.as_object().is_some_and(|item| item.keys().all(|key| keys.contains(&key.as_str())));
            value.as_array()?.iter().all(known).then(|| value.clone())
        }
        Kind::File | Kind::Any => Some(value.clone()),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn integer_of(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn boolean_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            Some(_) | None => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
            "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn texts_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(text_of).collect(),
        Value::String(text) => Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()),
        Value::Number(_) => text_of(value).map(|text| vec![text]),
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

/// A route that fits a path, with the values of its placeholders.
pub(crate) struct Match {
    pub(crate) route: &'static Route,
    pub(crate) path: Vec<(&'static str, String)>,
}

/// Why no route was found.
#[derive(Debug)]
pub(crate) enum NoRoute {
    Path,
    Method,
}

/// The best route for a path: literal segments win over placeholders, from left to right.
pub(crate) fn find(table: &[&'static [Route]], method: &str, segments: &[String]) -> Result<Match, NoRoute> {
    let mut best: Option<(Vec<u8>, Match)> = None;
    let mut other_method = false;
    for route in table.iter().copied().flatten() {
        let Some((rank, path)) = fits(route.pattern, segments) else { continue };
        if route.method != method {
            other_method = true;
        } else if best.as_ref().is_none_or(|(best_rank, _)| rank > *best_rank) {
            best = Some((rank, Match { route, path }));
        }
    }
    match best {
        Some((_, found)) => Ok(found),
        None if other_method => Err(NoRoute::Method),
        None => Err(NoRoute::Path),
    }
}

fn fits(pattern: &'static str, segments: &[String]) -> Option<(Vec<u8>, Vec<(&'static str, String)>)> {
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
        NoRoute::Method => ApiError::body(405, json!({ "error": "405 Not Allowed" })).unknown(what),
    }
}
