//! How much longer operations take than they usually do: the sign of too many at a time.
//!
//! What is usual is what an operation takes while there is little to do. It is learned from the quickest times, and soon; a
//! time that has become longer for good is taken for usual within a quarter of an hour or so. What is quicker than most of
//! what a network does counts as a few milliseconds: several times that is still nothing that anybody waits for.

use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How often a conclusion is drawn.
const WINDOW: Duration = Duration::from_millis(100);
/// From fewer results nothing is concluded: it goes on until there are so many.
const MIN_RESULTS: u32 = 20;
/// Nor from fewer of one operation.
const MIN_OF_ONE: u32 = 5;
/// What is usual is never shorter, in seconds.
const LEAST_USUAL: f64 = 0.01;
/// How much of a shorter time is learned at once.
const LEARNS: f64 = 0.1;
/// By how much what is usual grows while all takes longer: by a tenth in a hundred seconds at the most.
const FORGETS: f64 = 0.000_1;

/// What is known of some operations.
#[derive(Debug, Default)]
pub struct Slowness {
    /// In seconds.
    usual: HashMap<&'static str, f64>,
    took: HashMap<&'static str, Results>,
    results: u32,
    ends: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Results {
    count: u32,
    seconds: f64,
    weight: f64,
}

impl Slowness {
    /// An operation took so long. Ten times a second at the most, and from twenty results at least, it follows how many times
    /// as long as usual they take: that one of them which is the least so, for what one alone waits for is not short here.
    ///
    /// `weight`: what is beyond the usual counts so many times for this operation.
    pub fn took(&mut self, operation: &'static str, weight: f64, took: Duration, now: Instant) -> Option<f64> {
        let results = self.took.entry(operation).or_default();
        results.weight = weight;
        results.count += 1;
        results.seconds += took.as_secs_f64();
        self.results += 1;
        let is_over = now >= *self.ends.get_or_insert(now + WINDOW);
        if !is_over || self.results < MIN_RESULTS {
            return None;
        }
        (self.results, self.ends) = (0, None);
        let mut least: Option<f64> = None;
        for (operation, of_one) in self.took.drain().filter(|(_, of_one)| of_one.count >= MIN_OF_ONE) {
            let took = of_one.seconds / f64::from(of_one.count);
            let usual = self.usual.entry(operation).or_insert(took);
            *usual = if took < *usual { *usual + (took - *usual) * LEARNS } else { took.min(*usual * (1.0 + FORGETS)) };
            let times = 1.0 + (took / usual.max(LEAST_USUAL) - 1.0) * of_one.weight;
            least = Some(least.map_or(times, |least| least.min(times)));
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_millis(20);

    struct World {
        slowness: Slowness,
        now: Instant,
    }

    impl World {
        /// What is concluded last from so many windows in which each takes so long.
        fn windows(&mut self, windows: u32, took: Duration) -> f64 {
            let mut last = None;
            for _ in 0..windows * MIN_RESULTS {
                last = self.slowness.took("a", 1.0, took, self.now).or(last);
                self.now += WINDOW * 21 / 20 / (MIN_RESULTS - 1);
            }
            last.unwrap()
        }
    }

    fn world() -> World {
        World { slowness: Slowness::default(), now: Instant::now() }
    }

    #[test]
    fn it_is_told_how_many_times_as_long_as_usual_they_take() {
        let mut world = world();
        let told = [(5, USUAL), (1, USUAL * 3), (100, USUAL * 3), (1, USUAL)]
            .map(|(windows, took)| world.windows(windows, took));
        let about = [1.0, 3.0, 2.97, 1.0];
        assert!(told.iter().zip(about).all(|(told, about)| (told - about).abs() < 0.02), "{told:?}");
    }

    #[test]
    fn a_shorter_time_is_usual_soon_and_a_longer_one_at_length() {
        let mut world = world();
        world.windows(1, USUAL * 4);
        let sooner = world.windows(50, USUAL);
        assert!(sooner > 0.9, "{sooner}");
        let later = [600, 14_000].map(|windows| world.windows(windows, USUAL * 2));
        assert!(later[0] > 1.8 && later[1] < 1.01, "{later:?}");
    }

    #[test]
    fn what_weighs_more_is_slow_sooner_and_as_usual_all_the_same() {
        let mut slowness = Slowness::default();
        let start = Instant::now();
        let mut told = |number: u32, took: Duration| slowness.took("a", 4.0, took, start + WINDOW * number / 10);
        let seen = (0..200).filter_map(|number| told(number, if number < 100 { USUAL } else { USUAL * 3 / 2 }));
        let seen = seen.collect::<Vec<_>>();
        assert!(seen.len() >= 8 && seen.iter().take(4).all(|times| (times - 1.0).abs() < 0.01), "{seen:?}");
        assert!(seen.last().is_some_and(|times| (times - 3.0).abs() < 0.1), "{seen:?}");
    }

    #[test]
    fn what_is_quick_anyway_is_not_slow() {
        let mut slowness = Slowness::default();
        let start = Instant::now();
        let mut told =
            |number: u32, took: u64| slowness.took("a", 1.0, Duration::from_millis(took), start + WINDOW * number / 10);
        let times = (0..200).filter_map(|number| told(number, if number < 100 { 1 } else { 10 })).collect::<Vec<_>>();
        assert!(times.len() >= 8 && times.iter().all(|times| *times <= 1.01), "{times:?}");
    }

    #[test]
    fn what_one_alone_waits_for_is_no_sign() {
        let mut slowness = Slowness::default();
        let start = Instant::now();
        let told = |number: u32, slow: u32, quick: u32, slowness: &mut Slowness| {
            let now = start + Duration::from_millis(10) * number;
            let (operation, times) = if number.is_multiple_of(2) { ("waits", slow) } else { ("does not", quick) };
            slowness.took(operation, 1.0, USUAL * times, now)
        };
        let one = (0..100).filter_map(|number| told(number, 1 + number, 1, &mut slowness)).collect::<Vec<_>>();
        assert!(one.len() >= 4 && one.iter().all(|times| (times - 1.0).abs() < 0.01), "{one:?}");
        let both = (100..200).filter_map(|number| told(number, 1_000, 5, &mut slowness)).last();
        assert!(both.is_some_and(|times| (times - 5.0).abs() < 0.1), "{both:?}");
    }

    #[test]
    fn each_operation_has_a_time_of_its_own_and_a_few_results_tell_nothing() {
        let mut slowness = Slowness::default();
        let start = Instant::now();
        let mut told = Vec::new();
        for number in 0..200_u32 {
            let now = start + Duration::from_millis(10) * number;
            let (operation, took) = match number % 20 {
                0 => ("seldom", USUAL * number),
                even if even % 2 == 0 => ("long", USUAL * 50),
                _ => ("short", USUAL),
            };
            told.extend(slowness.took(operation, 1.0, took, now));
        }
        assert!(told.len() >= 9 && told.iter().all(|times| (times - 1.0).abs() < 0.01), "{told:?}");
    }
}
