//! From the credentials of a request to the caller, with GitLab's errors for those that do not hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

use crate::clock;
use crate::errors::ApiError;
use crate::message::Request;
use crate::request_log::Who;
use crate::store::State;
use crate::store::tokens::{JobToken, Token};
use crate::sudo;

/// Who makes a request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Anonymous,
    User {
        user: u64,
        token: u64,
        scopes: Vec<String>,
    },
    Job {
        user: u64,
        job: JobToken,
    },
}

impl Caller {
    /// The user who acts, in person or through a job.
    pub(crate) fn user(&self) -> Option<u64> {
        match self {
            Self::Anonymous => None,
            Self::User { user, .. } | Self::Job { user, .. } => Some(*user),
        }
    }

    /// The job whose token was used.
    pub(crate) fn job(&self) -> Option<&JobToken> {
        match self {
            Self::Job { job, .. } => Some(job),
            Self::Anonymous | Self::User { .. } => None,
        }
    }

    /// The caller for the request log.
    pub(crate) fn who(&self, state: &State) -> Who {
        let name = |user: u64| {
            state
                .users
                .get(user)
                .map(|user| user.username.clone())
                .unwrap_or_default()
        };
        match self {
            Self::Anonymous => Who::Anonymous,
            Self::User { user, .. } => Who::User {
                username: name(*user),
            },
            Self::Job { user, job } => Who::Job {
                username: name(*user),
                job_id: job.job_id,
                job_name: job.job_name.clone(),
                pipeline_id: job.pipeline_id,
            },
        }
    }
}

/// The caller of an API request. A job token counts only where the route opts in; elsewhere it is as good as none.
pub(crate) fn api_caller(
    state: &State,
    now: Timestamp,
    request: &Request,
    job_token_route: bool,
) -> Result<Caller, ApiError> {
    let parameter = |name: &str| {
        request
            .query_pairs()
            .into_iter()
            .chain(form_pairs(request))
            .find(|(key, _)| key == name)
            .map(|(_, v)| v)
    };
    let bearer = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    let personal = request
        .header("private-token")
        .map(str::to_owned)
        .or(bearer)
        .or_else(|| parameter("private_token"))
        .or_else(|| parameter("access_token"));
    if job_token_route
        && let Some(secret) = request
            .header("job-token")
            .map(str::to_owned)
            .or_else(|| parameter("job_token"))
    {
        return job_caller(state, &secret).ok_or_else(ApiError::unauthorized);
    }
    let Some(secret) = personal else {
        return match sudo::wish(request) {
            Some(_) => Err(ApiError::unauthorized()),
            None => Ok(Caller::Anonymous),
        };
    };
    if job_token_route && let Some(caller) = job_caller(state, &secret) {
        return Ok(caller);
    }
    let caller = token_caller(state, now, &secret)?;
    match sudo::wish(request) {
        Some(wish) => sudo::impersonated(state, caller, &wish),
        None => Ok(caller),
    }
}

/// A form may carry the token too; JSON and multipart bodies are not searched.
pub(crate) fn form_pairs(request: &Request) -> Vec<(String, String)> {
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form {
        crate::message::urlencoded_pairs(&String::from_utf8_lossy(&request.body))
    } else {
        Vec::new()
    }
}

