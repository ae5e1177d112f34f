//! Git over smart HTTP: `git upload-pack` and `git receive-pack` in stateless mode behind GitLab's access rules.
//!
//! A push is judged before git runs: what may not happen reaches git's own pre-receive hook as a refusal, so that clients see
//! git's usual report. Whether a push is forced can only be told once its objects are there, so the hook tests that itself.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use flate2::read::GzDecoder;

use crate::access::{self, Role};
use crate::auth::Caller;
use crate::errors::ApiError;
use crate::git;
use crate::message::{Request, Response};
use crate::pkt_line::{parse_commands, parse_update, with_message};
use crate::push::{self, NO_PIPELINE, Push, RefUpdate};
use crate::push_messages;
use crate::push_options;
use crate::push_to_create;
use crate::router::Answer;
use crate::shared::Shared;

/// The names of git's requests in the log and in fault rules.
pub(crate) const ROUTES: [&str; 4] = [
    "git info/refs upload-pack",
    "git upload-pack",
    "git info/refs receive-pack",
    "git receive-pack",
];

/// Refs that only the server writes.
const HIDDEN_REFS: [&str; 4] = [
    "refs/merge-requests",
    "refs/pipelines",
    "refs/keep-around",
    "refs/environments",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack]
            .into_iter()
            .find(|service| service.name() == text)
    }
}

/// A request of the git program.
#[derive(Debug)]
pub(crate) struct GitRequest {
    project_path: String,
    service: Service,
    advertisement: bool,
}

impl GitRequest {
    /// Recognises `/<group>/<project>.git/info/refs`, `.../git-upload-pack` and `.../git-receive-pack`.
    pub(crate) fn parse(request: &Request) -> Option<Self> {
        let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
        let (path, service, advertisement) = match segments.as_slice() {
            [path @ .., "info", "refs"] if request.method == "GET" => {
                let pairs = request.query_pairs();
                let (_, name) = pairs.iter().find(|(name, _)| name == "service")?;
                (path, Service::parse(name)?, true)
            }
            [path @ .., name] if request.method == "POST" => (path, Service::parse(name)?, false),
            _ => return None,
        };
        let joined = path.join("/");
        let project_path = joined.strip_suffix(".git").unwrap_or(&joined).to_owned();
        (!project_path.is_empty()).then_some(Self {
            project_path,
            service,
            advertisement,
        })
    }

    /// The name of the request in the log.
    pub(crate) fn route(&self) -> &'static str {
        match (self.service, self.advertisement) {
            (Service::UploadPack, true) => ROUTES[0],
            (Service::UploadPack, false) => ROUTES[1],
            (Service::ReceivePack, true) => ROUTES[2],
            (Service::ReceivePack, false) => ROUTES[3],
        }
    }
}

/// Serves a git request.
pub(crate) fn serve(
    shared: &Shared,
    request: &Request,
    git: &GitRequest,
    caller: Result<Caller, ApiError>,
) -> Answer {
    let caller = match caller {
        Ok(caller) => caller,
        Err(_) => return Ok(challenge("HTTP Basic: Access denied")),
    };
    if git.advertisement && git.service == Service::ReceivePack {
        push_to_create::ensure_project(shared, &caller, &git.project_path)?;
    }
    let project = match authorized(shared, git, &caller)? {
        Ok(project) => project,
        Err(challenge) => return Ok(challenge),
    };
    if git.advertisement {
        return advertise(shared, request, git.service, project);
    }
    let body = plain_body(request)?;
    match git.service {
        Service::UploadPack => {
            let mut command = shared.repository(project).command();
            command.args(["upload-pack", "--stateless-rpc"]);
            command.arg(shared.repository(project).dir());
            Ok(result_of(
                git.service,
                with_protocol(command, request),
                &body,
            )?)
        }
        Service::ReceivePack => receive(shared, &caller, project, &body, request.number),
    }
}

fn challenge(text: &str) -> Response {
    Response::bytes(401, "text/plain", format!("{text}\n"))
        .with("www-authenticate", "Basic realm=\"GitLab\"")
}

