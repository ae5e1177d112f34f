//! The HTTP server: an own small runtime, every request handed to synchronous code, connections that faults may cut.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State as AxumState};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::dispatch::{self, Served};
use crate::errors::ApiError;
use crate::message::{Request, Response, decoded_segments};
use crate::shared::Shared;

/// Pushes of whole repositories fit; anything larger is a mistake.
const MAX_BODY: usize = 512 * 1024 * 1024;

/// A socket that is bound and not yet served, so that its address can be written into the state first.
pub(crate) struct Bound {
    runtime: Runtime,
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// The running server; dropping it stops everything without waiting.
pub(crate) struct Server {
    runtime: Option<Runtime>,
}

/// Binds the loopback port (0: any free one).
pub(crate) fn bind(port: u16) -> io::Result<Bound> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("emulator")
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)))?;
    let address = listener.local_addr()?;
    Ok(Bound {
        runtime,
        listener,
        address,
    })
}

impl Bound {
    /// Starts answering.
    pub(crate) fn serve(self, shared: Arc<Shared>) -> Server {
        let app = Router::new()
            .fallback(answer)
            .with_state(shared)
            .into_make_service_with_connect_info::<Cut>();
        self.runtime.spawn(async move {
            // `serve` only ends with the runtime: the listener retries failed accepts by itself.
            let _ended = axum::serve(CuttableListener(self.listener), app).await;
        });
        Server {
            runtime: Some(self.runtime),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(200));
        }
    }
}

async fn answer(
    AxumState(shared): AxumState<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let number = shared.next_request();
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return into_axum(ApiError::error(413, "Request Entity Too Large").into_response());
    };
    let method = if head.method == http::Method::HEAD {
        "GET"
    } else {
        head.method.as_str()
    };
    let plain = Request {
        number,
        method: method.to_owned(),
        path: head.uri.path().to_owned(),
        segments: decoded_segments(head.uri.path()),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    let reporter = Arc::clone(&shared);
    match tokio::task::spawn_blocking(move || dispatch::serve(&shared, &plain)).await {
        Ok(Served::Answer(response)) => into_axum(response),
        Ok(Served::CutShort(response)) => half(response),
        Ok(Served::Reset) => {
            cut.0.store(true, Ordering::SeqCst);
            into_axum(Response::no_content())
        }
        Err(error) => {
            reporter.report.say(&format!(
                "request {number} failed inside the emulator: {error}"
            ));
            into_axum(ApiError::internal().into_response())
        }
    }
}

fn into_axum(response: Response) -> axum::response::Response {
    let body = Body::from(response.body.clone());
    with_body(response, body)
}

/// An answer that promises its whole length and ends in the middle.
fn half(response: Response) -> axum::response::Response {
    let whole = response.body.len();
    let first = response.body.slice(..whole / 2);
    let pieces = [Ok(first), Err(io::Error::from(io::ErrorKind::BrokenPipe))];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    with_body(response.with("content-length", whole.to_string()), body)
}

fn with_body(response: Response, body: Body) -> axum::response::Response {
    let mut builder = http::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(body).unwrap_or_else(|_| {
        let mut broken = axum::response::Response::new(Body::empty());
        *broken.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

/// The switch that cuts one connection.
#[derive(Debug, Clone)]
struct Cut(Arc<AtomicBool>);

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cut.clone()
    }
}

struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let _best_effort = stream.set_nodelay(true);
        (
            CuttableStream {
                stream,
                cut: Cut(Arc::new(AtomicBool::new(false))),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that refuses to write once it is cut, which makes the server close it without an answer.
struct CuttableStream {
    stream: TcpStream,
    cut: Cut,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::SeqCst) {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
