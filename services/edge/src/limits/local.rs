//! Counting in this process alone: for as long as Redis is away, or where there is none.

use super::{Outcome, Share};
use quick_cache::unsync::Cache;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many callers are remembered. Those who have not asked for the longest time are forgotten first.
const MAX_CALLERS: usize = 50_000;

/// The counts of one process.
pub struct Local {
    started: Instant,
    /// When each bucket will be empty, in microseconds since the start.
    empty_at: Mutex<Cache<String, i64>>,
}

impl Local {
    /// Nobody has asked yet.
    pub fn new() -> Local {
        Local { started: Instant::now(), empty_at: Mutex::new(Cache::new(MAX_CALLERS)) }
    }

    /// Takes one request from every budget, or from none of them.
    pub fn take(&self, shares: &[Share]) -> Outcome {
        let now = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let backlog = |share: &Share| (empty_at.get(&share.key).copied().unwrap_or(now) - now).max(0);
        let mut backlogs_us: Vec<i64> = shares.iter().map(backlog).collect();
        let taken = shares.iter().zip(&backlogs_us).all(|(share, backlog)| share.policy.admits(*backlog));
        if taken {
            for (share, backlog) in shares.iter().zip(&mut backlogs_us) {
                *backlog += share.policy.share_us();
                empty_at.insert(share.key.clone(), now + *backlog);
            }
        }
        Outcome { taken, backlogs_us }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::gcra::Policy;
    use std::time::Duration;

    fn share(key: &str, quota: u32) -> Share {
        let policy = Policy { quota, window: Duration::from_secs(3_600) };
        Share { budget: "general", key: key.to_owned(), policy }
    }

    #[test]
    fn each_caller_has_a_quota_and_a_refusal_costs_nothing() {
        let local = Local::new();
        let both = [share("login", 2), share("general", 3)];
        assert_eq!([true, true, false, false], [0; 4].map(|_| local.take(&both).taken));
        // The two refusals were not taken from the larger budget.
        assert_eq!([true, false], [0; 2].map(|_| local.take(&both[1..]).taken));
        assert!(local.take(&[share("other", 1)]).taken);
    }

    #[test]
    fn memory_is_bounded() {
        let local = Local::new();
        for caller in 0..MAX_CALLERS + 1_000 {
            local.take(&[share(&caller.to_string(), 1)]);
        }
        assert!(local.empty_at.lock().unwrap().len() <= MAX_CALLERS);
    }
}
