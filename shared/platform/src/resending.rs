//! A request that has had no answer for a while is sent again, while the first answer is still awaited: the replica
//! that worked on it may be dead. Whoever answers first has answered.
//!
//! The queue group gives what is sent again to any replica. Nothing happens twice for it: a read changes nothing, an
//! idempotent change leaves the same state, and a keyed one waits in the service until the first is over and answers
//! what that one stored. What must not be repeated never comes here.
//!
//! Only one hop may do this for one failure, or resends would multiply from hop to hop: the outermost, which is the
//! edge. Calls that a service makes on the way are not sent again; the whole of the request is.

use crate::breaker::BreakerConfig;
use crate::client::{Attempt, Client, RawReply};
use crate::metrics::Metrics;
use crate::refusals::OVERLOADED;
use crate::resend_budget::ResendBudget;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use garde::Validate;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use subjects::{Effect, ErrorCode, Fault, Operation, catalogue};
use tokio::time::Instant;

/// How often one request is sent again at the most.
const MAX_RESENDS: u32 = 2;
/// Within this time after NATS has come back, what waits for an answer is sent again: it may have been lost.
const AFTER_RECONNECT: Duration = Duration::from_millis(100);
/// How long a refusal of an idempotent change waits for another answer: where both ran, it may tell only what the
/// other one has done.
const REFUSAL_GRACE: Duration = Duration::from_millis(100);
/// The reason of a keyed request that comes while another is at work under the same key.
const KEY_IN_USE: &str = "idempotency_key_in_use";

/// The section `client`: when a request that has had no answer is sent again, and when none is sent at all.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct ClientConfig {
    /// The silence, in milliseconds, after which a request is sent again for the first time; never more than a third
    /// of the time that is left. The silence before the second time is twice that.
    #[garde(range(min = 10, max = 60_000))]
    pub resend_after_ms: u64,
    /// How many requests in a hundred may be sent again to a service, counted over ten seconds.
    #[garde(range(max = 100))]
    pub resend_percent: u32,
    /// How many more may be in ten seconds: as many as one replica has at work when it dies, and some.
    #[garde(range(max = 100_000))]
    pub resend_floor: u32,
    /// How many requests are under way to a service at the most, reads and changes apart; more are refused at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub max_under_way: usize,
    /// When a service is not asked any more.
    #[garde(dive)]
    pub breaker: BreakerConfig,
}

impl Default for ClientConfig {
    fn default() -> ClientConfig {
        ClientConfig {
            resend_after_ms: 700,
            resend_percent: 20,
            resend_floor: 100,
            max_under_way: 4_096,
            breaker: BreakerConfig::default(),
        }
    }
}

/// When a client sends again, and what is left of its budgets: one for each service.
pub(crate) struct Resending {
    after: Duration,
    budgets: HashMap<&'static str, ResendBudget>,
    metrics: Metrics,
}

/// Whether a request may be run more than once.
pub(crate) fn may_repeat(effect: Effect, has_key: bool) -> bool {
    match effect {
        Effect::Read | Effect::Idempotent => true,
        Effect::Keyed => has_key,
        Effect::Once => false,
    }
}

impl Resending {
    pub(crate) fn new(config: &ClientConfig, metrics: Metrics) -> Resending {
        let budget = || ResendBudget::new(config.resend_percent, config.resend_floor);
        Resending {
            after: Duration::from_millis(config.resend_after_ms),
            budgets: catalogue::SERVICES.into_iter().map(|service| (service, budget())).collect(),
            metrics,
        }
    }

