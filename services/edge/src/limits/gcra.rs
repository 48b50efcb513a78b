//! The generic cell rate algorithm, as a leaking bucket: every request adds its share of the window, time takes it
//! away again, and what would make it overflow is refused. A whole quota can be used at once; then it comes back evenly.

use std::time::Duration;

/// So many requests in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many.
    pub quota: u32,
    /// In how long.
    pub window: Duration,
}

impl Policy {
    /// What one request adds, in microseconds.
    pub fn share_us(self) -> i64 {
        let window_us = i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX);
        (window_us / i64::from(self.quota.max(1))).max(1)
    }

    /// What fits in, in microseconds. Made from the share, so that rounding never lets one more pass.
    pub fn capacity_us(self) -> i64 {
        self.share_us().saturating_mul(i64::from(self.quota))
    }

    /// Whether one more fits on top of `backlog_us`.
    pub fn admits(self, backlog_us: i64) -> bool {
        backlog_us.saturating_add(self.share_us()) <= self.capacity_us()
    }

    /// How many more fit on top of `backlog_us`.
    pub fn remaining(self, backlog_us: i64) -> i64 {
        (self.capacity_us() - backlog_us).max(0) / self.share_us()
    }

    /// How long it takes until one more fits.
    pub fn retry_after(self, backlog_us: i64) -> Duration {
        let excess_us = backlog_us.saturating_add(self.share_us()) - self.capacity_us();
        Duration::from_micros(u64::try_from(excess_us).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 10,000 requests pass that come at these times, in microseconds.
    fn passed(policy: Policy, times: impl Iterator<Item = i64>) -> usize {
        let mut empty_at = 0;
        let mut passed = 0;
        for now in times.take(10_000) {
            let backlog = (empty_at - now).max(0);
            if policy.admits(backlog) {
                empty_at = now + backlog + policy.share_us();
                passed += 1;
            }
        }
        passed
    }

    #[test]
    fn exactly_the_quota_passes_at_once_whatever_the_numbers() {
        for (quota, window_s) in [(1, 1), (5, 900), (7, 60), (100, 900), (999, 1), (3_000, 7)] {
            let policy = Policy { quota, window: Duration::from_secs(window_s) };
            assert_eq!(passed(policy, std::iter::repeat(5)), quota as usize, "{policy:?}");
        }
    }

    #[test]
    fn after_the_burst_requests_pass_at_the_rate() {
        let policy = Policy { quota: 10, window: Duration::from_secs(10) };
        // A hundred seconds, a request every 10 ms.
        assert_eq!(passed(policy, (0..10_000).map(|tick| tick * 10_000)), 10 + 99);
    }

    #[test]
    fn what_is_told_of_a_full_bucket_is_when_the_next_one_passes() {
        let policy = Policy { quota: 4, window: Duration::from_secs(8) };
        let full = policy.capacity_us();
        assert!(!policy.admits(full));
        assert_eq!((policy.remaining(full), policy.retry_after(full)), (0, Duration::from_secs(2)));
        assert_eq!((policy.remaining(0), policy.retry_after(0)), (4, Duration::ZERO));
    }
}
