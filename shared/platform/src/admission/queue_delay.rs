//! Tells a burst, which a queue is there for, from a queue that stands: CoDel (RFC 8289), as servers use it for requests.

use std::time::Duration;
use tokio::time::Instant;

/// The wait that a good queue comes down to now and again.
const TARGET: Duration = Duration::from_millis(20);
/// How long one waits at the most in a queue that stands.
const LONGEST: Duration = Duration::from_millis(40);

/// What one queue's waits say of it.
#[derive(Debug)]
pub(super) struct QueueDelay {
    /// If nobody who was served within such a time has waited less than [`TARGET`], the queue stands.
    length: Duration,
    interval: Option<Interval>,
    stands: bool,
}

#[derive(Debug)]
struct Interval {
    ends: Instant,
    shortest: Duration,
}

impl QueueDelay {
    pub(super) fn new(length: Duration) -> QueueDelay {
        QueueDelay { length, interval: None, stands: false }
    }

    /// Somebody's turn has come after so long.
    pub(super) fn saw(&mut self, waited: Duration, now: Instant) {
        match &mut self.interval {
            Some(interval) if now < interval.ends => interval.shortest = interval.shortest.min(waited),
            over => {
                // Of what is long over nothing follows.
                let just_over = over.as_ref().filter(|interval| now < interval.ends + self.length);
                self.stands = just_over.is_some_and(|interval| interval.shortest > TARGET);
                *over = Some(Interval { ends: now + self.length, shortest: waited });
            }
        }
    }

    /// Whether somebody whose turn has come after so long is refused instead.
    pub(super) fn is_too_long(&mut self, waited: Duration, now: Instant) -> bool {
        self.saw(waited, now);
        self.stands && waited > LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(2);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_burst_is_served_however_long_the_last_one_waits() {
        let (mut delay, start) = (QueueDelay::new(INTERVAL), Instant::now());
        for waited in 0..3_900 {
            assert!(!delay.is_too_long(ms(waited), start + ms(waited)), "{waited}");
        }
    }

    #[test]
    fn a_queue_that_stands_refuses_who_has_waited_long_until_it_stands_no_more() {
        let (mut delay, start) = (QueueDelay::new(INTERVAL), Instant::now());
        for at in (0..2_000).step_by(10) {
            assert!(!delay.is_too_long(ms(300), start + ms(at)));
        }
        assert!(delay.is_too_long(ms(300), start + ms(2_000)));
        assert!(!delay.is_too_long(ms(39), start + ms(2_010)));
        // One that has waited little shows that it comes down.
        assert!(!delay.is_too_long(ms(1), start + ms(3_990)));
        assert!(!delay.is_too_long(ms(300), start + ms(4_000)));
    }

    #[test]
    fn a_quiet_time_is_forgotten() {
        let (mut delay, start) = (QueueDelay::new(INTERVAL), Instant::now());
        assert!(!delay.is_too_long(ms(300), start));
        assert!(!delay.is_too_long(ms(300), start + ms(60_000)));
    }
}
