//! How a replica does by itself.

use super::EjectionConfig;
use crate::recent::Recent;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subjects::{ErrorCode, Fault};
use tokio::time::Instant;

/// How far back requests count.
const WINDOW: Duration = Duration::from_secs(10);
/// The window moves by this much at a time.
const STEP: Duration = Duration::from_secs(1);
/// A handler that its caller gave less time than this tells of the caller's haste.
const SHORT_TIME: Duration = Duration::from_millis(250);

/// How a replica stands to its queue group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    InGroup,
    /// Back after it was away, and not yet as before.
    Probation,
    /// Out of the group for a while, by itself.
    Away,
    /// Out of it for good.
    Leaving,
}

impl Standing {
    /// In metrics.
    pub(crate) const fn as_number(self) -> i64 {
        match self {
            Standing::InGroup => 0,
            Standing::Probation => 1,
            Standing::Away => 2,
            Standing::Leaving => 3,
        }
    }

    /// In what `$SRV` tells.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Standing::InGroup => "in_group",
            Standing::Probation => "probation",
            Standing::Away => "away",
            Standing::Leaving => "leaving",
        }
    }
}

/// What a handled request tells of the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    /// It did its part.
    Well,
    /// It failed by its own fault.
    Failed,
    /// Nothing: something else was at fault.
    Untold,
}

impl Handled {
    /// The handler panicked: nobody else's fault.
    pub(crate) const PANICKED: Handled = Handled::Failed;

    /// It answered. `leant_on_others`: a call to another service failed meanwhile.
    pub(crate) fn answered<T>(outcome: &Result<T, Fault>, leant_on_others: bool) -> Handled {
        let Err(fault) = outcome else { return Handled::Well };
        match fault.code {
            // Nothing of what a service needs was asked for these.
            ErrorCode::BadRequest | ErrorCode::Unauthenticated => Handled::Untold,
            code if !code.is_ours() => Handled::Well,
            _ if leant_on_others => Handled::Untold,
            ErrorCode::Internal => Handled::Failed,
            // A cause never travels: with one, something failed here; without, room was wanting.
            ErrorCode::Unavailable | ErrorCode::DeadlineExceeded if fault.source.is_some() => Handled::Failed,
            _ => Handled::Untold,
        }
    }

    /// It was still at work after so long, when the caller gave up.
    pub(crate) fn ran_out_of_time(ran: Duration, leant_on_others: bool) -> Handled {
        if leant_on_others || ran < SHORT_TIME { Handled::Untold } else { Handled::Failed }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// What told something.
    pub(crate) handled: u32,
    pub(crate) failed: u32,
}

impl Counts {
    fn add(&mut self, more: Counts) {
        self.handled += more.handled;
        self.failed += more.failed;
    }

    pub(crate) fn fails(self, least: u32, percent: u32) -> bool {
        self.handled >= least && u64::from(self.failed) * 100 >= u64::from(percent) * u64::from(self.handled)
    }
}

/// How one replica does and stands, for itself and for those who ask it.
pub(crate) struct Condition(Mutex<Inner>);

struct Inner {
    recent: Recent<Counts>,
    /// Since it came back.
    on_probation: Counts,
    standing: Standing,
}

impl Condition {
    pub(crate) fn new() -> Condition {
        let (recent, on_probation) = (Recent::new(WINDOW, STEP), Counts::default());
        Condition(Mutex::new(Inner { recent, on_probation, standing: Standing::InGroup }))
    }

    pub(crate) fn record(&self, handled: Handled, now: Instant) {
        let failed = match handled {
            Handled::Well => 0,
            Handled::Failed => 1,
            Handled::Untold => return,
        };
        let one = Counts { handled: 1, failed };
        let mut inner = self.lock();
        inner.recent.at(now).add(one);
        inner.on_probation.add(one);
    }

    /// What was handled of late.
    pub(crate) fn counts(&self, now: Instant) -> Counts {
        let mut all = Counts::default();
        self.lock().recent.all(now).for_each(|step| all.add(*step));
        all
    }

    /// Whether it does so badly that it had better go.
    pub(super) fn fails(&self, config: &EjectionConfig, now: Instant) -> bool {
        let (standing, on_probation) = {
            let inner = self.lock();
            (inner.standing, inner.on_probation)
        };
        let soon =
            standing == Standing::Probation && on_probation.fails(config.probation_requests, config.failure_percent);
        soon || self.counts(now).fails(config.min_requests, config.failure_percent)
    }

    /// Whether it has shown on probation that it does well.
    pub(super) fn is_past_probation(&self, config: &EjectionConfig) -> bool {
        let inner = self.lock();
        inner.standing == Standing::Probation && inner.on_probation.handled >= config.min_requests
    }

