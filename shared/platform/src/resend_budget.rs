//! How much sending again a called service is asked to bear.

use crate::recent::Recent;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How far back requests count.
const WINDOW: Duration = Duration::from_secs(10);
/// The window moves by this much at a time.
const STEP: Duration = Duration::from_secs(1);

/// One service's budget: within the window, what is sent again is at most a share of what was asked, and a floor
/// without which a quiet service's callers could never send anything again. A service that has become slow is thus
/// asked little more than before, whatever its callers believe.
pub(crate) struct ResendBudget {
    percent: u64,
    floor: u64,
    recent: Mutex<Recent<Counts>>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    resends: u64,
}

impl ResendBudget {
    pub(crate) fn new(percent: u32, floor: u32) -> ResendBudget {
        let recent = Mutex::new(Recent::new(WINDOW, STEP));
        ResendBudget { percent: percent.into(), floor: floor.into(), recent }
    }

    /// Counts a request that was asked for the first time.
    pub(crate) fn asked(&self, now: Instant) {
        self.lock().at(now).requests += 1;
    }

    /// Takes the right to send one request again; false: there is none left.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut recent = self.lock();
        let (requests, resends) = recent
            .all(now)
            .fold((0, 0), |(requests, resends), step| (requests + step.requests, resends + step.resends));
        let is_left = resends < self.floor + requests * self.percent / 100;
        if is_left {
            recent.at(now).resends += 1;
        }
        is_left
    }

    fn lock(&self) -> MutexGuard<'_, Recent<Counts>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(budget: &ResendBudget, at: Instant, attempts: usize) -> usize {
        (0..attempts).filter(|_| budget.take(at)).count()
    }

    #[test]
    fn a_share_of_what_was_asked_and_a_floor_may_be_sent_again() {
        let (budget, now) = (ResendBudget::new(20, 3), Instant::now());
        assert_eq!(taken(&budget, now, 10), 3);
        (0..100).for_each(|_| budget.asked(now));
        assert_eq!(taken(&budget, now, 100), 20);
    }

    #[test]
    fn what_lies_behind_the_window_counts_no_more() {
        let (budget, start) = (ResendBudget::new(20, 3), Instant::now());
        (0..100).for_each(|_| budget.asked(start));
        assert_eq!(taken(&budget, start + STEP * 5, 100), 23);
        // The requests are gone, the resends are not.
        assert_eq!(taken(&budget, start + WINDOW, 100), 0);
        assert_eq!(taken(&budget, start + WINDOW + STEP * 5, 100), 3);
    }

    #[test]
    fn a_budget_of_nothing_gives_nothing() {
        let (budget, now) = (ResendBudget::new(0, 0), Instant::now());
        budget.asked(now);
        assert!(!budget.take(now));
    }
}
