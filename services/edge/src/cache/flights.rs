//! Single flight: whoever asks for what is being fetched waits for that.

use super::local::Key;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subjects::Fault;
use tokio::time::Instant;

/// What is being fetched.
pub struct Flights<T>(Mutex<Airborne<T>>);

struct Airborne<T> {
    by_key: HashMap<Key, Flight<T>>,
    /// How many there have been.
    count: u64,
}

/// Something that is being fetched. It goes on when nobody waits for it any more.
pub struct Flight<T> {
    number: u64,
    /// When it began.
    pub began: Instant,
    /// Whether it asks the service whatever Redis knows.
    pub is_direct: bool,
    /// What comes of it.
    pub outcome: Shared<BoxFuture<'static, Result<T, Fault>>>,
}

impl<T> Clone for Flight<T> {
    fn clone(&self) -> Flight<T> {
        Flight { number: self.number, began: self.began, is_direct: self.is_direct, outcome: self.outcome.clone() }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Nothing is being fetched.
    pub fn new() -> Arc<Flights<T>> {
        Arc::new(Flights(Mutex::new(Airborne { by_key: HashMap::new(), count: 0 })))
    }

    /// Joins what is being fetched for a key where `fits` says so, or begins to fetch it anew. Whether somebody else had
    /// begun.
    pub fn join<Fetch: Future<Output = Result<T, Fault>> + Send + 'static>(
        self: &Arc<Flights<T>>,
        key: &Key,
        is_direct: bool,
        fits: impl FnOnce(&Flight<T>) -> bool,
        fetch: impl FnOnce() -> Fetch,
    ) -> (Flight<T>, bool) {
        let mut airborne = self.lock();
        if let Some(flight) = airborne.by_key.get(key).filter(|flight| fits(flight)) {
            return (flight.clone(), true);
        }
        airborne.count += 1;
        let number = airborne.count;
        let landing = Landing { flights: self.clone(), key: key.clone(), number };
        let began = Instant::now();
        let fetching = fetch();
        let task = tokio::spawn(async move {
            let outcome = fetching.await;
            // Whoever comes from now on finds what was fetched where it is kept.
            drop(landing);
            outcome
        });
        let outcome = async move { task.await.unwrap_or_else(|error| Err(Fault::internal(error))) };
        let flight = Flight { number, began, is_direct, outcome: outcome.boxed().shared() };
        airborne.by_key.insert(key.clone(), flight.clone());
        (flight, false)
    }

    fn lock(&self) -> MutexGuard<'_, Airborne<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the list when it ends, also by a panic.
struct Landing<T> {
    flights: Arc<Flights<T>>,
    key: Key,
    number: u64,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut airborne = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if airborne.by_key.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            airborne.by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use serde_json::json;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use subjects::ErrorCode;

    fn key() -> Key {
        Key::of("x", &json!({ "id": 1 })).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_who_ask_at_once_ask_once() {
        let flights = Flights::new();
        let fetched = Arc::new(AtomicUsize::new(0));
        let ask = async |_: usize| {
            let fetched = fetched.clone();
            let (flight, joined) = flights.join(
                &key(),
                false,
                |_| true,
                || async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok(fetched.fetch_add(1, Ordering::Relaxed))
                },
            );
            (flight.outcome.await.unwrap(), joined)
        };
        let answers = join_all((0..100).map(ask)).await;
        assert_eq!(fetched.load(Ordering::Relaxed), 1);
        assert_eq!(answers.iter().filter(|(_, joined)| !joined).count(), 1);
        assert!(answers.iter().all(|(answer, _)| *answer == 0));
        assert_eq!(ask(0).await.0, 1, "what is over is not joined");
        assert!(flights.lock().by_key.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_may_not_join_begins_anew_and_the_earlier_one_does_not_end_it() {
        let flights = Flights::new();
        let fetch = |seconds: u64| {
            move || async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(seconds)
            }
        };
        let (first, _) = flights.join(&key(), false, |_| true, fetch(1));
        let (second, joined) = flights.join(&key(), true, |flight| flight.is_direct, fetch(10));
        assert!(!joined);
        assert_eq!(first.outcome.await, Ok(1));
        let (third, joined) = flights.join(&key(), true, |flight| flight.is_direct, fetch(100));
        assert!(joined && third.number == second.number);
        assert_eq!(third.outcome.await, Ok(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_and_a_panic_reach_all_and_stay_with_nobody() {
        let flights = Flights::<()>::new();
        let refusal = || async { Err(Fault::new(ErrorCode::NotFound, "nothing")) };
        let (flight, _) = flights.join(&key(), false, |_| true, refusal);
        assert_eq!(flight.outcome.clone().await.unwrap_err().code, ErrorCode::NotFound);
        let (flight, _) = flights.join(&key(), false, |_| true, || async { panic!("as it may") });
        assert_eq!(flight.outcome.await.unwrap_err().code, ErrorCode::Internal);
        assert!(flights.lock().by_key.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_without_the_one_who_began_it() {
        let flights = Flights::new();
        let done = Arc::new(AtomicUsize::new(0));
        let counted = done.clone();
        let (flight, _) = flights.join(
            &key(),
            false,
            |_| true,
            || async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(counted.fetch_add(1, Ordering::Relaxed))
            },
        );
        drop(flight);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
