//! Counts of the last while.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// What was counted within the last `length`, in steps of `step`, by which the window moves.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    length: Duration,
    step: Duration,
    older: VecDeque<Step<T>>,
    newest: Step<T>,
}

#[derive(Debug)]
struct Step<T> {
    began: Instant,
    counted: T,
}

impl<T: Default> Recent<T> {
    pub(crate) fn new(length: Duration, step: Duration) -> Recent<T> {
        Recent { length, step, older: VecDeque::new(), newest: Step::begin(Instant::now()) }
    }

    /// The step that is now. What lies behind the window is forgotten.
    pub(crate) fn at(&mut self, now: Instant) -> &mut T {
        if self.newest.is_as_old_as(self.step, now) {
            self.older.push_back(std::mem::replace(&mut self.newest, Step::begin(now)));
        }
        while self.older.front().is_some_and(|oldest| oldest.is_as_old_as(self.length, now)) {
            self.older.pop_front();
        }
        &mut self.newest.counted
    }

    /// All steps up to now.
    pub(crate) fn all(&mut self, now: Instant) -> impl Iterator<Item = &T> {
        self.at(now);
        self.older.iter().chain([&self.newest]).map(|step| &step.counted)
    }
}

impl<T: Default> Step<T> {
    fn begin(began: Instant) -> Step<T> {
        Step { began, counted: T::default() }
    }

    fn is_as_old_as(&self, age: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.began) >= age
    }
}