/// The caller of a git request: HTTP Basic with a job token as `gitlab-ci-token`, or with any user name and a token.
pub(crate) fn git_caller(
    state: &State,
    now: Timestamp,
    request: &Request,
) -> Result<Caller, ApiError> {
    let refused = || ApiError::message(401, "HTTP Basic: Access denied");
    let Some(header) = request.header("authorization") else {
        return Ok(Caller::Anonymous);
    };
    let pair = match header.strip_prefix("Basic ") {
        Some(encoded) => STANDARD
            .decode(encoded.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(refused)?,
        None => format!(
            "oauth2:{}",
            header.strip_prefix("Bearer ").ok_or_else(refused)?
        ),
    };
    let (name, secret) = pair.split_once(':').ok_or_else(refused)?;
    // The name decides nothing for a personal token: many programs send theirs as `gitlab-ci-token`.
    let job = (name == "gitlab-ci-token")
        .then(|| job_caller(state, secret))
        .flatten();
    match job {
        Some(job) => Ok(job),
        None => token_caller(state, now, secret).or(Err(refused())),
    }
}

fn job_caller(state: &State, secret: &str) -> Option<Caller> {
    let job = state.job_tokens.iter().find(|job| job.secret == secret)?;
    Some(Caller::Job {
        user: job.user_id,
        job: job.clone(),
    })
}

fn token_caller(state: &State, now: Timestamp, secret: &str) -> Result<Caller, ApiError> {
    let token = state
        .tokens
        .iter()
        .find(|token| token.secret == secret)
        .ok_or_else(ApiError::unauthorized)?;
    let dead = |text: &str| {
        ApiError::body(
            401,
            json!({ "error": "invalid_token", "error_description": text }),
        )
    };
    if token.revoked {
        return Err(dead(
            "Token was revoked. You have to re-authorize from the user.",
        ));
    }
    if is_expired(token, now) {
        return Err(dead(
            "Token is expired. You can either do re-authorization or token refresh.",
        ));
    }
    let blocked = state
        .users
        .get(token.user_id)
        .is_none_or(|user| user.state != "active");
    if blocked {
        return Err(ApiError::message(
            403,
            "403 Forbidden - Your account has been blocked.",
        ));
    }
    Ok(Caller::User {
        user: token.user_id,
        token: token.id,
        scopes: token.scopes.clone(),
    })
}

/// A token is dead from its expiry day on.
pub(crate) fn is_expired(token: &Token, now: Timestamp) -> bool {
    token.expires_at.is_some_and(|day| day <= clock::day(now))
}

/// Refuses a token whose scopes do not cover an API request.
pub(crate) fn check_api_scope(caller: &Caller, method: &str) -> Result<(), ApiError> {
    let Caller::User { scopes, .. } = caller else {
        return Ok(());
    };
    let allowed: &[&str] = if method == "GET" {
        &["api", "read_api"]
    } else {
        &["api"]
    };
    if scopes.iter().any(|scope| allowed.contains(&scope.as_str())) {
        return Ok(());
    }
    Err(ApiError::body(
        403,
        json!({
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token.",
            "scope": allowed.join(" "),
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::decoded_segments;

    fn request(header: &'static str, secret: &str) -> Request {
        let mut headers = http::HeaderMap::new();
        headers.insert(header, secret.parse().unwrap());
        let (path, method) = ("/api/v4/job".to_owned(), "GET".to_owned());
        let segments = decoded_segments(&path);
        Request {
            number: 1,
            method,
            path,
            segments,
            query: String::new(),
            headers,
            body: bytes::Bytes::new(),
        }
    }

    #[test]
    fn a_job_token_counts_only_where_the_route_opts_in_and_while_the_job_runs() {
        let now = Timestamp::UNIX_EPOCH;
        let mut state = State::with_root("glpat-root", now);
        let secret = state.issue_job_token(7, "gate", 3, 1, 1);
        let request = request("job-token", &secret);
        let opted_in = api_caller(&state, now, &request, true).unwrap();
        assert_eq!(opted_in.job().map(|job| job.job_id), Some(7));
        assert_eq!(opted_in.user(), Some(1));
        assert!(matches!(
            api_caller(&state, now, &request, false),
            Ok(Caller::Anonymous)
        ));
        state.revoke_job_token(7);
        assert_eq!(
            api_caller(&state, now, &request, true).unwrap_err().status,
            401
        );
    }

    #[test]
    fn a_blocked_user_has_no_valid_token() {
        let now = Timestamp::UNIX_EPOCH;
        let mut state = State::with_root("glpat-root", now);
        assert_eq!(
            api_caller(&state, now, &request("private-token", "glpat-root"), false)
                .unwrap()
                .user(),
            Some(1)
        );
        state.users.get_mut(1).unwrap().state = "blocked".to_owned();
        assert_eq!(
            api_caller(&state, now, &request("private-token", "glpat-root"), false)
                .unwrap_err()
                .status,
            403
        );
    }
}
