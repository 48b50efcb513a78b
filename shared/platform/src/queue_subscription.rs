//! One subject of a queue group, as a replica is subscribed to it: so that it can leave without losing a request.
//!
//! To leave, the subscription is told to end after a number of further messages. The server stops after exactly these and
//! the client counts the same, so what is under way between the two is never dropped. Where too few come, they are made up
//! with messages that mean nothing. The server counts from the beginning of its connection and the client from that of the
//! subscription, so that is made anew whenever the connection is lost.

use crate::headers;
use crate::setup::Setup;
use crate::versions::{STABLE, version_subject};
use async_nats::connection::State;
use async_nats::{HeaderMap, HeaderName, Message, SubscribeError, Subscriber};
use futures::{FutureExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How many more messages a subscription takes when it leaves, and as many as came within the last [`LATELY`]: more than can
/// be under way.
const LEAVING_HEADROOM: u64 = 64;
const LATELY: Duration = Duration::from_millis(250);
/// How often a leaving subscription is filled up, so that it ends also where few requests come.
const NUDGE_EVERY: Duration = Duration::from_millis(10);
/// With how many messages at a time.
const NUDGES: u64 = 64;
/// While NATS is away for so long there is nothing to wait for: whoever asked is not connected either.
const AWAY_PATIENCE: Duration = Duration::from_secs(1);

/// A replica's subscription.
pub(crate) struct QueueSubscription {
    setup: Arc<Setup>,
    subject: String,
    subscriber: Subscriber,
    /// What came before the connection was lost and has not been taken yet.
    before: Option<Subscriber>,
    disconnections: watch::Receiver<u64>,
    pace: Pace,
    leaving: Option<Leaving>,
}

struct Leaving {
    nudge: Interval,
    seen_connected: Instant,
}

impl QueueSubscription {
    /// Joins the queue group of the service on `subject`.
    ///
    /// # Errors
    /// The subject is none, or the connection is closed.
    pub(crate) async fn open(setup: &Arc<Setup>, subject: String) -> Result<QueueSubscription, SubscribeError> {
        // Whatever is lost from now on is noticed.
        let disconnections = setup.signals.disconnections();
        let subscriber = setup.nats.queue_subscribe(subject.clone(), setup.name.to_owned()).await?;
        let (pace, setup) = (Pace::default(), setup.clone());
        Ok(QueueSubscription { setup, subject, subscriber, before: None, disconnections, pace, leaving: None })
    }

    /// The next message; none: `leave` was cancelled, and nothing that was meant for this replica is under way any more.
    pub(crate) async fn next(&mut self, leave: &CancellationToken) -> Option<Message> {
        loop {
            if let Some(message) = self.left_over() {
                return Some(message);
            }
            let is_leaving = self.leaving.is_some();
            tokio::select! {
                biased;
                message = self.subscriber.next() => {
                    self.pace.count(Instant::now());
                    return message;
                }
                Ok(()) = self.disconnections.changed(), if !is_leaving => self.renew().await,
                () = leave.cancelled(), if !is_leaving => {
                    if let Err(error) = self.begin_to_leave().await {
                        tracing::warn!(subject = self.subject, error = %error, "could not leave the queue group");
                        return None;
                    }
                }
                () = nudge_is_due(&mut self.leaving), if is_leaving => {
                    if !self.fill_up().await {
                        // What had come before the connection was lost.
                        return self.subscriber.next().now_or_never().flatten();
                    }
                }
            }
        }
    }

    fn left_over(&mut self) -> Option<Message> {
        let message = self.before.as_mut()?.next().now_or_never().flatten();
        if message.is_none() {
            self.before = None;
        }
        message
    }

    /// Subscribes anew: the client does it as soon as there is a connection, and forgets the subscription of before.
    async fn renew(&mut self) {
        let (nats, name) = (&self.setup.nats, self.setup.name.to_owned());
        let subscribe = nats.queue_subscribe(self.subject.clone(), name);
        match tokio::time::timeout(AWAY_PATIENCE, subscribe).await {
            Ok(Ok(subscriber)) => {
                self.before = Some(std::mem::replace(&mut self.subscriber, subscriber));
                self.pace = Pace::default();
            }
            // The client itself goes on with the one there is.
            Ok(Err(error)) => tracing::warn!(subject = self.subject, error = %error, "could not subscribe anew"),
            Err(_elapsed) => tracing::debug!(subject = self.subject, "not subscribed anew while NATS is away"),
        }
    }

    async fn begin_to_leave(&mut self) -> Result<(), async_nats::UnsubscribeError> {
        let mut nudge = tokio::time::interval(NUDGE_EVERY);
        nudge.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.leaving = Some(Leaving { nudge, seen_connected: Instant::now() });
        let headroom = LEAVING_HEADROOM + self.pace.lately(Instant::now());
        self.subscriber.unsubscribe_after(self.pace.received + headroom).await
    }

    /// False: NATS has been away for too long.
    async fn fill_up(&mut self) -> bool {
        let Some(leaving) = &mut self.leaving else { return true };
        if self.setup.nats.connection_state() == State::Connected {
            leaving.seen_connected = Instant::now();
            self.nudge().await;
            return true;
        }
        leaving.seen_connected.elapsed() <= AWAY_PATIENCE
    }

    /// Sends messages that mean nothing to a subject of ours. The queue group shares them out; each member passes
    /// them over, and the leaving one comes to its end. NATS may send what comes to the subject to another version of the
    /// service, all of it even, so every other message takes the way that leads to the stable replicas then, and nowhere
    /// otherwise.
    async fn nudge(&self) {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(headers::NUDGE), "1");
        let past_shares = version_subject(self.setup.name, STABLE, &self.subject);
        for number in 0..NUDGES {
            let to = if number % 2 == 0 { self.subject.clone() } else { past_shares.clone() };
            let sent = self.setup.nats.publish_with_headers(to, headers.clone(), "".into()).await;
            if let Err(error) = sent {
                tracing::debug!(subject = self.subject, error = %error, "could not nudge");
                return;
            }
        }
    }
}