    /// What was before it went does not count any more.
    pub(super) fn begin_anew(&self) {
        let mut inner = self.lock();
        inner.recent = Recent::new(WINDOW, STEP);
        inner.on_probation = Counts::default();
    }

    pub(crate) fn standing(&self) -> Standing {
        self.lock().standing
    }

    /// Whoever leaves for good does not come back.
    pub(crate) fn set(&self, standing: Standing) {
        let mut inner = self.lock();
        if inner.standing != Standing::Leaving {
            inner.standing = standing;
        }
    }

    /// What the others are told.
    pub(crate) fn as_metadata(&self, now: Instant) -> BTreeMap<&'static str, String> {
        let counts = self.counts(now);
        BTreeMap::from([
            (super::members::STANDING, self.standing().as_str().to_owned()),
            (super::members::HANDLED, counts.handled.to_string()),
            (super::members::FAILED, counts.failed.to_string()),
        ])
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(condition: &Condition, handled: Handled, times: u32, now: Instant) {
        (0..times).for_each(|_| condition.record(handled, now));
    }

    fn answered(fault: Fault, leant_on_others: bool) -> Handled {
        Handled::answered::<()>(&Err(fault), leant_on_others)
    }

    #[test]
    fn what_fails_here_is_its_own_fault() {
        let cause = || std::io::Error::other("connection reset");
        assert_eq!(answered(Fault::internal("a broken row"), false), Handled::Failed);
        assert_eq!(answered(Fault::unavailable(1).with_source(cause()), false), Handled::Failed);
        assert_eq!(answered(Fault::deadline_exceeded().with_source(cause()), false), Handled::Failed);
        assert_eq!(Handled::ran_out_of_time(Duration::from_secs(5), false), Handled::Failed);
    }

    #[test]
    fn others_refusals_and_callers_are_not() {
        let cause = || std::io::Error::other("connection reset");
        for fault in [Fault::internal("x"), Fault::unavailable(1).with_source(cause()), Fault::deadline_exceeded()] {
            assert_eq!(answered(fault, true), Handled::Untold);
        }
        // No room: nothing has failed.
        assert_eq!(answered(Fault::unavailable(250), false), Handled::Untold);
        assert_eq!(answered(Fault::invalid(Vec::new()), false), Handled::Untold);
        assert_eq!(answered(Fault::not_found("pet"), false), Handled::Well);
        assert_eq!(answered(Fault::not_found("pet"), true), Handled::Well);
        assert_eq!(Handled::answered(&Ok(()), true), Handled::Well);
        assert_eq!(Handled::ran_out_of_time(Duration::from_secs(5), true), Handled::Untold);
        assert_eq!(Handled::ran_out_of_time(Duration::from_millis(20), false), Handled::Untold);
    }

    #[test]
    fn it_fails_when_half_of_enough_requests_do() {
        let (condition, config, now) = (Condition::new(), EjectionConfig::default(), Instant::now());
        record(&condition, Handled::Failed, 19, now);
        record(&condition, Handled::Untold, 50, now);
        assert!(!condition.fails(&config, now), "too few");
        record(&condition, Handled::Failed, 1, now);
        assert!(condition.fails(&config, now));
        record(&condition, Handled::Well, 21, now);
        assert!(!condition.fails(&config, now), "less than half");
        record(&condition, Handled::Failed, 1, now);
        assert!(condition.fails(&config, now));
        assert!(!condition.fails(&config, now + WINDOW), "long ago");
    }

    #[test]
    fn on_probation_a_few_are_enough_and_a_good_while_ends_it() {
        let (condition, config, now) = (Condition::new(), EjectionConfig::default(), Instant::now());
        record(&condition, Handled::Failed, 20, now);
        condition.begin_anew();
        condition.set(Standing::Probation);
        record(&condition, Handled::Failed, 4, now);
        assert!(!condition.fails(&config, now));
        record(&condition, Handled::Failed, 1, now);
        assert!(condition.fails(&config, now));
        condition.begin_anew();
        record(&condition, Handled::Well, 19, now);
        assert!(!condition.is_past_probation(&config));
        record(&condition, Handled::Well, 1, now);
        assert!(condition.is_past_probation(&config) && !condition.fails(&config, now));
    }

    #[test]
    fn whoever_leaves_for_good_does_not_come_back() {
        let condition = Condition::new();
        condition.set(Standing::Leaving);
        condition.set(Standing::Probation);
        assert_eq!(condition.standing(), Standing::Leaving);
    }
}
