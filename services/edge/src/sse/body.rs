//! The body of a stream: it is made as its client takes it.

use super::config::StreamsConfig;
use super::frames;
use super::places::Place;
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use platform::streams::Watching;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A stream that a client reads. Whoever does not read is not asked for more: what waits here is one event, and no more
/// than a lease's credit before it.
pub(super) struct Events {
    pub watching: Watching,
    pub leaving: CancellationToken,
}

impl Events {
    /// The body that tells all of it. The place is given back when it is gone.
    pub(super) fn into_body(self, config: &StreamsConfig, place: Place) -> Body {
        let telling = Telling {
            events: self,
            hello: Some(frames::hello(config.retry_ms)),
            keep_alive: config.keep_alive(),
            silent_since: Instant::now(),
            is_over: false,
        };
        Body::from_stream(stream::unfold((telling, place), |(mut telling, place)| async move {
            let bytes = telling.next().await?;
            Some((Ok::<_, Infallible>(bytes), (telling, place)))
        }))
    }
}

struct Telling {
    events: Events,
    hello: Option<Bytes>,
    keep_alive: Duration,
    silent_since: Instant,
    is_over: bool,
}

impl Telling {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        if self.is_over {
            return None;
        }
        let bytes = self.next_event().await;
        self.silent_since = Instant::now();
        bytes
    }

    async fn next_event(&mut self) -> Option<Bytes> {
        let Events { watching, leaving } = &mut self.events;
        loop {
            let heard = tokio::select! {
                biased;
                // The client comes back, to another edge.
                () = leaving.cancelled() => return None,
                heard = watching.next() => heard,
                () = tokio::time::sleep_until(self.silent_since + self.keep_alive) => {
                    return Some(frames::keep_alive(watching.place()));
                }
            };
            match heard {
                Ok(heard) => {
                    if let Some(event) = frames::event(&heard, watching.place()) {
                        return Some(event);
                    }
                }
                Err(fault) => {
                    self.is_over = true;
                    return Some(frames::end(&fault));
                }
            }
        }
    }
}
