//! What a handler is given: the caller, checked parameters, the project or group of the path, and the state.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value};

use crate::access::{self, Access, Role};
use crate::auth::Caller;
use crate::clock;
use crate::errors::ApiError;
use crate::message::Request;
use crate::pagination;
use crate::params::{Params, UploadedFile};
use crate::router::{Answer, Guard, PathValues};
use crate::shared::{Shared, StateGuard};
use crate::store::places::Place;

/// The surroundings of one request.
pub(crate) struct Ctx<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) request: &'a Request,
    pub(crate) caller: Caller,
    path: PathValues,
    params: Params,
    project: u64,
    group: u64,
}

impl<'a> Ctx<'a> {
    /// Checks the guard of a route, so that `project()` or `group()` is there for the handler.
    pub(crate) fn guarded(
        shared: &'a Shared,
        request: &'a Request,
        caller: Caller,
        path: PathValues,
        guard: Guard,
    ) -> Result<Self, ApiError> {
        let mut ctx = Self {
            shared,
            request,
            caller,
            path,
            params: Params::default(),
            project: 0,
            group: 0,
        };
        match guard {
            Guard::Open => {}
            Guard::User => {
                ctx.user()?;
            }
            Guard::Admin => {
                let user = ctx.user()?;
                let admin = ctx.state().users.get(user).is_some_and(|user| user.admin);
                if !admin {
                    return Err(ApiError::forbidden());
                }
            }
            Guard::ProjectReader => ctx.project = ctx.find_project(ctx.path("id"))?,
            Guard::SignedInReader => {
                ctx.user()?;
                ctx.project = ctx.find_project(ctx.path("id"))?;
            }
            Guard::Project(role) => {
                ctx.user()?;
                ctx.project = ctx.find_project(ctx.path("id"))?;
                ctx.require(role)?;
            }
            Guard::GroupReader => ctx.group = ctx.find_group(ctx.path("id"))?,
            Guard::Group(role) => {
                ctx.user()?;
                ctx.group = ctx.find_group(ctx.path("id"))?;
                let allowed =
                    access::in_group(&ctx.state(), ctx.caller.user(), ctx.group).at_least(role);
                if !allowed {
                    return Err(ApiError::forbidden());
                }
            }
        }
        Ok(ctx)
    }

    /// The same surroundings with the parameters, once these are checked.
    pub(crate) fn with_params(mut self, params: Params) -> Self {
        self.params = params;
        self
    }

