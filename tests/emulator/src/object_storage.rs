//! An object storage beside the server, to which downloads are sent when a test wants it: GitLab answers them with a redirect unless
//! it is told to pass them through (docs: administration, "Object storage", `proxy_download`).
//!
//! Its addresses are good by themselves. Like the real ones it refuses whoever shows another credential beside the signature.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request as Asked, State};
use axum::response::{IntoResponse, Response as Told};
use bytes::Bytes;
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::message::Response;
use crate::secret;

/// The routes whose files are in the storage.
const ROUTES: [&str; 3] = [
    "projects/:id/packages/generic/:package_name/:package_version/:file_name",
    "projects/:id/jobs/:job_id/artifacts",
    "projects/:id/jobs/artifacts/:ref_name/download",
];
/// By these headers and parameters a request shows a credential of GitLab.
const CREDENTIALS: [&str; 5] = [
    "authorization",
    "private-token",
    "job-token",
    "deploy-token",
    "cookie",
];
/// The parameter that makes an address good.
const SIGNATURE: &str = "X-Amz-Signature";

/// A running storage; dropping it stops it.
pub struct ObjectStorage {
    kept: Arc<Kept>,
    runtime: Option<Runtime>,
}

/// What was asked of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageRequest {
    /// Path and parameters.
    pub address: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// How it was answered.
    pub status: u16,
}

#[derive(Default)]
struct Kept {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// What addresses begin with.
    origin: String,
    /// By address.
    objects: BTreeMap<String, Bytes>,
    /// How often it sends on before it answers.
    detours: u32,
    requests: Vec<StorageRequest>,
}

impl ObjectStorage {
    /// Starts an empty one on a free port of the loopback.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("object-storage")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let kept = Arc::new(Kept::default());
        kept.lock().origin = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        runtime.spawn(async move {
            // It only ends with the runtime.
            let _ended = axum::serve(listener, app).await;
        });
        Ok(Self {
            kept,
            runtime: Some(runtime),
        })
    }

    /// Everything that was asked of it.
    pub fn requests(&self) -> Vec<StorageRequest> {
        self.kept.lock().requests.clone()
    }

    /// What redirects to it begin with, instead of its own address: another scheme, host or port.
    pub fn call_it(&self, origin: &str) {
        origin.clone_into(&mut self.kept.lock().origin);
    }

    /// Sends everybody on so many times before it answers.
    pub fn make_detours(&self, detours: u32) {
        self.kept.lock().detours = detours;
    }

    /// Loses everything that it keeps.
    pub fn lose_all(&self) {
        self.kept.lock().objects.clear();
    }

    /// The answer that sends a download here, or the answer as it was.
    pub(crate) fn instead_of(&self, route: &str, response: Response) -> Response {
        if response.status != 200 || !ROUTES.contains(&route) {
            return response;
        }
        let address = format!("/{}?{SIGNATURE}={}", secret::fresh("o"), secret::fresh("s"));
        let mut inside = self.kept.lock();
        let target = format!("{}{address}", inside.origin);
        inside.objects.insert(address, response.body);
        Response::redirect(&target)
    }
}

impl Drop for ObjectStorage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever drops it may not be allowed to wait.
            runtime.shutdown_background();
        }
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(kept): State<Arc<Kept>>, asked: Asked) -> Told {
    let address = asked.uri().to_string();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<(String, String)> = asked
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let mut inside = kept.lock();
    let told = inside.answer(&address, &headers);
    let status = told.status().as_u16();
    inside.requests.push(StorageRequest {
        address,
        headers,
        status,
    });
    told
}

impl Inside {
    fn answer(&self, address: &str, headers: &[(String, String)]) -> Told {
        let shown = |(name, _): &(String, String)| CREDENTIALS.contains(&name.as_str());
        if headers.iter().any(shown) || address.contains("_token=") {
            let words = "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>";
            return (StatusCode::BAD_REQUEST, words).into_response();
        }
        let (object, detours) = match address.split_once("&detour=") {
            Some((object, number)) => (object, number.parse().unwrap_or(0)),
            None => (address, 0),
        };
        if detours < self.detours {
            let next = format!("{}{object}&detour={}", self.origin, detours + 1);
            return (
                StatusCode::TEMPORARY_REDIRECT,
                [(header::LOCATION, next)],
                "",
            )
                .into_response();
        }
        match self.objects.get(object) {
            Some(bytes) => bytes.clone().into_response(),
            None => {
                let words = "<Error><Code>NoSuchKey</Code></Error>";
                (StatusCode::NOT_FOUND, words).into_response()
            }
        }
    }
}
