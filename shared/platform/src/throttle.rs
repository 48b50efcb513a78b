//! A target that refuses for want of room is asked less by those whom it refuses: even a refusal costs it something.
//!
//! Adaptive throttling, as in "Handling Overload" of Google's book on site reliability: a client sends about twice as
//! much as is taken of it, and refuses the rest itself, each by lot.

use crate::recent::Recent;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How far back requests count: it is also how long it takes until all is as before.
const WINDOW: Duration = Duration::from_secs(2);
/// The window moves by this much at a time.
const STEP: Duration = Duration::from_millis(200);
/// How many requests are sent for one that is taken.
const SENT_PER_TAKEN: f64 = 2.0;
/// Such a share is refused by a replica that has a bad moment, while the others have room.
const FEW: f64 = 0.1;
/// So many refusals within the window change nothing.
const FLOOR: f64 = 20.0;

/// What is known of how much a target takes.
#[derive(Debug)]
pub(crate) struct Throttle {
    recent: Mutex<Recent<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u32,
    /// By the target, and here.
    refused: u32,
}

impl Throttle {
    pub(crate) fn new() -> Throttle {
        Throttle { recent: Mutex::new(Recent::new(WINDOW, STEP)) }
    }

    /// Whether a request may be sent; `lot` is a number from 0 to 1.
    pub(crate) fn admits(&self, lot: f64, now: Instant) -> bool {
        let mut recent = self.lock();
        let (requests, refused) = sums(&mut recent, now);
        // What is not answered yet may still be taken.
        let taken = requests - refused;
        let admits = lot >= (requests - SENT_PER_TAKEN * taken - FLOOR) / (requests + 1.0);
        let step = recent.at(now);
        step.requests += 1;
        step.refused += u32::from(!admits);
        admits
    }

    /// Whether the target refuses so many that what it has refused would only be refused once more.
    pub(crate) fn is_crowded(&self, now: Instant) -> bool {
        let (requests, refused) = sums(&mut self.lock(), now);
        refused > FLOOR + requests * FEW
    }

    /// The target has refused one for want of room.
    pub(crate) fn refused(&self, now: Instant) {
        self.lock().at(now).refused += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Recent<Counts>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Requests and refusals within the window.
fn sums(recent: &mut Recent<Counts>, now: Instant) -> (f64, f64) {
    recent.all(now).fold((0.0, 0.0), |(requests, refused), step| {
        (requests + f64::from(step.requests), refused + f64::from(step.refused))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 1,000 requests a second are sent, in the last of so many seconds, to a target that has room for so many.
    fn sent(throttle: &Throttle, now: &mut Instant, room_a_second: u32, seconds: u32) -> u32 {
        let (mut sent, mut room) = (0, 0);
        for request in 0..seconds * 1_000 {
            if request % 1_000 == 0 {
                sent = 0;
            }
            *now += Duration::from_millis(1);
            room = (room + room_a_second).min(20_000);
            if throttle.admits(f64::from(request * 7 % 1_000) / 1_000.0, *now) {
                sent += 1;
                if room >= 1_000 {
                    room -= 1_000;
                } else {
                    throttle.refused(*now);
                }
            }
        }
        sent
    }

    #[test]
    fn what_is_taken_is_sent() {
        let (throttle, mut now) = (Throttle::new(), Instant::now());
        assert_eq!(sent(&throttle, &mut now, 1_000, 5), 1_000);
    }

    #[test]
    fn twice_as_much_is_sent_as_is_taken_and_soon_all_again() {
        let (throttle, mut now) = (Throttle::new(), Instant::now());
        let overloaded = sent(&throttle, &mut now, 200, 10);
        assert!((350..=450).contains(&overloaded), "{overloaded}");
        let recovered = sent(&throttle, &mut now, 1_000, 4);
        assert!(recovered > 900, "{recovered}");
    }

    #[test]
    fn a_few_refusals_and_what_is_not_answered_yet_change_nothing() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        assert!((0..1_000).all(|_| throttle.admits(0.0, now)));
        (0..510).for_each(|_| throttle.refused(now));
        assert!(throttle.admits(0.0, now));
        (0..10).for_each(|_| throttle.refused(now));
        assert!(!throttle.admits(0.0, now));
    }

    #[test]
    fn a_target_that_refuses_more_than_a_few_is_crowded() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        assert!((0..1_000).all(|_| throttle.admits(0.5, now)));
        (0..120).for_each(|_| throttle.refused(now));
        assert!(!throttle.is_crowded(now));
        throttle.refused(now);
        assert!(throttle.is_crowded(now) && !throttle.is_crowded(now + WINDOW + STEP));
    }
}
