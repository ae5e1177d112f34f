//! The table of routes: what a request may look like, who may make it and which function answers it.
//!
//! A route lists every parameter it understands, and by name those of GitLab's that it does not: `check_params` refuses
//! these loudly, because a silently ignored filter or setting would let a client pass here and fail on a real server. What
//! GitLab does not know either is ignored, as GitLab does, and named in the request log.

mod checking;
mod finding;

pub(crate) use self::finding::{Match, NoRoute, PathValues, find, unknown_route};
use crate::access::Role;
use crate::ctx::Ctx;
use crate::errors::ApiError;
use crate::message::Response;
pub(crate) use crate::param_spec::{
    Param, any, boolean, file, hash, hashes, integer, integers, list, one_of, string,
};

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
}
