//! What a connection is doing, so that one that does nothing for too long can be closed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// No moment.
const NEVER: u64 = u64::MAX;

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, from its first byte; for the first byte of all, from the connection's beginning.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// To take any of what is sent to it.
    pub write: Duration,
}

/// What is known of a connection. Moments are milliseconds since it began.
#[derive(Debug)]
pub struct Watch {
    began: Instant,
    under_way: AtomicUsize,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    blocked_since: AtomicU64,
}

impl Watch {
    /// Of a connection that begins now.
    pub fn new() -> Arc<Watch> {
        Arc::new(Watch {
            began: Instant::now(),
            under_way: AtomicUsize::new(0),
            idle_since: AtomicU64::new(NEVER),
            // Whoever connects is about to ask.
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(NEVER),
        })
    }

    /// Notes that a request has come; it is under way until what is answered here is dropped.
    pub fn request(self: &Arc<Watch>) -> UnderWay {
        self.under_way.fetch_add(1, Relaxed);
        self.head_since.store(NEVER, Relaxed);
        UnderWay(self.clone())
    }

    /// Whether the connection has used up somebody's patience.
    pub fn is_overdue(&self, patience: Patience) -> bool {
        let now = self.now();
        let longer_than = |since: &AtomicU64, limit: Duration| {
            let since = since.load(Relaxed);
            since != NEVER && u128::from(now.saturating_sub(since)) >= limit.as_millis()
        };
        let waits_for_client = self.under_way.load(Relaxed) == 0
            && match self.head_since.load(Relaxed) {
                NEVER => longer_than(&self.idle_since, patience.idle),
                _ => longer_than(&self.head_since, patience.head),
            };
        waits_for_client || longer_than(&self.blocked_since, patience.write)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    fn has_read(&self) {
        if self.under_way.load(Relaxed) == 0 && self.head_since.load(Relaxed) == NEVER {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    fn has_written<T>(&self, outcome: &Poll<T>) {
        match outcome {
            Poll::Ready(_) => self.blocked_since.store(NEVER, Relaxed),
            Poll::Pending if self.blocked_since.load(Relaxed) == NEVER => {
                self.blocked_since.store(self.now(), Relaxed);
            }
            Poll::Pending => {}
        }
    }
}

/// A request that is under way, up to the last byte of its answer.
#[derive(Debug)]
pub struct UnderWay(Arc<Watch>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Relaxed) == 1 {
            self.0.head_since.store(NEVER, Relaxed);
            self.0.idle_since.store(self.0.now(), Relaxed);
        }
    }
}

/// A connection that tells its watch what it does.
pub struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
}

impl<S> Watched<S> {
    /// A connection and its watch.
    pub fn new(stream: S, watch: Arc<Watch>) -> Watched<S> {
        Watched { stream, watch }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.watch.has_read();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch.has_written(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.watch.has_written(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const PATIENCE: Patience =
        Patience { head: Duration::from_secs(10), idle: Duration::from_secs(75), write: Duration::from_secs(20) };

    async fn after(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_or_never_ends_saying_it_is_overdue() {
        let watch = Watch::new();
        after(9).await;
        assert!(!watch.is_overdue(PATIENCE));
        after(1).await;
        assert!(watch.is_overdue(PATIENCE));

        let watch = Watch::new();
        drop(watch.request());
        after(74).await;
        assert!(!watch.is_overdue(PATIENCE));
        after(1).await;
        assert!(watch.is_overdue(PATIENCE));

        let watch = Watch::new();
        drop(watch.request());
        let (near, mut far) = tokio::io::duplex(64);
        let mut watched = Watched::new(near, watch.clone());
        far.write_all(b"GET").await.unwrap();
        watched.read_u8().await.unwrap();
        after(10).await;
        assert!(watch.is_overdue(PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_takes_its_time_unless_its_client_does_not_read() {
        let watch = Watch::new();
        let under_way = watch.request();
        after(1_000).await;
        assert!(!watch.is_overdue(PATIENCE));

        let (near, _far) = tokio::io::duplex(4);
        let mut watched = Watched::new(near, watch.clone());
        assert!(tokio::time::timeout(Duration::from_secs(19), watched.write_all(&[0; 64])).await.is_err());
        assert!(!watch.is_overdue(PATIENCE));
        after(2).await;
        assert!(watch.is_overdue(PATIENCE));
        drop(under_way);
    }
}
