//! The connections: how many, how long, and how they end.

use crate::watch::{Patience, UnderWay, Watch, Watched};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use futures::FutureExt as _;
use garde::Validate;
use http::{HeaderValue, Request, Response, Version, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use prometheus::IntGauge;
use serde::Deserialize;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// The pause after a connection could not be taken for want of something: file descriptors, as a rule.
const WANT_PAUSE: Duration = Duration::from_millis(200);
/// What a connection that is closed for being slow gets to hear the farewell.
const FAREWELL: Duration = Duration::from_secs(1);

/// What connections may do. `PETPRO_EDGE__CONNECTIONS__MAX` and so on.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionsConfig {
    /// How many at once; more wait in the system's queue until one ends.
    #[garde(range(min = 1, max = 1_000_000))]
    pub max: usize,
    /// How long a client may take for the head of a request, in milliseconds; the connection is closed without an
    /// answer then. Times of connections are kept to within a half.
    #[garde(range(min = 100, max = 120_000))]
    pub head_timeout_ms: u64,
    /// How long a connection may do nothing between two requests, in milliseconds. Longer than what a load balancer in
    /// front keeps its own for, so that it never sends on one that is being closed.
    #[garde(range(min = 100, max = 3_600_000))]
    pub idle_timeout_ms: u64,
    /// How long a client may take none of what is sent to it, in milliseconds.
    #[garde(range(min = 100, max = 600_000))]
    pub write_timeout_ms: u64,
    /// The largest head of a request, in bytes. HTTP/1.1 answers more with a bare 431, HTTP/2 as well.
    #[garde(range(min = 8_192, max = 1_048_576))]
    pub head_limit_bytes: u32,
    /// How many header fields a request may have over HTTP/1.1; more are answered with a bare 431.
    #[garde(range(min = 16, max = 1_000))]
    pub max_headers: usize,
    /// How many requests may be under way at once on one HTTP/2 connection.
    #[garde(range(min = 1, max = 1_000))]
    pub max_streams: u32,
    /// How long a connection over which nothing is asked is kept when the process leaves, in milliseconds: one that is
    /// closed while its client begins to ask loses a request. Every answer tells HTTP/1.1 clients to close meanwhile, so
    /// what is closed in the end was not used for so long; a client that keeps idle connections for a shorter time never
    /// loses a request.
    #[garde(range(max = 15_000))]
    pub last_call_ms: u64,
    /// How long requests under way have to end when the process leaves, in milliseconds; then they are cut off.
    #[garde(range(min = 100, max = 18_000))]
    pub drain_timeout_ms: u64,
}

impl Default for ConnectionsConfig {
    fn default() -> ConnectionsConfig {
        ConnectionsConfig {
            max: 10_000,
            head_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            write_timeout_ms: 20_000,
            head_limit_bytes: 16_384,
            max_headers: 64,
            max_streams: 100,
            last_call_ms: 2_000,
            drain_timeout_ms: 10_000,
        }
    }
}

