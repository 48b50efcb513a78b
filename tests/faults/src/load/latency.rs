//! How long acknowledged writes took, by the second in which they were due.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many seconds in a row have to be normal.
const SECONDS_IN_A_ROW: u64 = 3;
/// Below this nothing is out of the ordinary, however fast the machine is otherwise.
const ALWAYS_NORMAL: Duration = Duration::from_millis(250);

/// Times of all writes. A write counts from the moment it was due, until its acknowledgement, whatever had to be sent
/// again meanwhile.
pub struct Latency {
    started: Instant,
    seconds: Mutex<BTreeMap<u64, Second>>,
}

#[derive(Default)]
struct Second {
    due: usize,
    took: Vec<Duration>,
}

/// What is normal.
#[derive(Debug, Clone, Copy)]
pub struct Normal {
    /// Half of the writes take no longer without any fault.
    pub p50: Duration,
    /// 99 of 100 writes take no longer without any fault.
    pub p99: Duration,
}

impl Normal {
    /// What 99 of 100 writes may take so that a second counts as normal: three times the usual, or a quarter of a
    /// second.
    pub fn limit(&self) -> Duration {
        (self.p99 * 3).max(ALWAYS_NORMAL)
    }
}

impl Default for Latency {
    fn default() -> Latency {
        Latency { started: Instant::now(), seconds: Mutex::default() }
    }
}

impl Latency {
    /// A write is due now.
    pub fn due(&self) -> Due {
        let at = Instant::now();
        let second = self.second_of(at);
        self.seconds().entry(second).or_default().due += 1;
        Due { at, second }
    }

    /// It was answered.
    pub fn answered(&self, due: Due) {
        if let Some(second) = self.seconds().get_mut(&due.second) {
            second.took.push(due.at.elapsed());
        }
    }

    /// What was usual between two moments.
    pub fn between(&self, from: Instant, to: Instant) -> Normal {
        let seconds = self.seconds();
        let range = self.second_of(from)..=self.second_of(to);
        let mut took: Vec<Duration> = seconds.range(range).flat_map(|(_, second)| second.took.clone()).collect();
        took.sort_unstable();
        Normal { p50: percentile(&took, 50), p99: percentile(&took, 99) }
    }

    /// The first moment at or after `from` with which a row of normal seconds begins; none so far.
    pub fn normal_since(&self, from: Instant, normal: Normal) -> Option<Instant> {
        let seconds = self.seconds();
        // The last second may still fill.
        let last = self.second_of(Instant::now()).checked_sub(1)?;
        let first = self.second_of(from);
        let is_normal = |number: u64| seconds.get(&number).is_some_and(|second| second.is_normal(normal));
        let begins = (first..=last).find(|begin| {
            let end = begin + SECONDS_IN_A_ROW;
            end <= last + 1 && (*begin..end).all(is_normal)
        })?;
        Some((self.started + Duration::from_secs(begins)).max(from))
    }

    fn second_of(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.started).as_secs()
    }

    fn seconds(&self) -> MutexGuard<'_, BTreeMap<u64, Second>> {
        self.seconds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Second {
    /// Every write of it was answered, 99 of 100 in the usual time.
    fn is_normal(&self, normal: Normal) -> bool {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.len() == self.due && self.due > 0 && percentile(&took, 99) <= normal.limit()
    }
}

/// A write that is due.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    at: Instant,
    second: u64,
}

/// The smallest of the sorted values that at least `percent` of 100 do not exceed; zero of none.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(100));
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(198));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn a_second_with_an_open_write_is_not_normal() {
        let normal = Normal { p50: Duration::from_millis(1), p99: Duration::from_millis(2) };
        let took = vec![Duration::from_millis(1); 4];
        assert!(Second { due: 4, took: took.clone() }.is_normal(normal));
        assert!(!Second { due: 5, took: took.clone() }.is_normal(normal));
        assert!(!Second { due: 0, took: Vec::new() }.is_normal(normal));
        let slow = Second { due: 5, took: took.into_iter().chain([Duration::from_secs(1)]).collect() };
        assert!(!slow.is_normal(normal));
    }
}
