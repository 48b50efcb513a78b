//! What is measured of any load, and closed-loop load on NATS, which no common load generator speaks: a fixed number of
//! workers, each of which asks again as soon as it has its answer.

use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// No single request may take longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after an error, so that a server that refuses at once is not asked in a busy loop.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

/// One of those who ask.
pub trait Worker: Send + 'static {
    /// Asks once and takes the whole answer; the error is for people.
    fn ask(&mut self) -> impl Future<Output = Result<(), String>> + Send;
}

/// How long a measurement takes, in whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Before anything counts.
    pub warm_up: Duration,
    /// While everything counts.
    pub measured: Duration,
}

/// What a load generator has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Good answers a second.
    pub per_second: f64,
    /// Half of the answers came within this time.
    pub p50: Duration,
    /// 95 of 100 answers came within this time.
    pub p95: Duration,
    /// 99 of 100 answers came within this time.
    pub p99: Duration,
    /// Good answers.
    pub answers: usize,
    /// Requests without a good answer.
    pub errors: usize,
    /// What the first of those said.
    pub first_error: Option<String>,
}

/// What one worker has seen.
#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    errors: usize,
    first_error: Option<String>,
}

/// Lets the workers ask for the given time.
///
/// # Errors
/// A worker that panicked.
pub async fn ask<W: Worker>(workers: Vec<W>, length: Duration) -> anyhow::Result<Found> {
    let end = Instant::now() + length;
    let takes_turns = workers.len() > 1;
    let mut asking = JoinSet::new();
    for worker in workers {
        asking.spawn(ask_until(worker, takes_turns, end));
    }
    let mut all = Seen::default();
    while let Some(seen) = asking.join_next().await {
        let Seen { latencies, errors, first_error } = seen?;
        all.latencies.extend(latencies);
        all.errors += errors;
        all.first_error = all.first_error.or(first_error);
    }
    all.latencies.sort_unstable();
    Ok(Found {
        per_second: all.latencies.len() as f64 / length.as_secs_f64(),
        p50: percentile(&all.latencies, 50.0),
        p95: percentile(&all.latencies, 95.0),
        p99: percentile(&all.latencies, 99.0),
        answers: all.latencies.len(),
        errors: all.errors,
        first_error: all.first_error,
    })
}

/// Where answers are there at once, one worker could go on without a pause while the others stand still: they take
/// turns, and the wait for the turn counts as theirs.
async fn ask_until<W: Worker>(mut worker: W, takes_turns: bool, end: Instant) -> Seen {
    let mut seen = Seen::default();
    loop {
        let asked_at = Instant::now();
        if asked_at >= end {
            return seen;
        }
        if takes_turns {
            tokio::task::yield_now().await;
        }
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, worker.ask()).await;
        let answered_at = Instant::now();
        match answer.unwrap_or_else(|_elapsed| Err(format!("no answer within {REQUEST_TIMEOUT:?}"))) {
            Ok(()) if answered_at < end => seen.latencies.push(answered_at - asked_at),
            Ok(()) => {}
            Err(error) => {
                seen.errors += 1;
                seen.first_error.get_or_insert(error);
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// The smallest of the sorted values that at least `percent` of 100 do not exceed (nearest rank); zero of none.
pub fn percentile(sorted: &[Duration], percent: f64) -> Duration {
    let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let hundred = milliseconds(1..=100);
        assert_eq!(percentile(&hundred, 50.0), Duration::from_millis(50));
        assert_eq!(percentile(&hundred, 99.0), Duration::from_millis(99));
        assert_eq!(percentile(&hundred, 100.0), Duration::from_millis(100));
        assert_eq!(percentile(&milliseconds([7]), 99.0), Duration::from_millis(7));
        assert_eq!(percentile(&milliseconds([1, 2, 3]), 50.0), Duration::from_millis(2));
        assert_eq!(percentile(&[], 50.0), Duration::ZERO);
    }

    struct EverySecondFails(usize);

    impl Worker for EverySecondFails {
        async fn ask(&mut self) -> Result<(), String> {
            self.0 += 1;
            tokio::task::yield_now().await;
            if self.0.is_multiple_of(2) { Err(format!("refused {}", self.0)) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn answers_and_errors_are_counted_apart() {
        let workers = vec![EverySecondFails(0), EverySecondFails(0)];
        let found = ask(workers, Duration::from_millis(100)).await.unwrap();
        assert!(found.answers > 0 && found.errors > 0, "{found:?}");
        assert_eq!(found.first_error.as_deref(), Some("refused 2"));
    }
}
