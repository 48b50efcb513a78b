//! Circuit breaker: a target that fails or is slow is not asked for a while. Whoever would ask is refused at once, and it has
//! peace to recover; then a few requests find out whether it has.
//!
//! Closed: what came of the requests of the last ten seconds is counted. Open: nothing is asked, for half a second at first
//! and twice as long each time that the target has not recovered, up to two seconds: whatever is back is used soon.
//! Half-open: so many requests go through, and all have to do well.

use crate::recent::Recent;
use garde::Validate;
use serde::Deserialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How far back requests count.
const WINDOW: Duration = Duration::from_secs(10);
/// The window moves by this much at a time.
const STEP: Duration = Duration::from_secs(1);

/// The section `breaker`: when a target is not asked any more. It holds for each service and each priority by itself.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Of how many requests within ten seconds there must be an outcome before any is made of them.
    #[garde(range(min = 1, max = 100_000))]
    pub min_requests: u32,
    /// Of 100 requests so many that fail open it: no answer in time, `unavailable`, `internal`.
    #[garde(range(min = 1, max = 100))]
    pub failure_percent: u32,
    /// After how many milliseconds a request that is answered was slow.
    #[garde(range(min = 1, max = 60_000))]
    pub slow_ms: u64,
    /// Of 100 requests so many that fail or are slow open it.
    #[garde(range(min = 1, max = 100))]
    pub slow_percent: u32,
    /// For how many milliseconds nothing is asked at first.
    #[garde(range(min = 1, max = 60_000))]
    pub open_ms: u64,
    /// For how many at the most.
    #[garde(range(min = 1, max = 600_000))]
    pub max_open_ms: u64,
    /// How many requests find out whether the target has recovered.
    #[garde(range(min = 1, max = 1_000))]
    pub probes: u32,
}

impl Default for BreakerConfig {
    fn default() -> BreakerConfig {
        BreakerConfig {
            min_requests: 20,
            failure_percent: 50,
            slow_ms: 3_000,
            slow_percent: 90,
            open_ms: 500,
            max_open_ms: 2_000,
            probes: 3,
        }
    }
}

/// What came of a request, as far as it tells of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It answered, after so long.
    Answered(Duration),
    /// It did not answer, or could not.
    Failed,
    /// It tells nothing: the caller has given up, or nothing got as far as the target.
    Nothing,
}

/// How a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Closed,
    HalfOpen,
    Open,
}

impl Standing {
    /// In metrics.
    pub(crate) fn as_number(self) -> i64 {
        match self {
            Standing::Closed => 0,
            Standing::HalfOpen => 1,
            Standing::Open => 2,
        }
    }

    /// In what `$SRV.STATS` tells.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Closed => "closed",
            Standing::HalfOpen => "half_open",
            Standing::Open => "open",
        }
    }
}

/// The circuit to one target.
#[derive(Debug)]
pub(crate) struct Breaker {
    config: BreakerConfig,
    circuit: Mutex<Circuit>,
}

/// That a request may go out. What comes of it counts only as long as the circuit stands as it did then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    turn: u64,
}

#[derive(Debug)]
struct Circuit {
    state: State,
    /// Counts changes of the state.
    turn: u64,
}

#[derive(Debug)]
enum State {
    Closed(Recent<Counts>),
    Open { until: Instant, length: Duration },
    HalfOpen { under_way: u32, succeeded: u32, length: Duration },
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    requests: u32,
    failed: u32,
    slow: u32,
}

impl Breaker {
    pub(crate) fn new(config: BreakerConfig) -> Breaker {
        let state = closed();
        Breaker { config, circuit: Mutex::new(Circuit { state, turn: 0 }) }
    }

    pub(crate) fn standing(&self) -> Standing {
        match self.lock().state {
            State::Closed(_) => Standing::Closed,
            State::Open { .. } => Standing::Open,
            State::HalfOpen { .. } => Standing::HalfOpen,
        }
    }