/// Whether a message only makes up a number.
pub(crate) fn is_nudge(message: &Message) -> bool {
    message.headers.as_ref().is_some_and(|headers| headers.get(HeaderName::from_static(headers::NUDGE)).is_some())
}

async fn nudge_is_due(leaving: &mut Option<Leaving>) {
    match leaving {
        Some(leaving) => drop(leaving.nudge.tick().await),
        None => std::future::pending().await,
    }
}

/// How many messages have come, and how many of late.
#[derive(Debug, Default)]
struct Pace {
    received: u64,
    /// When it was looked last, and how many there were then and the time before.
    looked: Option<Instant>,
    then: u64,
    before_then: u64,
}

impl Pace {
    fn count(&mut self, now: Instant) {
        self.received += 1;
        let looked = *self.looked.get_or_insert(now);
        if now >= looked + LATELY {
            // A long silence is between the two.
            self.before_then = if now < looked + 2 * LATELY { self.then } else { self.received };
            (self.then, self.looked) = (self.received, Some(now));
        }
    }

    /// Those of the last [`LATELY`], and up to as long before that.
    fn lately(&self, now: Instant) -> u64 {
        let since = self.looked.filter(|looked| now < *looked + 2 * LATELY).map_or(self.received, |_| self.before_then);
        self.received - since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_late_is_counted_and_what_came_long_ago_is_not() {
        let mut pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.lately(start), 0);
        for number in 0..1_000 {
            pace.count(start + Duration::from_millis(number));
        }
        let end = start + Duration::from_millis(999);
        assert!((250..=500).contains(&pace.lately(end)), "{pace:?}");
        assert_eq!(pace.lately(end + 2 * LATELY), 0);
        pace.count(end + 10 * LATELY);
        assert!(pace.lately(end + 10 * LATELY) <= 1, "{pace:?}");
        assert_eq!(pace.received, 1_001);
    }
}
