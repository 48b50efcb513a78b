//! Which requests a service takes up, which wait, and which it refuses: at once or within milliseconds, for an answer that
//! comes too late costs as much as one that is of use.
//!
//! - So many run at a time ([`Limit`]: as many as the service is quickest with), and never all of one operation: what one
//!   leaves standing does not keep the others from running.
//! - The more urgent goes first ([`Priority`]), and has a reserve of places if it is critical.
//! - A queue that has stood for a while is no burst any more: whoever has waited longer than a moment is refused
//!   ([`QueueDelay`]), unless it is critical. A full queue refuses its least urgent.

mod limit;
mod queue_delay;
#[cfg(test)]
mod tests;

use crate::dispatcher::DispatcherConfig;
use crate::metrics::Metrics;
use limit::Limit;
use queue_delay::QueueDelay;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subjects::Priority;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// For every so many places, critical requests have one more.
const RESERVE_SHARE: usize = 8;

/// The places of one service.
pub(crate) struct Admission {
    places: Mutex<Places>,
    max_waiting: usize,
    running: prometheus::IntGauge,
    waiting: prometheus::IntGauge,
    limit: prometheus::IntGauge,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// The operation, as it is registered.
    pub(crate) subject: &'static str,
    pub(crate) priority: Priority,
}

/// How a request is met.
pub(crate) enum Entry {
    /// It runs.
    Place(Place),
    /// It waits.
    Waiting(Waiting),
    /// There is nothing for it.
    Refused,
}

/// One of the places, given back when it is dropped.
pub(crate) struct Place {
    admission: Arc<Admission>,
    subject: &'static str,
}

/// A place in the queue, left when it is dropped.
pub(crate) struct Waiting {
    admission: Arc<Admission>,
    asked: Asked,
    number: u64,
    granted: oneshot::Receiver<Grant>,
}

/// Why somebody who waited has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// The caller waits no longer.
    Late,
    /// The service has too much to do.
    Away,
}

/// What is said to one who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    Place,
    Nothing,
}

struct Places {
    limit: Limit,
    reserve: usize,
    running: usize,
    running_of: HashMap<&'static str, usize>,
    /// One for each priority, the most urgent first.
    queues: [Queue; Priority::ALL.len()],
    /// How many have ever had to wait.
    waited: u64,
}

struct Queue {
    waiting: VecDeque<Waiter>,
    delay: QueueDelay,
}

struct Waiter {
    number: u64,
    subject: &'static str,
    since: Instant,
    grant: oneshot::Sender<Grant>,
}

impl Admission {
    pub(crate) fn new(service: &'static str, config: &DispatcherConfig, metrics: &Metrics) -> Arc<Admission> {
        let admission = Admission {
            places: Mutex::new(Places {
                limit: Limit::new(config.running_at_first, config.running),
                reserve: config.running / RESERVE_SHARE,
                running: 0,
                running_of: HashMap::new(),
                queues: std::array::from_fn(|_| Queue::new(Duration::from_millis(config.standing_ms))),
                waited: 0,
            }),
            max_waiting: config.waiting,
            running: metrics.running(service),
            waiting: metrics.waiting(service),
            limit: metrics.running_limit(service),
        };
        admission.show(&admission.lock());
        Arc::new(admission)
    }

    /// A place for a request, or a place in the queue, or none.
    pub(crate) fn enter(self: &Arc<Admission>, asked: Asked, now: Instant) -> Entry {
        let Asked { subject, priority } = asked;
        let mut places = self.lock();
        if places.has_room(asked) {
            // Others of its priority may wait where one operation has all places that it may have.
            let queue = places.queue(priority);
            if queue.waiting.is_empty() {
                queue.delay.saw(Duration::ZERO, now);
            }
            places.take(subject);
            self.show(&places);
            return Entry::Place(Place { admission: self.clone(), subject });
        }
        places.limit.was_too_little();
        if places.waiting() >= self.max_waiting && !places.turn_away_one_below(priority) {
            return Entry::Refused;
        }
        let (grant, granted) = oneshot::channel();
        places.waited += 1;
        let number = places.waited;
        places.queue(priority).waiting.push_back(Waiter { number, subject, since: now, grant });
        self.show(&places);
        Entry::Waiting(Waiting { admission: self.clone(), asked, number, granted })
    }

    /// How long a request took that succeeded, without what others let it wait for.
    pub(crate) fn took(&self, subject: &'static str, took: Duration, now: Instant) {
        self.lock().limit.took(subject, took, now);
    }

    fn give_back(&self, subject: &'static str) {
        let mut places = self.lock();
        places.give_back(subject);
        places.hand_out(Instant::now());
        self.show(&places);
    }

