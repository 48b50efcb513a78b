//! How many streams there may be.

use prometheus::IntGauge;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use subjects::ids::UserId;
use subjects::{ErrorCode, Fault};

/// After how long somebody for whom there is no room should try again.
const RETRY_AFTER_MS: u64 = 5_000;

/// The places for streams, some of them taken.
#[derive(Debug)]
pub(super) struct Places {
    per_user: usize,
    total: usize,
    taken: Mutex<HashMap<UserId, usize>>,
    open: IntGauge,
}

impl Places {
    pub(super) fn new(per_user: usize, total: usize, open: IntGauge) -> Arc<Places> {
        Arc::new(Places { per_user, total, taken: Mutex::default(), open })
    }

    /// Takes a place for a user.
    ///
    /// # Errors
    /// `rate_limited` where the user has as many as one may have, `unavailable` where all are taken.
    pub(super) fn take(self: &Arc<Places>, user: UserId) -> Result<Place, Fault> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        if all >= self.total {
            return Err(Fault::unavailable(RETRY_AFTER_MS).with_reason("too_many_streams"));
        }
        let own = taken.entry(user).or_default();
        if *own >= self.per_user {
            let mut fault = Fault::new(ErrorCode::RateLimited, "you have as many streams open as one may have")
                .with_reason("too_many_streams");
            fault.retry_after_ms = Some(RETRY_AFTER_MS);
            return Err(fault);
        }
        *own += 1;
        self.open.inc();
        Ok(Place { places: self.clone(), user })
    }
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    user: UserId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut own) = taken.entry(self.user) {
            match own.get() {
                0 | 1 => {
                    own.remove();
                }
                _ => *own.get_mut() -= 1,
            }
        }
        self.places.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_per_user_and_in_all_and_are_given_back() {
        let open = IntGauge::new("open", "open").unwrap();
        let places = Places::new(2, 3, open.clone());
        let (one, other) = (UserId::new(), UserId::new());
        let held = [places.take(one).unwrap(), places.take(one).unwrap()];
        assert_eq!(places.take(one).unwrap_err().code, ErrorCode::RateLimited);
        let third = places.take(other).unwrap();
        assert_eq!(places.take(other).unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(open.get(), 3);
        drop(held);
        drop(third);
        assert_eq!((open.get(), places.taken.lock().unwrap().len()), (0, 0));
        places.take(one).unwrap();
    }
}
