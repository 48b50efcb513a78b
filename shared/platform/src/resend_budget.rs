//! How much sending again a called service is asked to bear.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
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
    steps: Mutex<VecDeque<Step>>,
}

struct Step {
    began: Instant,
    requests: u64,
    resends: u64,
}

impl ResendBudget {
    pub(crate) fn new(percent: u32, floor: u32) -> ResendBudget {
        ResendBudget { percent: percent.into(), floor: floor.into(), steps: Mutex::new(VecDeque::new()) }
    }

    /// Counts a request that was asked for the first time.
    pub(crate) fn asked(&self, now: Instant) {
        self.within_window(now, |steps| {
            if let Some(newest) = steps.back_mut() {
                newest.requests += 1;
            }
        });
    }

    /// Takes the right to send one request again; false: there is none left.
    pub(crate) fn take(&self, now: Instant) -> bool {
        self.within_window(now, |steps| {
            let (requests, resends) =
                steps.iter().fold((0, 0), |(asked, again), step| (asked + step.requests, again + step.resends));
            let is_left = resends < self.floor + requests * self.percent / 100;
            if let Some(newest) = steps.back_mut()
                && is_left
            {
                newest.resends += 1;
            }
            is_left
        })
    }

    /// The steps of the window, the newest of which is now.
    fn within_window<T>(&self, now: Instant, look: impl FnOnce(&mut VecDeque<Step>) -> T) -> T {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        while steps.front().is_some_and(|oldest| now.saturating_duration_since(oldest.began) >= WINDOW) {
            steps.pop_front();
        }
        if steps.back().is_none_or(|newest| now.saturating_duration_since(newest.began) >= STEP) {
            steps.push_back(Step { began: now, requests: 0, resends: 0 });
        }
        look(&mut steps)
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
