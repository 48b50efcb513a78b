//! How many requests run at a time: fewer as soon as they only make each other slow, more as long as they do not.
//!
//! Each operation has a time that it usually takes while there is little to do. Where operations take much longer and many
//! run, the limit falls in that proportion; where somebody had to wait and they do not take longer, it rises by a little.

use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// It never falls below this: what waits for locks is slow, too, and keeps the others from nothing.
const LEAST: usize = 4;
/// How much longer than usual operations may take.
const TOLERANCE: f64 = 2.5;
/// The most that it falls at once.
const STEEPEST: f64 = 0.5;
/// How often it is thought over.
const WINDOW: Duration = Duration::from_millis(200);
/// From fewer results nothing is concluded: it goes on until there are so many.
const MIN_RESULTS: u32 = 20;
/// Nor from fewer of one operation.
const MIN_OF_ONE: u32 = 5;
/// How much a quiet time adds to what is usual.
const LEARNS: f64 = 0.1;

/// The limit and what it follows from.
#[derive(Debug)]
pub(super) struct Limit {
    limit: f64,
    least: f64,
    most: f64,
    /// In seconds.
    usual: HashMap<&'static str, f64>,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    ends: Option<Instant>,
    took: HashMap<&'static str, Results>,
    results: u32,
    most_running: usize,
    was_too_little: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Results {
    count: u32,
    seconds: f64,
}

impl Limit {
    /// From `first` on, up to `most`.
    pub(super) fn new(first: usize, most: usize) -> Limit {
        let most = most.max(1);
        let first = to_f64(first.clamp(1, most));
        let (least, most) = (to_f64(LEAST.min(most)), to_f64(most));
        Limit { limit: first, least, most, usual: HashMap::new(), window: Window::default() }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to what was a usize")]
    pub(super) fn get(&self) -> usize {
        self.limit as usize
    }

    /// So many run now.
    pub(super) fn runs(&mut self, running: usize) {
        self.window.most_running = self.window.most_running.max(running);
    }

    /// Somebody has to wait.
    pub(super) fn was_too_little(&mut self) {
        self.window.was_too_little = true;
    }

    /// An operation took so long.
    pub(super) fn took(&mut self, subject: &'static str, took: Duration, now: Instant) {
        let results = self.window.took.entry(subject).or_default();
        results.count += 1;
        results.seconds += took.as_secs_f64();
        self.window.results += 1;
        let is_over = now >= *self.window.ends.get_or_insert(now + WINDOW);
        if is_over && self.window.results >= MIN_RESULTS {
            let window = std::mem::take(&mut self.window);
            self.follow(&window);
        }
    }

    fn follow(&mut self, window: &Window) {
        let many_run = window.was_too_little || to_f64(window.most_running) * 2.0 > self.limit;
        let (mut results, mut ratios) = (0.0, 0.0);
        for (subject, of_one) in window.took.iter().filter(|(_, of_one)| of_one.count >= MIN_OF_ONE) {
            let took = of_one.seconds / f64::from(of_one.count);
            let usual = self.usual.entry(subject).or_insert(took);
            *usual = if many_run { usual.min(took) } else { *usual + (took - *usual) * LEARNS };
            results += f64::from(of_one.count);
            ratios += f64::from(of_one.count) * took / usual.max(f64::MIN_POSITIVE);
        }
        if results == 0.0 {
            return;
        }
        let ratio = ratios / results;
        if many_run && ratio > TOLERANCE {
            self.limit = (self.limit * (TOLERANCE / ratio).max(STEEPEST)).max(self.least);
        } else if window.was_too_little {
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
    const USUAL: Duration = Duration::from_millis(4);

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
        assert!((12..=26).contains(&world.limit.get()), "{}", world.limit.get());
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
        assert_eq!(world.limit.get(), LEAST);
        assert_eq!(Limit::new(FIRST, 1).get(), 1);
    }

    #[test]
    fn where_results_are_few_it_takes_longer_to_conclude_from_them() {
        let mut limit = Limit::new(FIRST, 64);
        let now = Instant::now();
        for (result, took) in [1].into_iter().chain([100; 39]).enumerate() {
            limit.was_too_little();
            limit.took("a", USUAL * took, now + WINDOW * u32::try_from(result).unwrap());
            // The first twenty teach what is usual.
            assert!(limit.get() >= FIRST, "{result}");
        }
    }
}