impl ConnectionsConfig {
    fn patience(&self) -> Patience {
        Patience {
            head: Duration::from_millis(self.head_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
            write: Duration::from_millis(self.write_timeout_ms),
        }
    }

    /// How often a connection is looked at: half of the shortest time.
    fn look_every(&self) -> Duration {
        Duration::from_millis(self.head_timeout_ms.min(self.idle_timeout_ms).min(self.write_timeout_ms) / 2)
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        let head_limit = usize::try_from(self.head_limit_bytes).unwrap_or(usize::MAX);
        // The watch keeps all times: hyper's own limit on heads would end idle connections, too.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
        builder.http1().max_headers(self.max_headers).max_buf_size(head_limit);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(self.max_streams);
        builder.http2().max_header_list_size(self.head_limit_bytes);
        builder
    }
}

/// All that connections share.
struct Shared {
    router: Router,
    config: ConnectionsConfig,
    builder: Builder<TokioExecutor>,
    /// The process leaves: who asks over HTTP/1.1 hears that this was the last answer.
    leaving: CancellationToken,
    /// Nobody has asked for some time who may still do so: connections are closed.
    last_requests: CancellationToken,
    /// Time is up.
    cut_off: CancellationToken,
}

/// Takes connections and answers them until `door_closes` ends. Then no more are taken, and those that are there end when
/// their requests are answered, or when the time for that is over. Since `leaving` each answer has been the last over its
/// connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: ConnectionsConfig,
    open: IntGauge,
    leaving: CancellationToken,
    door_closes: impl Future<Output = ()>,
) {
    let (last_requests, cut_off) = (CancellationToken::new(), CancellationToken::new());
    let builder = config.builder();
    let shared = Arc::new(Shared { router, config, builder, leaving, last_requests, cut_off });
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(shared.config.max));
    let mut door_closes = std::pin::pin!(door_closes);
    let take = |stream, peer, place: Option<OwnedSemaphorePermit>| {
        let (shared, open) = (shared.clone(), open.clone());
        connections.spawn(async move {
            open.inc();
            answer(&shared, stream, peer).await;
            open.dec();
            drop(place);
        });
    };
    loop {
        // The place comes first: a connection that is not taken yet costs nothing.
        let next = async { (places.clone().acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            () = &mut door_closes => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => take(stream, peer, place.ok()),
            Err(error) if concerns_one_connection(error.kind()) => {}
            Err(error) => {
                tracing::warn!(error = %error, "cannot take connections right now");
                tokio::time::sleep(WANT_PAUSE).await;
            }
        }
    }
    // Whoever has connected already is heard out: closing the door on them would be an answer, too.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        take(stream, peer, places.clone().try_acquire_owned().ok());
    }
    drop(listener);
    connections.close();
    let give_up = Instant::now() + Duration::from_millis(shared.config.drain_timeout_ms);
    let last_call = Duration::from_millis(shared.config.last_call_ms);
    let _all_ended = tokio::time::timeout(last_call, connections.wait()).await;
    shared.last_requests.cancel();
    if tokio::time::timeout_at(give_up, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests under way are cut off");
        shared.cut_off.cancel();
        connections.wait().await;
    }
}

fn concerns_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// Answers the requests of one connection, to its end.
async fn answer(shared: &Shared, stream: TcpStream, peer: SocketAddr) {
    // Answers are written whole: waiting for more to send would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "a connection keeps its delay");
    }
    let watch = Watch::new();
    let service = service_fn({
        let (watch, router, leaving) = (watch.clone(), shared.router.clone(), shared.leaving.clone());
        move |mut request: Request<Incoming>| {
            let under_way = watch.request();
            // HTTP/2 has a frame of its own to say so, without losing what is on its way.
            let leaving = (request.version() < Version::HTTP_2).then(|| leaving.clone());
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().oneshot(request.map(Body::new));
            async move {
                let mut response: Response<Body> = answer.await?;
                if leaving.is_some_and(|leaving| leaving.is_cancelled()) {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response.map(|body| Answer { body, _under_way: under_way }))
            }
        }
    });
    let stream = TokioIo::new(Watched::new(stream, watch.clone()));
    let mut connection = std::pin::pin!(shared.builder.serve_connection(stream, service));

    let (patience, mut look) = (shared.config.patience(), tokio::time::interval(shared.config.look_every()));
    let mut is_last = false;
    loop {
        tokio::select! {
            // Clients that break off, or speak something else, are none of our troubles.
            _ended = &mut connection => return,
            () = shared.cut_off.cancelled() => return,
            () = shared.last_requests.cancelled(), if !is_last => {
                is_last = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = look.tick() => {
                if watch.is_overdue(patience) {
                    connection.as_mut().graceful_shutdown();
                    let _farewell = tokio::time::timeout(FAREWELL, connection).await;
                    return;
                }
            }
        }
    }
}

/// An answer's body; its request is under way until this is gone.
struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