fn authorized(
    shared: &Shared,
    git: &GitRequest,
    caller: &Caller,
) -> Result<Result<u64, Response>, ApiError> {
    let state = shared.state();
    let user = caller.user();
    let project = state
        .find_project(&git.project_path)
        .or_else(|| state.moved_project(&git.project_path));
    let access = project.map(|project| access::in_project(&state, user, project.id));
    let (Some(project), true) = (project, access.is_some_and(|access| access.can_read)) else {
        let gone = "The project you were looking for could not be found or you don't have permission to view it.";
        return if user.is_some() {
            Err(refusal(404, gone))
        } else {
            Ok(Err(challenge("HTTP Basic: Access denied")))
        };
    };
    let writing = git.service == Service::ReceivePack;
    if let Caller::User { scopes, .. } = caller {
        let wanted: &[&str] = if writing {
            &["api", "write_repository"]
        } else {
            &["api", "read_api", "read_repository", "write_repository"]
        };
        if !scopes.iter().any(|scope| wanted.contains(&scope.as_str())) {
            return Ok(Err(challenge("HTTP Basic: Access denied")));
        }
    }
    let from_elsewhere = caller.job().is_some_and(|job| {
        job.project_id != project.id
            && (writing || !project.job_token_allowlist.contains(&job.project_id))
    });
    let job_may_not_push = writing
        && caller.job().is_some()
        && !project.settings.ci_push_repository_for_job_token_allowed;
    if from_elsewhere || job_may_not_push {
        return Err(refusal(
            403,
            "You are not allowed to use this job token for this repository.",
        ));
    }
    if !writing {
        return Ok(Ok(project.id));
    }
    if user.is_none() {
        return Ok(Err(challenge("HTTP Basic: Access denied")));
    }
    let guest = user.is_some_and(|user| access::collaborates_somewhere(&state, user, project.id));
    if !guest && !access.is_some_and(|access| access.at_least(Role::Developer)) {
        return Err(refusal(
            403,
            "You are not allowed to push code to this project.",
        ));
    }
    Ok(Ok(project.id))
}

fn refusal(status: u16, text: &str) -> ApiError {
    ApiError::message(status, text)
}

fn plain_body(request: &Request) -> Result<Vec<u8>, ApiError> {
    if request.header("content-encoding") != Some("gzip") {
        return Ok(request.body.to_vec());
    }
    let mut plain = Vec::new();
    let read = GzDecoder::new(request.body.as_ref()).read_to_end(&mut plain);
    read.map(|_| plain)
        .map_err(|error| ApiError::message(400, format!("the body is not gzip: {error}")))
}

fn with_protocol(mut command: Command, request: &Request) -> Command {
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    command
}

fn result_of(service: Service, command: Command, body: &[u8]) -> Result<Response, ApiError> {
    let output = git::run(command, body)?;
    let kind = format!("application/x-{}-result", service.name());
    Ok(Response::bytes(200, &kind, output.stdout).with("cache-control", "no-cache"))
}

fn advertise(shared: &Shared, request: &Request, service: Service, project: u64) -> Answer {
    // In its second version the protocol begins with what the program can do, whatever the repository.
    static CAPABILITIES: OnceLock<Vec<u8>> = OnceLock::new();
    let second = request.header("git-protocol") == Some("version=2");
    let said = match CAPABILITIES.get() {
        Some(known) if second && service == Service::UploadPack => known.clone(),
        Some(_) | None => {
            let said = advertised(shared, request, service, project)?;
            if second && service == Service::UploadPack {
                CAPABILITIES.get_or_init(|| said.clone());
            }
            said
        }
    };
    let line = format!("# service={}\n", service.name());
    let mut body = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
    body.extend(said);
    let kind = format!("application/x-{}-advertisement", service.name());
    Ok(Response::bytes(200, &kind, body).with("cache-control", "no-cache"))
}

fn advertised(
    shared: &Shared,
    request: &Request,
    service: Service,
    project: u64,
) -> Result<Vec<u8>, ApiError> {
    let repository = shared.repository(project);
    let mut command = match service {
        Service::UploadPack => repository.command(),
        Service::ReceivePack => receiving(repository.command()),
    };
    command
        .args([
            service.name().trim_start_matches("git-"),
            "--stateless-rpc",
            "--advertise-refs",
        ])
        .arg(repository.dir());
    Ok(git::run(with_protocol(command, request), &[])?.stdout)
}