    /// Sends a request that may be run more than once until it has an answer.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        attempt: &Attempt<'_>,
        operation: &Operation,
    ) -> Result<RawReply, Fault> {
        let Operation { service, effect, .. } = *operation;
        let deadline = attempt.deadline();
        if let Some(budget) = self.budgets.get(service) {
            budget.asked(Instant::now());
        }
        let mut reconnected = client.connections();
        let again = attempt.again();
        let mut attempts = FuturesUnordered::new();
        attempts.push(client.attempt(attempt));
        let mut resends = 0;
        let mut resends_left = MAX_RESENDS;
        // Taken from the budget for a request that was shed, before it has been sent again.
        let mut is_paid = false;
        let mut set_aside: Option<Fault> = None;
        let silence = tokio::time::sleep(self.pause(resends, deadline));
        let grace = tokio::time::sleep_until(deadline);
        tokio::pin!(silence, grace);
        let mut in_grace = false;
        loop {
            tokio::select! {
                biased;
                Some(outcome) = attempts.next() => {
                    let fault = match outcome {
                        Ok(reply) => return Ok(reply),
                        Err(fault) => fault,
                    };
                    let others_run = !attempts.is_empty();
                    if others_run && tells_less(&fault) {
                        set_aside = Some(weightier(set_aside, fault));
                    } else if others_run && effect == Effect::Idempotent && may_be_an_echo(&fault) {
                        set_aside = Some(weightier(set_aside, fault));
                        grace.as_mut().reset(Instant::now() + REFUSAL_GRACE);
                        in_grace = true;
                        resends_left = 0;
                    } else if !others_run
                        && resends_left > 0
                        && is_shed(&fault)
                        && !client.is_crowded(operation)
                        && self.take(service)
                    {
                        is_paid = true;
                        let pause = jittered(Duration::from_millis(fault.retry_after_ms.unwrap_or_default()));
                        silence.as_mut().reset(Instant::now() + pause.min(self.pause(resends, deadline)));
                        set_aside = Some(weightier(set_aside, fault));
                    } else {
                        return Err(weightier(set_aside, fault));
                    }
                }
                () = &mut silence, if resends_left > 0 => {
                    if Instant::now() >= deadline {
                        resends_left = 0;
                    } else if !client.is_connected() && !attempts.is_empty() {
                        // It is sent again as soon as NATS is back.
                        silence.as_mut().reset(deadline);
                    } else if is_paid || self.take(service) {
                        is_paid = false;
                        resends += 1;
                        resends_left -= 1;
                        self.metrics.resent(service);
                        attempts.push(client.attempt(&again));
                        silence.as_mut().reset(Instant::now() + self.pause(resends, deadline));
                    } else {
                        resends_left = 0;
                    }
                }
                Ok(()) = reconnected.changed(), if resends_left > 0 => {
                    let soon = Instant::now() + jittered(AFTER_RECONNECT);
                    let earlier = silence.deadline().min(soon);
                    silence.as_mut().reset(earlier);
                }
                () = &mut grace, if in_grace => {
                    return Err(set_aside.unwrap_or_else(Fault::deadline_exceeded));
                }
                else => return Err(set_aside.unwrap_or_else(Fault::deadline_exceeded)),
            }
        }
    }

    fn take(&self, service: &'static str) -> bool {
        let is_left = self.budgets.get(service).is_some_and(|budget| budget.take(Instant::now()));
        if !is_left {
            self.metrics.resend_budget_exhausted(service);
        }
        is_left
    }

    /// How much silence there is before the next resend.
    fn pause(&self, resends: u32, deadline: Instant) -> Duration {
        let third = deadline.saturating_duration_since(Instant::now()) / 3;
        jittered(self.after.saturating_mul(1 << resends.min(MAX_RESENDS)).min(third))
    }
}

/// Up to a fifth less, so that requests that fell silent together are not sent again together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.8 + rand::random::<f64>() / 5.0)
}

/// Whether another answer that is still awaited could tell more: one instance's trouble need not be the other's, and
/// whoever finds the key in use has found the other one at work.
fn tells_less(fault: &Fault) -> bool {
    fault.code.is_ours() || fault.reason == KEY_IN_USE
}

/// Whether a change that was made already could be refused like this when it is made again.
fn may_be_an_echo(fault: &Fault) -> bool {
    use ErrorCode::{Conflict, Gone, NotFound, PreconditionFailed, Unauthenticated};
    matches!(fault.code, NotFound | Conflict | Gone | PreconditionFailed | Unauthenticated)
}

fn is_shed(fault: &Fault) -> bool {
    fault.code == ErrorCode::Unavailable && fault.reason == OVERLOADED
}

/// What the caller is told of two faults: that of an instance that understood the request, or else the later one.
fn weightier(earlier: Option<Fault>, later: Fault) -> Fault {
    match earlier {
        Some(earlier) if !earlier.code.is_ours() && (later.code.is_ours() || later.reason == KEY_IN_USE) => earlier,
        _ => later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_repeated_is_not() {
        assert!(may_repeat(Effect::Read, false) && may_repeat(Effect::Idempotent, false));
        assert!(may_repeat(Effect::Keyed, true));
        assert!(!may_repeat(Effect::Keyed, false) && !may_repeat(Effect::Once, true));
    }

    #[test]
    fn silence_grows_and_leaves_time_for_an_answer() {
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        let resending = Resending::new(&ClientConfig::default(), metrics);
        let bounds = |resends: u32, left_ms: u64, most_ms: u64| {
            let pause = resending.pause(resends, Instant::now() + Duration::from_millis(left_ms));
            assert!(pause <= Duration::from_millis(most_ms), "{pause:?}");
            assert!(pause >= Duration::from_millis(most_ms * 3 / 4), "{pause:?}");
        };
        bounds(0, 60_000, 700);
        bounds(1, 60_000, 1_400);
        bounds(0, 900, 300);
        assert_eq!(resending.pause(0, Instant::now()), Duration::ZERO);
    }

    #[test]
    fn a_key_in_use_tells_more_than_silence_and_less_than_a_refusal() {
        let in_use = || Fault::new(ErrorCode::Conflict, "").with_reason(KEY_IN_USE);
        let refusal = || Fault::new(ErrorCode::Conflict, "").with_reason("slot_taken");
        assert_eq!(weightier(Some(in_use()), Fault::deadline_exceeded()), in_use());
        assert_eq!(weightier(Some(in_use()), refusal()), refusal());
        assert_eq!(weightier(Some(refusal()), in_use()), refusal());
        assert_eq!(weightier(Some(Fault::unavailable(1)), Fault::deadline_exceeded()), Fault::deadline_exceeded());
    }
}