    /// Whether a request may go out. If not: after how long it is worth another try.
    pub(crate) fn admit(&self, now: Instant) -> Result<Pass, Duration> {
        let mut circuit = self.lock();
        if let State::Open { until, length } = circuit.state {
            if now < until {
                return Err(until - now);
            }
            circuit.become_state(State::HalfOpen { under_way: 0, succeeded: 0, length });
        }
        if let State::HalfOpen { under_way, succeeded, length } = &mut circuit.state {
            if *under_way + *succeeded >= self.config.probes {
                return Err(*length);
            }
            *under_way += 1;
        }
        Ok(Pass { turn: circuit.turn })
    }

    /// What came of a request that went out. Answers whether the circuit stands differently now.
    pub(crate) fn record(&self, pass: Pass, outcome: Outcome, now: Instant) -> bool {
        let mut circuit = self.lock();
        if circuit.turn != pass.turn {
            return false;
        }
        let slow = Duration::from_millis(self.config.slow_ms);
        let next = match &mut circuit.state {
            State::Open { .. } => None,
            State::Closed(window) => {
                let Some(counts) = count(window, outcome, slow, now) else { return false };
                is_beyond(&self.config, counts).then(|| self.open(Duration::from_millis(self.config.open_ms), now))
            }
            State::HalfOpen { under_way, succeeded, length } => {
                *under_way = under_way.saturating_sub(1);
                match outcome {
                    Outcome::Nothing => None,
                    Outcome::Answered(took) if took < slow => {
                        *succeeded += 1;
                        (*succeeded >= self.config.probes).then(closed)
                    }
                    Outcome::Answered(_) | Outcome::Failed => Some(self.open(length.saturating_mul(2), now)),
                }
            }
        };
        let changes = next.is_some();
        if let Some(state) = next {
            circuit.become_state(state);
        }
        changes
    }