fn receiving(mut command: Command) -> Command {
    command.args([
        "-c",
        "receive.advertisePushOptions=true",
        "-c",
        "receive.denyDeleteCurrent=ignore",
    ]);
    for hidden in HIDDEN_REFS {
        command.arg("-c").arg(format!("receive.hideRefs={hidden}"));
    }
    command
}

fn receive(shared: &Shared, caller: &Caller, project: u64, body: &[u8], number: u64) -> Answer {
    let user = caller.user().ok_or_else(ApiError::unauthorized)?;
    let asked = parse_commands(body);
    let (refusal, no_force) = judge(shared, user, project, &asked.updates);
    let accepted = Accepted {
        file: shared.data_dir.join(format!("accepted-{number}")),
    };
    let repository = shared.repository(project);
    let mut command = receiving(repository.command());
    command.arg("-c").arg(format!(
        "core.hooksPath={}",
        git::hooks_dir(&shared.data_dir).display()
    ));
    command
        .args(["receive-pack", "--stateless-rpc"])
        .arg(repository.dir());
    command
        .env("SANDBOX_REFUSAL", refusal.unwrap_or_default())
        .env("SANDBOX_NO_FORCE", no_force.join(" "));
    command.env("SANDBOX_ACCEPTED", &accepted.file);
    let mut response = result_of(Service::ReceivePack, command, body)?;
    let updates = accepted.updates();
    if updates.is_empty() {
        return Ok(response);
    }
    let mut options = asked.options;
    if caller.job().is_some() {
        // Pushes with a job token start no pipeline.
        options.push(NO_PIPELINE.to_owned());
    }
    let push = Push {
        project,
        user,
        updates,
        options,
    };
    push::on_push(shared, &push)?;
    let warnings = push_options::apply(shared, &push);
    let warning = push_options::told(&push, &warnings);
    let made = push_to_create::announcement(shared, project).unwrap_or_default();
    let text = made + &push_messages::of(shared, &push, warning.as_deref());
    if asked.side_band && !text.is_empty() {
        response.body = with_message(&response.body, &text).into();
    }
    Ok(response)
}

/// The text that refuses a push, and the refs that must not be force pushed.
fn judge(
    shared: &Shared,
    user: u64,
    project: u64,
    updates: &[RefUpdate],
) -> (Option<String>, Vec<String>) {
    let state = shared.state();
    let Some(found) = state.projects.get(project) else {
        return (Some("GitLab: no such project".to_owned()), Vec::new());
    };
    let role = access::in_project(&state, Some(user), project).role;
    if found.default_branch.is_none() && role < Some(Role::Maintainer) {
        let path = state.project_path(found);
        let text = format!(
            "GitLab: A default branch (e.g. main) does not yet exist for {path}. \
             Ask a project Owner or Maintainer to create a default branch."
        );
        return (Some(text), Vec::new());
    }
    let mut no_force = Vec::new();
    for update in updates {
        if let Some(tag) = update.name.strip_prefix("refs/tags/")
            && !access::may_create_tag(&state, user, project, tag)
        {
            let text = "GitLab: You are not allowed to create this tag as it is protected.";
            return (Some(text.to_owned()), Vec::new());
        }
        let Some(branch) = update.branch() else {
            continue;
        };
        let protected = state.is_protected_branch(project, branch);
        let refusal = if update.new.is_none() && found.default_branch.as_deref() == Some(branch) {
            Some("GitLab: The default branch of a project cannot be deleted.")
        } else if update.new.is_none() && protected {
            Some("GitLab: You can only delete protected branches using the web interface.")
        } else if role < Some(Role::Developer) && !access::may_push(&state, user, project, branch) {
            Some("GitLab: You are not allowed to push code to this project.")
        } else if protected && !access::may_push(&state, user, project, branch) {
            Some("GitLab: You are not allowed to push code to protected branches on this project.")
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return (Some(refusal.to_owned()), Vec::new());
        }
        if protected && !access::may_force_push(&state, user, project, branch) {
            no_force.push(update.name.clone());
        }
    }
    (None, no_force)
}

/// The file in which the post-receive hook notes the accepted updates.
struct Accepted {
    file: PathBuf,
}

impl Accepted {
    fn updates(&self) -> Vec<RefUpdate> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(parse_update).collect()
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        let _never_written = std::fs::remove_file(&self.file);
    }
}
