//! The other side: one lease after the other, and everything told once.

use super::asking::{Answer, Lease, Question};
use super::feed::NOT_CAUGHT_UP;
use super::wire::{EndReason, Kind, NO_SNAPSHOT, StreamPlace};
use crate::client::Client;
use crate::meta::Meta;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use subjects::Fault;
use tokio::time::Instant;
use uuid::Uuid;

/// How long the next lease may take to begin.
const RENEWAL: Duration = Duration::from_secs(5);
/// How long it is tried to get on before the stream is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause after the first failure; it doubles up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Of how many aggregates the versions are remembered, once the snapshot is over.
const MAX_REMEMBERED: usize = 4_096;

/// Who the watcher is, asked before each lease: a token does not live as long as a stream.
type Identify = Box<dyn FnMut() -> Result<Option<Arc<str>>, Fault> + Send>;

/// What to watch.
pub struct WatchCall {
    /// The stream's subject.
    pub subject: &'static str,
    /// The request, JSON.
    pub body: Bytes,
    /// The place to go on from. None: everything is told first.
    pub from: Option<StreamPlace>,
    /// The circumstances that travel on.
    pub meta: Meta,
    /// The internal user token of the watching user; an error ends the stream.
    pub identify: Identify,
    /// For how long after a snapshot the place is not offered as one to go on from: the events of what the snapshot
    /// told may still be on their way, and would tell it again to whoever does not remember it.
    pub settle: Duration,
}

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Never [`Kind::End`]: another lease follows by itself.
    pub kind: Kind,
    /// The item, JSON; empty where there is none.
    pub body: Bytes,
}

/// A stream as its consumer has it: it goes on over leases, replicas that die, and reconnects, and no version of an
/// item is told twice.
///
/// Memory is bounded: no more than a lease's credit waits to be heard.
pub struct Watching {
    client: Client,
    call: WatchCall,
    lease: Option<Lease>,
    /// The next lease, while it is asked for. On the heap: most of the time there is none.
    renewal: Option<BoxFuture<'static, Result<Lease, Fault>>>,
    place: Option<StreamPlace>,
    told: HashMap<Uuid, i64>,
    phase: Phase,
    failing_since: Option<Instant>,
    pause: Duration,
}

/// How far a snapshot is behind.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It is being told.
    Snapshot,
    /// The events of what it told may still come.
    Settling(Instant),
    /// Only changes come.
    Settled,
}

impl Client {
    /// Begins to watch. The service must have declared that it calls the stream's subject.
    ///
    /// # Errors
    /// What the service refuses, or why it could not be asked until the deadline.
    pub async fn watch(&self, call: WatchCall, deadline: Instant) -> Result<Watching, Fault> {
        let mut watching = Watching {
            client: self.clone(),
            place: call.from,
            call,
            lease: None,
            renewal: None,
            told: HashMap::new(),
            phase: Phase::Settled,
            failing_since: None,
            pause: FIRST_PAUSE,
        };
        let lease = loop {
            match watching.question(false)?.ask(deadline).await {
                Ok(lease) => break lease,
                // In a moment it has, or another replica is asked.
                Err(fault) if fault.reason == NOT_CAUGHT_UP && Instant::now() + LONGEST_PAUSE < deadline => {
                    tokio::time::sleep(watching.next_pause()).await;
                    watching.pause = (watching.pause * 2).min(LONGEST_PAUSE);
                }
                Err(fault) => return Err(fault),
            }
        };
        watching.lease = Some(lease);
        Ok(watching)
    }
}

impl Watching {
    /// The next that there is to hear; something comes at least every 8 s while all is well. Dropping the future loses
    /// nothing, and does not put off what is noticed of a responder that has died.
    ///
    /// # Errors
    /// The stream is over: the service refuses to go on, or for a minute nobody could.
    pub async fn next(&mut self) -> Result<Heard, Fault> {
        loop {
            let Some(lease) = &mut self.lease else {
                self.renew().await?;
                continue;
            };
            match lease.next().await {
                Some(answer) => {
                    if let Some(heard) = self.take(answer)? {
                        return Ok(heard);
                    }
                }
                None => {
                    self.client.metrics().streams().gave_up(self.call.subject);
                    self.lease = None;
                    self.failed(Fault::unavailable(1_000))?;
                }
            }
        }
    }

