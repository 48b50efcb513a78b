//! What went wrong with an event, and when it is worth another try.

use super::incoming::Incoming;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use subjects::{ErrorCode, Fault};
use uuid::Uuid;

const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);
/// How many failing events are remembered. When it is more, the trouble is hardly theirs.
const REMEMBERED: usize = 10_000;

/// Whether a part is away or too slow: nothing is wrong with the event.
pub(crate) fn is_passing(fault: &Fault) -> bool {
    matches!(fault.code, ErrorCode::Unavailable | ErrorCode::DeadlineExceeded)
}

/// A fault with its causes.
pub(crate) fn chain(fault: &Fault) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(error) = cause {
        let error_text = error.to_string();
        if !text.ends_with(&error_text) {
            text.push_str(": ");
            text.push_str(&error_text);
        }
        cause = error.source();
    }
    text
}

/// Doubles with each attempt from a second to a minute, and is spread by half.
pub(super) fn delay(attempt: u32) -> Duration {
    let longest = FIRST_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(6)).min(MAX_DELAY);
    longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

/// How often the handler has failed with which events, in this replica. Deliveries are not counted: an event is given out
/// again also because something was away.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<Uuid, u32>>);

impl Failures {
    /// One more; answers how many there are.
    pub(super) fn add(&self, incoming: &Incoming) -> u32 {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED && !failures.contains_key(&incoming.event_id) {
            failures.clear();
        }
        let count = failures.entry(incoming.event_id).or_default();
        *count = count.saturating_add(1);
        *count
    }

    pub(super) fn of(&self, incoming: &Incoming) -> u32 {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(&incoming.event_id).copied().unwrap_or_default()
    }

    pub(super) fn forget(&self, incoming: &Incoming) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&incoming.event_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_and_is_bounded() {
        for attempt in 1..200 {
            assert!(delay(attempt) >= FIRST_DELAY / 2, "{attempt}");
            assert!(delay(attempt) <= MAX_DELAY, "{attempt}");
        }
        assert!(delay(20) >= MAX_DELAY / 2);
    }

    #[test]
    fn a_chain_has_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let fault = Fault::internal(Outer(std::io::Error::other("inner")));
        assert_eq!(chain(&fault), "internal: something went wrong on our side: outer: inner");
    }
}