    /// Locks the state; see `Shared::state` for what to avoid while holding it.
    pub(crate) fn state(&self) -> StateGuard<'a> {
        self.shared.state()
    }

    /// The emulator's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// `412` if the caller deletes only what has not changed since an instant, and it has.
    pub(crate) fn check_unmodified(&self, updated_at: Timestamp) -> Result<(), ApiError> {
        let since = self.request.header("if-unmodified-since");
        let since = since.and_then(|text| rfc2822::parse(text).ok());
        // The header knows seconds only.
        let changed =
            since.is_some_and(|since| updated_at.as_second() > since.timestamp().as_second());
        if changed {
            return Err(ApiError::message(412, "412 Precondition Failed"));
        }
        Ok(())
    }

    /// The address of the emulator, for `web_url` and the like.
    pub(crate) fn url(&self) -> &'a str {
        &self.shared.url
    }

    /// The acting user, or `401`.
    pub(crate) fn user(&self) -> Result<u64, ApiError> {
        self.caller.user().ok_or_else(ApiError::unauthorized)
    }

    /// The project of the path; only for routes whose guard looks one up.
    pub(crate) fn project(&self) -> u64 {
        self.project
    }

    /// The group of the path; only for routes whose guard looks one up.
    pub(crate) fn group(&self) -> u64 {
        self.group
    }

    /// The project or group of the path; the instance for a route that has neither.
    pub(crate) fn place(&self) -> Place {
        match (self.project, self.group) {
            (0, 0) => Place::Instance,
            (0, group) => Place::Group(group),
            (project, _) => Place::Project(project),
        }
    }

    /// The caller's access in the project of the path.
    pub(crate) fn access(&self) -> Access {
        access::in_project(&self.state(), self.caller.user(), self.project)
    }

    /// `403` unless the caller has this role in the project of the path.
    pub(crate) fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.access().at_least(role) {
            Ok(())
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// A project by number or full path that the caller may see, or `404`.
    pub(crate) fn find_project(&self, id_or_path: &str) -> Result<u64, ApiError> {
        let state = self.state();
        let missing = || ApiError::not_found("Project");
        let Some(project) = state.find_project(id_or_path) else {
            let moved = state.moved_project(id_or_path).filter(|project| {
                access::in_project(&state, self.caller.user(), project.id).can_read
            });
            return Err(moved.map_or_else(missing, |project| self.moved(project.id)));
        };
        if !access::in_project(&state, self.caller.user(), project.id).can_read {
            return Err(missing());
        }
        let Some(job) = self.caller.job() else {
            return Ok(project.id);
        };
        let home = job.project_id;
        if !state.admits_job_tokens_of(project, home) {
            let from = state
                .projects
                .get(home)
                .map(|home| home.path.clone())
                .unwrap_or_default();
            return Err(ApiError::forbidden_because(&format!(
                "Authentication by CI/CD job token not allowed from {from} to {}.",
                project.path
            )));
        }
        Ok(project.id)
    }

    /// `301` to the same request with the number of a project that is elsewhere now; only for reading.
    fn moved(&self, project: u64) -> ApiError {
        if self.request.method != "GET" {
            let text = "405 Non GET methods are not allowed for moved projects";
            return ApiError::message(405, text);
        }
        let mut parts: Vec<&str> = self.request.path.split('/').collect();
        let at = parts.iter().position(|part| *part == "projects");
        let number = project.to_string();
        if let Some(place) = at.and_then(|at| parts.get_mut(at + 1)) {
            *place = &number;
        }
        let query = match self.request.query.as_str() {
            "" => String::new(),
            query => format!("?{query}"),
        };
        ApiError::moved(format!("{}{}{query}", self.shared.url, parts.join("/")))
    }

    /// A group by number or full path that the caller may see, or `404`.
    pub(crate) fn find_group(&self, id_or_path: &str) -> Result<u64, ApiError> {
        let state = self.state();
        let group = state.find_group(id_or_path).map(|group| group.id);
        group
            .filter(|group| access::in_group(&state, self.caller.user(), *group).can_read)
            .ok_or_else(|| ApiError::not_found("Group"))
    }

    /// A placeholder of the path; empty if the pattern has none of that name.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path
            .iter()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// A numeric placeholder of the path, or `400`.
    pub(crate) fn path_number(&self, name: &str) -> Result<u64, ApiError> {
        self.path(name)
            .parse()
            .map_err(|_error| ApiError::error(400, format!("{name} is invalid")))
    }

    /// True if the parameter was sent, be it as null.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.params.values.contains_key(name)
    }

    /// All parameters, typed.
    pub(crate) fn values(&self) -> &Map<String, Value> {
        &self.params.values
    }

    /// A parameter with its JSON type; null counts as absent.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.params
            .values
            .get(name)
            .filter(|value| !value.is_null())
    }

    /// A text parameter.
    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// An integer parameter.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.value(name)?.as_i64()
    }

    /// A positive integer parameter, such as an id.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.as_u64()
    }

    /// A boolean parameter.
    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }

    /// A list parameter, whether sent as an array or with commas.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let items = self.value(name)?.as_array()?;
        Some(
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        )
    }

    /// An instant: ISO 8601, with or without a time of day; UTC unless it says otherwise.
    pub(crate) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.string(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let parsed = clock::parse(text);
        parsed
            .map(Some)
            .ok_or_else(|| ApiError::error(400, format!("{name} is invalid")))
    }

    /// A list of ids or numbers.
    pub(crate) fn list_of_numbers(&self, name: &str) -> Option<Vec<u64>> {
        let items = self.value(name)?.as_array()?;
        Some(items.iter().filter_map(Value::as_u64).collect())
    }

    /// One text entry of a hash parameter: `hash_string("filter", "environment_scope")`.
    pub(crate) fn hash_string(&self, name: &str, key: &str) -> Option<&str> {
        self.value(name)?.get(key)?.as_str()
    }

    /// An uploaded file.
    pub(crate) fn file(&self, name: &str) -> Option<&UploadedFile> {
        self.params.files.iter().find(|file| file.name == name)
    }

    /// One page by number of a list that is already in order; rendering happens only for the page.
    pub(crate) fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        render: impl Fn(T) -> Value,
    ) -> Answer {
        pagination::offset(self, items, render)
    }
}