    fn open(&self, length: Duration, now: Instant) -> State {
        let length = length.min(Duration::from_millis(self.config.max_open_ms));
        // Not all who ask begin again at the same moment.
        State::Open { until: now + length.mul_f64(0.8 + rand::random::<f64>() * 0.4), length }
    }

    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> State {
    State::Closed(Recent::new(WINDOW, STEP))
}

fn is_beyond(config: &BreakerConfig, all: Counts) -> bool {
    let share = |count: u32, percent: u32| u64::from(count) * 100 >= u64::from(percent) * u64::from(all.requests);
    all.requests >= config.min_requests
        && (share(all.failed, config.failure_percent) || share(all.failed + all.slow, config.slow_percent))
}

impl Circuit {
    fn become_state(&mut self, state: State) {
        self.state = state;
        self.turn += 1;
    }
}

/// Counts an outcome, and answers what was counted within the window. None: there was nothing to count.
fn count(window: &mut Recent<Counts>, outcome: Outcome, slow: Duration, now: Instant) -> Option<Counts> {
    let step = match outcome {
        Outcome::Nothing => return None,
        Outcome::Failed => Counts { requests: 1, failed: 1, slow: 0 },
        Outcome::Answered(took) => Counts { requests: 1, failed: 0, slow: u32::from(took >= slow) },
    };
    window.at(now).add(step);
    let mut all = Counts::default();
    window.all(now).for_each(|step| all.add(*step));
    Some(all)
}

impl Counts {
    fn add(&mut self, more: Counts) {
        self.requests += more.requests;
        self.failed += more.failed;
        self.slow += more.slow;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Outcome = Outcome::Answered(Duration::from_millis(1));
    const SLOW: Outcome = Outcome::Answered(Duration::from_secs(4));

    fn breaker() -> (Breaker, Instant) {
        (Breaker::new(BreakerConfig::default()), Instant::now())
    }

    fn ask(breaker: &Breaker, outcome: Outcome, times: u32, now: Instant) {
        for _ in 0..times {
            if let Ok(pass) = breaker.admit(now) {
                breaker.record(pass, outcome, now);
            }
        }
    }

    #[test]
    fn it_opens_when_half_of_enough_requests_fail() {
        let (breaker, now) = breaker();
        ask(&breaker, FAST, 30, now);
        ask(&breaker, Outcome::Failed, 29, now);
        assert_eq!(breaker.standing(), Standing::Closed);
        ask(&breaker, Outcome::Failed, 1, now);
        assert_eq!(breaker.standing(), Standing::Open);
        let wait = breaker.admit(now).unwrap_err();
        assert!((Duration::from_millis(400)..=Duration::from_millis(600)).contains(&wait), "{wait:?}");
    }

    #[test]
    fn of_a_few_failures_nothing_is_made() {
        let (breaker, now) = breaker();
        ask(&breaker, Outcome::Failed, 19, now);
        assert_eq!(breaker.standing(), Standing::Closed);
    }

    #[test]
    fn it_opens_when_nearly_all_are_slow() {
        let (breaker, now) = breaker();
        ask(&breaker, FAST, 3, now);
        ask(&breaker, SLOW, 26, now);
        assert_eq!(breaker.standing(), Standing::Closed);
        ask(&breaker, SLOW, 1, now);
        assert_eq!(breaker.standing(), Standing::Open);
    }

    #[test]
    fn what_was_long_ago_and_what_tells_nothing_does_not_count() {
        let (breaker, now) = breaker();
        ask(&breaker, Outcome::Failed, 19, now);
        ask(&breaker, Outcome::Nothing, 50, now);
        ask(&breaker, Outcome::Failed, 19, now + Duration::from_secs(10));
        assert_eq!(breaker.standing(), Standing::Closed);
        ask(&breaker, Outcome::Failed, 1, now + Duration::from_secs(19));
        assert_eq!(breaker.standing(), Standing::Open);
    }

    #[test]
    fn a_few_requests_find_out_whether_it_has_recovered() {
        let (breaker, now) = breaker();
        ask(&breaker, Outcome::Failed, 20, now);
        let later = now + Duration::from_secs(2);
        let passes: Vec<Pass> = (0..3).map(|_| breaker.admit(later).unwrap()).collect();
        assert_eq!(breaker.standing(), Standing::HalfOpen);
        assert!(breaker.admit(later).is_err(), "no more than so many");
        // One that tells nothing makes room for another one.
        breaker.record(passes[0], Outcome::Nothing, later);
        let another = breaker.admit(later).unwrap();
        for pass in [passes[1], passes[2], another] {
            assert_eq!(breaker.standing(), Standing::HalfOpen);
            breaker.record(pass, FAST, later);
        }
        assert_eq!(breaker.standing(), Standing::Closed);
        ask(&breaker, Outcome::Failed, 19, later);
        assert_eq!(breaker.standing(), Standing::Closed, "it counts anew");
    }

    #[test]
    fn each_time_that_it_has_not_recovered_it_is_left_alone_for_longer_up_to_a_limit() {
        let (breaker, mut now) = breaker();
        ask(&breaker, Outcome::Failed, 20, now);
        for seconds in [1, 2, 2, 2] {
            now += Duration::from_secs(20);
            let pass = breaker.admit(now).unwrap();
            breaker.record(pass, Outcome::Failed, now);
            let wait = breaker.admit(now).unwrap_err().as_secs_f64() / f64::from(seconds);
            assert!((0.8..=1.2).contains(&wait), "{wait} of {seconds} s");
        }
    }

    #[test]
    fn answers_from_before_it_opened_do_not_close_it() {
        let (breaker, now) = breaker();
        let early: Vec<Pass> = (0..10).map(|_| breaker.admit(now).unwrap()).collect();
        ask(&breaker, Outcome::Failed, 20, now);
        let later = now + Duration::from_secs(2);
        let _probe = breaker.admit(later).unwrap();
        for pass in early {
            assert!(!breaker.record(pass, FAST, later));
        }
        assert_eq!(breaker.standing(), Standing::HalfOpen);
    }
}
