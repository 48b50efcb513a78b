//! How many requests run at a time: fewer as soon as they only make each other slow, more as long as they do not.
//!
//! Where operations take much longer than they usually do ([`Slowness`]) and many run, the limit falls in that proportion;
//! where somebody had to wait and they do not take longer, it rises by a little.

use crate::slowness::Slowness;
use std::time::Duration;
use tokio::time::Instant;

/// How much longer than usual operations may take.
const TOLERANCE: f64 = 2.5;
/// The most that it falls at once.
const STEEPEST: f64 = 0.5;

/// The limit and what it follows from.
#[derive(Debug)]
pub(super) struct Limit {
    limit: f64,
    least: f64,
    most: f64,
    slowness: Slowness,
    /// Since it was thought over last.
    most_running: usize,
    was_too_little: bool,
}

impl Limit {
    /// From `first` on, up to `most`, and never below `first`: what waits for locks, or for a processor that others have,
    /// is slow, too, and keeps the others from nothing.
    pub(super) fn new(first: usize, most: usize) -> Limit {
        let most = most.max(1);
        let (least, most) = (to_f64(first.clamp(1, most)), to_f64(most));
        let slowness = Slowness::default();
        Limit { limit: least, least, most, slowness, most_running: 0, was_too_little: false }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to what was a usize")]
    pub(super) fn get(&self) -> usize {
        self.limit as usize
    }

    /// So many run now.
    pub(super) fn runs(&mut self, running: usize) {
        self.most_running = self.most_running.max(running);
    }

    /// Somebody has to wait.
    pub(super) fn was_too_little(&mut self) {
        self.was_too_little = true;
    }

    /// An operation took so long.
    pub(super) fn took(&mut self, subject: &'static str, took: Duration, now: Instant) {
        let Some(times) = self.slowness.took(subject, 1.0, took, now) else { return };
        let (most_running, was_too_little) = (self.most_running, self.was_too_little);
        (self.most_running, self.was_too_little) = (0, false);
        let many_run = was_too_little || to_f64(most_running) * 2.0 > self.limit;
        if many_run && times > TOLERANCE {
            self.limit = (self.limit * (TOLERANCE / times).max(STEEPEST)).max(self.least);
        } else if was_too_little {
            self.limit = (self.limit + self.limit.sqrt() / 2.0).min(self.most);
        }
    }
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: usize = 16;
    const USUAL: Duration = Duration::from_millis(20);
    const WINDOW: Duration = Duration::from_millis(100);

    struct World {
        limit: Limit,
        now: Instant,
    }

    impl World {
        fn new() -> World {
            World { limit: Limit::new(FIRST, 64), now: Instant::now() }
        }

        /// Windows in which so many run and each takes as long as it does then.
        fn windows(&mut self, windows: usize, waits: bool, took: impl Fn(usize) -> (usize, Duration)) {
            for _ in 0..windows {
                let (running, each) = took(self.limit.get());
                self.limit.runs(running);
                if waits {
                    self.limit.was_too_little();
                }
                for _ in 0..=20 {
                    self.limit.took("a", each, self.now);
                    self.now += WINDOW / 20;
                }
            }
        }
    }

    #[test]
    fn it_rises_while_somebody_waits_and_falls_when_they_make_each_other_slow() {
        let mut world = World::new();
        world.windows(5, false, |_| (2, USUAL));
        assert_eq!(world.limit.get(), FIRST);
        world.windows(60, true, |limit| (limit, USUAL));
        assert_eq!(world.limit.get(), 64);
        // Eight can work at the same time; more wait for each other.
        world.windows(30, true, |limit| (limit, USUAL * u32::try_from(limit.max(8)).unwrap() / 8));
        assert!((16..=26).contains(&world.limit.get()), "{}", world.limit.get());
        world.windows(60, true, |limit| (limit, USUAL));
        assert_eq!(world.limit.get(), 64);
    }

    #[test]
    fn it_stays_where_a_few_requests_are_slow() {
        let mut world = World::new();
        world.windows(5, false, |_| (2, USUAL));
        world.windows(50, false, |_| (2, USUAL * 100));
        assert_eq!(world.limit.get(), FIRST);
    }

    #[test]
    fn it_never_falls_below_what_is_of_use() {
        let mut world = World::new();
        world.windows(5, false, |_| (2, USUAL));
        world.windows(100, true, |limit| (limit, USUAL * 100));
        assert_eq!(world.limit.get(), FIRST);
        assert_eq!(Limit::new(FIRST, 1).get(), 1);
    }
}