    fn show(&self, places: &Places) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.running.set(number(places.running));
        self.waiting.set(number(places.waiting()));
        self.limit.set(number(places.limit.get()));
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn has_room(&self, asked: Asked) -> bool {
        let limit = self.limit.get();
        let reserve = if asked.priority == Priority::Critical { self.reserve } else { 0 };
        // Where there is one place only, it is everybody's.
        let of_one = (limit * 3 / 4).max(1) + reserve;
        let running_of = self.running_of.get(asked.subject).copied().unwrap_or_default();
        self.running < limit + reserve && running_of < of_one
    }

    fn take(&mut self, subject: &'static str) {
        self.running += 1;
        *self.running_of.entry(subject).or_default() += 1;
        self.limit.runs(self.running);
    }

    fn give_back(&mut self, subject: &'static str) {
        self.running = self.running.saturating_sub(1);
        if let Some(running) = self.running_of.get_mut(subject) {
            *running = running.saturating_sub(1);
        }
    }

    /// Gives free places to those who wait, after those have been turned away who have waited too long.
    fn hand_out(&mut self, now: Instant) {
        // Whoever is critical waits as long as its caller does.
        for queue in self.queues.iter_mut().skip(Priority::Change as usize) {
            queue.turn_away(now);
        }
        for priority in Priority::ALL {
            while let Some(waiter) = self.next_of(priority) {
                let Waiter { subject, grant, .. } = waiter;
                self.take(subject);
                if grant.send(Grant::Place).is_err() {
                    // Its caller has given up.
                    self.give_back(subject);
                }
            }
        }
    }

    /// Takes the first one out of a queue that could run.
    fn next_of(&mut self, priority: Priority) -> Option<Waiter> {
        if self.running >= self.limit.get() + self.reserve {
            return None;
        }
        let mut waiting = self.queues.get(priority as usize)?.waiting.iter();
        let place = waiting.position(|waiter| self.has_room(Asked { subject: waiter.subject, priority }))?;
        self.queue(priority).waiting.remove(place)
    }

    /// Turns one away that is less urgent; false: there is none.
    fn turn_away_one_below(&mut self, priority: Priority) -> bool {
        let less_urgent = self.queues.iter_mut().skip(priority as usize + 1).rev();
        let Some(waiter) = less_urgent.into_iter().find_map(|queue| queue.waiting.pop_back()) else { return false };
        // Whoever has given up need not be told.
        let _gone = waiter.grant.send(Grant::Nothing);
        true
    }

    fn waiting(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting.len()).sum()
    }

    fn queue(&mut self, priority: Priority) -> &mut Queue {
        let [critical, change, read, background] = &mut self.queues;
        match priority {
            Priority::Critical => critical,
            Priority::Change => change,
            Priority::Read => read,
            Priority::Background => background,
        }
    }
}

impl Queue {
    fn new(stands_after: Duration) -> Queue {
        Queue { waiting: VecDeque::new(), delay: QueueDelay::new(stands_after) }
    }

    /// Turns those away who have waited too long, but for the last one: a place is free for somebody.
    fn turn_away(&mut self, now: Instant) {
        while let Some(first) = self.waiting.front().filter(|_| self.waiting.len() > 1) {
            if !self.delay.is_too_long(now.saturating_duration_since(first.since), now) {
                return;
            }
            if let Some(waiter) = self.waiting.pop_front() {
                // Whoever has given up need not be told.
                let _gone = waiter.grant.send(Grant::Nothing);
            }
        }
    }
}

impl Waiting {
    /// Waits for a place until the deadline.
    pub(crate) async fn place(mut self, deadline: Instant) -> Result<Place, Turned> {
        match tokio::time::timeout_at(deadline, &mut self.granted).await {
            Ok(Ok(Grant::Place)) => Ok(Place { admission: self.admission.clone(), subject: self.asked.subject }),
            Ok(_) => Err(Turned::Away),
            Err(_elapsed) => Err(Turned::Late),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut places = self.admission.lock();
        let number = self.number;
        let waiting = &mut places.queue(self.asked.priority).waiting;
        // They stand in the order of their numbers.
        if let Ok(place) = waiting.binary_search_by_key(&number, |waiter| waiter.number) {
            waiting.remove(place);
            self.admission.show(&places);
        }
        drop(places);
        // It may have been granted at the last moment.
        self.granted.close();
        if self.granted.try_recv() == Ok(Grant::Place) {
            self.admission.give_back(self.asked.subject);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.give_back(self.subject);
    }
}
