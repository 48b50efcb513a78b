//! What a client knows of those that it asks: how many of its requests are under way there, and whether it is of any use to
//! ask. For each service and each priority by itself, and for its streams: where changes stand still, reads go on.

use crate::breaker::{Breaker, Outcome, Pass, Standing};
use crate::metrics::Metrics;
use crate::refusals::{CIRCUIT_OPEN, DEPENDENCY_UNAVAILABLE, OVERLOADED, THROTTLED, TOO_MANY_UNDER_WAY};
use crate::resending::ClientConfig;
use crate::throttle::Throttle;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use subjects::{ErrorCode, Fault, Kind, Operation, Priority, catalogue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// After how long whoever was refused for want of room should try again.
const COME_AGAIN: Duration = Duration::from_millis(250);
/// A silence that is shorter tells of the caller, who had no more time, and not of the target.
const SHORT_SILENCE: Duration = Duration::from_millis(250);

/// What a service is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Of(Priority),
    /// Leases of streams.
    Streams,
}

impl Class {
    fn all() -> impl Iterator<Item = Class> {
        Priority::ALL.into_iter().map(Class::Of).chain([Class::Streams])
    }

    pub(crate) fn of(operation: &Operation) -> Class {
        match operation.kind {
            Kind::Stream => Class::Streams,
            Kind::Request => Class::Of(operation.priority),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Class::Of(priority) => priority.as_str(),
            Class::Streams => "streams",
        }
    }
}

/// All targets of one client.
pub(crate) struct Targets {
    targets: HashMap<(&'static str, Class), Arc<Target>>,
}

struct Target {
    caller: &'static str,
    service: &'static str,
    class: Class,
    throttle: Throttle,
    breaker: Breaker,
    room: Arc<Semaphore>,
    metrics: Metrics,
}

/// A request's place among those that are under way to a target.
pub(crate) struct Place {
    target: Arc<Target>,
    pass: Pass,
    began: Instant,
    is_over: bool,
    _room: OwnedSemaphorePermit,
}

impl Targets {
    pub(crate) fn new(caller: &'static str, config: &ClientConfig, metrics: &Metrics) -> Targets {
        let target = |service, class| Target {
            caller,
            service,
            class,
            throttle: Throttle::new(),
            breaker: Breaker::new(config.breaker.clone()),
            room: Arc::new(Semaphore::new(config.max_under_way)),
            metrics: metrics.clone(),
        };
        let all = catalogue::SERVICES.into_iter().flat_map(|service| Class::all().map(move |class| (service, class)));
        Targets { targets: all.map(|(service, class)| ((service, class), Arc::new(target(service, class)))).collect() }
    }

    /// A place for a request. None: nothing is known of such a service.
    ///
    /// # Errors
    /// `unavailable`, at once: too many are under way, or the target is left alone.
    pub(crate) fn enter(&self, service: &'static str, class: Class) -> Result<Option<Place>, Fault> {
        let Some(target) = self.targets.get(&(service, class)) else { return Ok(None) };
        let room = target.room.clone().try_acquire_owned();
        let room = room.map_err(|_full| target.refuse(TOO_MANY_UNDER_WAY, COME_AGAIN))?;
        let began = Instant::now();
        let is_critical = class == Class::Of(Priority::Critical);
        if !is_critical && !target.throttle.admits(rand::random(), began) {
            return Err(target.refuse(THROTTLED, COME_AGAIN));
        }
        let pass = target.breaker.admit(began).map_err(|wait| target.refuse(CIRCUIT_OPEN, wait))?;
        Ok(Some(Place { target: target.clone(), pass, began, is_over: false, _room: room }))
    }

    /// Whether a target refuses so much that what it has refused is better not sent again; what is critical always is.
    pub(crate) fn is_crowded(&self, service: &'static str, class: Class) -> bool {
        let target = self.targets.get(&(service, class)).filter(|_| class != Class::Of(Priority::Critical));
        target.is_some_and(|target| target.throttle.is_crowded(Instant::now()))
    }

    /// The circuits that are not closed.
    pub(crate) fn troubled(&self) -> BTreeMap<String, &'static str> {
        let standing = self.targets.values().map(|target| (target, target.breaker.standing()));
        let troubled = standing.filter(|(_, standing)| *standing != Standing::Closed);
        troubled.map(|(target, standing)| (target.name(), standing.as_str())).collect()
    }
}

impl Target {
    fn name(&self) -> String {
        format!("{}.{}", self.service, self.class.as_str())
    }

    fn refuse(&self, reason: &'static str, come_again: Duration) -> Fault {
        self.metrics.call_refused([self.caller, self.service, self.class.as_str(), reason]);
        let come_again = u64::try_from(come_again.as_millis()).unwrap_or(u64::MAX).max(1);
        Fault::unavailable(come_again).with_reason(reason)
    }

    fn record(&self, pass: Pass, outcome: Outcome) {
        if !self.breaker.record(pass, outcome, Instant::now()) {
            return;
        }
        let (standing, target) = (self.breaker.standing(), self.name());
        self.metrics.circuit([self.caller, self.service, self.class.as_str()], standing.as_number());
        match standing {
            Standing::Closed => tracing::info!(target_service = target, "asked again: it has recovered"),
            Standing::Open | Standing::HalfOpen => {
                tracing::warn!(target_service = target, "not asked for a while: it fails or is too slow");
            }
        }
    }
}

impl Place {
    /// The target has answered.
    pub(crate) fn answered(mut self, refused: Option<&Fault>) {
        let took = self.began.elapsed();
        if refused.is_some_and(|fault| fault.reason == OVERLOADED) {
            self.target.throttle.refused(Instant::now());
        }
        let outcome = match refused {
            // It is at its limit and says so at once: the best that it can do.
            Some(fault) if fault.reason == OVERLOADED => Outcome::Nothing,
            // It does what it can; another of its operations may need nothing of the kind.
            Some(fault) if fault.reason == DEPENDENCY_UNAVAILABLE => Outcome::Answered(took),
            Some(fault) if matches!(fault.code, ErrorCode::Unavailable | ErrorCode::DeadlineExceeded) => {
                Outcome::Failed
            }
            _ => Outcome::Answered(took),
        };
        self.end(outcome);
    }

    /// It has not, until the caller's time was over.
    pub(crate) fn silent(mut self) {
        let was_long = self.began.elapsed() >= SHORT_SILENCE;
        self.end(if was_long { Outcome::Failed } else { Outcome::Nothing });
    }

    fn end(&mut self, outcome: Outcome) {
        self.is_over = true;
        self.target.record(self.pass, outcome);
    }
}

/// The caller has gone, or nothing got as far as the target.
impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_over {
            self.target.record(self.pass, Outcome::Nothing);
        }
    }
}