    /// The place from which whoever has heard everything so far can go on, also without remembering any of it.
    pub fn place(&self) -> Option<StreamPlace> {
        let place = self.place?;
        let is_settled = match self.phase {
            Phase::Snapshot => false,
            Phase::Settling(until) => until <= Instant::now(),
            Phase::Settled => true,
        };
        Some(if is_settled || place.after.is_some() { place } else { place.before_all() })
    }

    fn take(&mut self, answer: Answer) -> Result<Option<Heard>, Fault> {
        // A snapshot that is begun and does not come is no progress.
        if !matches!(answer.kind, Kind::Reset | Kind::End) {
            self.failing_since = None;
            self.pause = FIRST_PAUSE;
        }
        let is_news = answer.item.is_none_or(|(id, version)| self.remember(id, version));
        match answer.kind {
            Kind::Reset => {
                self.told.clear();
                self.phase = Phase::Snapshot;
                // Whoever has forgotten everything must not go on from where it was before.
                self.place = answer.place.map(StreamPlace::before_all);
            }
            Kind::Ready => {
                self.phase = Phase::Settling(Instant::now() + self.call.settle);
                self.place = answer.place;
            }
            Kind::Snapshot | Kind::Change | Kind::Alive => self.place = answer.place.or(self.place),
            Kind::End => {
                self.place = answer.place.or(self.place);
                self.lease = None;
                if answer.reason.as_deref() == Some(EndReason::Failed.as_str()) {
                    self.failed(Fault::unavailable(1_000).with_reason(NO_SNAPSHOT))?;
                }
                return Ok(None);
            }
        }
        if let Phase::Settling(until) = self.phase
            && until <= Instant::now()
        {
            self.phase = Phase::Settled;
            self.told = HashMap::new();
        }
        Ok(is_news.then_some(Heard { kind: answer.kind, body: answer.body }))
    }

    /// Whether a version is newer than what was told.
    fn remember(&mut self, id: Uuid, version: i64) -> bool {
        if self.told.get(&id).is_some_and(|told| *told >= version) {
            return false;
        }
        if matches!(self.phase, Phase::Settled) && self.told.len() >= MAX_REMEMBERED {
            self.told.clear();
        }
        self.told.insert(id, version);
        true
    }

    async fn renew(&mut self) -> Result<(), Fault> {
        let asked = match &mut self.renewal {
            Some(renewal) => renewal.await,
            None => match self.question(true) {
                Ok(question) => {
                    let pause = self.failing_since.map(|_since| self.next_pause()).unwrap_or_default();
                    self.renewal = Some(Box::pin(async move {
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                        question.ask(Instant::now() + RENEWAL).await
                    }));
                    return Ok(());
                }
                Err(fault) => Err(fault),
            },
        };
        self.renewal = None;
        match asked {
            Ok(lease) => self.lease = Some(lease),
            Err(fault) => self.failed(fault)?,
        }
        Ok(())
    }

    /// Notes that it did not go on.
    ///
    /// # Errors
    /// The same, where the stream is given up for it.
    fn failed(&mut self, fault: Fault) -> Result<(), Fault> {
        let failing_since = *self.failing_since.get_or_insert_with(Instant::now);
        if !fault.code.is_ours() || failing_since.elapsed() >= PATIENCE {
            return Err(fault);
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    fn next_pause(&self) -> Duration {
        self.pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }

    /// `is_renewal`: a lease was granted before.
    fn question(&mut self, is_renewal: bool) -> Result<Question, Fault> {
        Ok(Question {
            user_token: (self.call.identify)()?,
            client: self.client.clone(),
            subject: self.call.subject,
            body: self.call.body.clone(),
            meta: self.call.meta.clone(),
            from: self.place,
            is_renewal,
        })
    }
}
