//! What the edge does not even begin to answer while a service has too much to do.
//!
//! While more arrives than there is time for, each request only makes the others slow, and soon all are too late. So the edge
//! looks, for each service, how many times as long as usual its answers take ([`Slowness`]). Where all take much longer there
//! is room for fewer requests at a time, and who finds no room is refused before anything is done for it. The last places are
//! kept for what is more urgent: the background finds none first, then reads, then changes; what is critical finds one
//! always. What is less urgent is too slow sooner: where services are slow because they share what is short, those that are
//! only read are the first that are asked less. There is room for as many as come again when nobody has met the bound for a
//! while.
//!
//! The bound falls in proportion and rises by a little at a time, as windows of TCP do (AIMD, RFC 5681). Each service has one
//! of its own: what stands still there keeps nobody from the others.

use crate::forward::Answer;
use garde::Validate;
use platform::refusals::OVERLOADED;
use platform::slowness::Slowness;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subjects::{ErrorCode, Fault, Operation, Priority, catalogue};
use tokio::time::Instant;

/// To which part of itself the room falls at once, at the most.
const STEEPEST: f64 = 0.25;
/// By which part of itself it grows at once.
const GROWS_BY: usize = 8;
/// After so long without anybody who found no room there is room for all.
const QUIET: Duration = Duration::from_secs(1);
/// After so many decisions in a row that find answers too slow there is no room for all any more: before that it may be a moment
/// in which everything stood still.
const IN_A_ROW: u32 = 5;
/// Fewer under way than this are not too many, however slow: twice as many as a service works at.
const CROWD: usize = 128;
/// Room for as many as come.
const FOR_ALL: usize = usize::MAX;
/// After how long whoever was refused should try again.
const RETRY_AFTER_MS: u64 = 1_000;

/// The section `edge.shedding`: when requests are refused before anything is done for them.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct SheddingConfig {
    /// How many times as long as usual the changes of a service may take. Of what they take beyond the usual, reads may take
    /// a quarter, and the background an eighth.
    #[garde(range(min = 1.1, max = 1_000_000.0))]
    pub times_slower: f64,
    /// There is always room for so many requests to a service at a time.
    #[garde(range(min = 1, max = 1_000_000))]
    pub under_way: usize,
}

impl Default for SheddingConfig {
    fn default() -> SheddingConfig {
        SheddingConfig { times_slower: 3.0, under_way: 4 }
    }
}

/// How much there is room for, at each service.
pub struct Shedding {
    config: SheddingConfig,
    rooms: HashMap<&'static str, Mutex<Room>>,
    shown: IntGaugeVec,
    refused: IntCounterVec,
}

struct Room {
    room: usize,
    under_way: usize,
    /// The most that were under way since it was decided last.
    most: usize,
    /// Whether anybody has found no room since then, and when somebody did last.
    is_short: bool,
    last_short: Instant,
    /// How many decisions in a row have found that answers took too long.
    slow_in_a_row: u32,
    slowness: Slowness,
}

/// A request that is being answered.
pub struct UnderWay<'a> {
    shedding: &'a Shedding,
    operation: &'a Operation,
}

impl Shedding {
    /// # Errors
    /// The registry has such metrics already.
    pub fn new(config: &SheddingConfig, registry: &Registry) -> prometheus::Result<Shedding> {
        let shown = IntGaugeVec::new(
            Opts::new("petpro_http_room", "How many requests to a service the edge has at a time; 0: as many as come."),
            &["service"],
        )?;
        let refused = IntCounterVec::new(
            Opts::new("petpro_http_shed_total", "Requests that the edge refused while their service was too slow."),
            &["service", "priority"],
        )?;
        registry.register(Box::new(shown.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        let rooms = catalogue::SERVICES.into_iter().map(|service| (service, Mutex::new(Room::new()))).collect();
        Ok(Shedding { config: config.clone(), rooms, shown, refused })
    }

    /// Begins a request, or refuses it.
    ///
    /// # Errors
    /// `unavailable`: there is no room for it.
    pub fn begin<'a>(&'a self, operation: &'a Operation) -> Result<UnderWay<'a>, Fault> {
        if let Some(mut room) = self.room(operation.service) {
            let bound = room.room;
            if !room.enter(operation.priority, Instant::now()) {
                drop(room);
                self.refused.with_label_values(&[operation.service, operation.priority.as_str()]).inc();
                return Err(Fault::unavailable(RETRY_AFTER_MS).with_reason(OVERLOADED));
            }
            self.show(operation.service, bound, room.room);
        }
        Ok(UnderWay { shedding: self, operation })
    }

    fn show(&self, service: &'static str, before: usize, now: usize) {
        if before == now {
            return;
        }
        let shown = if now == FOR_ALL { 0 } else { i64::try_from(now).unwrap_or(i64::MAX) };
        self.shown.with_label_values(&[service]).set(shown);
        if now == FOR_ALL {
            tracing::info!(target_service = service, "room for as many as come again");
        } else if before == FOR_ALL {
            tracing::warn!(target_service = service, room = now, "too slow: whoever finds no room is refused");
        }
    }

    fn room(&self, service: &str) -> Option<MutexGuard<'_, Room>> {
        self.rooms.get(service).map(|room| room.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl UnderWay<'_> {
    /// What came of it since it was `asked`. Of what was refused nothing follows, nor of what was kept: that is quick, however
    /// much there is to do.
    pub fn answered(&self, asked: Instant, outcome: &Result<Answer, Fault>) {
        let tells = match outcome {
            Ok(answer) => answer.cache.is_none_or(|told| told.status.has_asked()),
            Err(fault) => fault.code == ErrorCode::DeadlineExceeded,
        };
        let Operation { service, subject, priority, .. } = *self.operation;
        if let Some(mut room) = self.shedding.room(service).filter(|_| tells) {
            let (now, bound) = (Instant::now(), room.room);
            if let Some(times) = room.slowness.took(subject, weight(priority), now - asked, now) {
                room.follow(times, &self.shedding.config, now);
            }
            self.shedding.show(service, bound, room.room);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(mut room) = self.shedding.room(self.operation.service) {
            room.under_way = room.under_way.saturating_sub(1);
        }
    }
}

impl Room {
    fn new() -> Room {
        let (last_short, slowness) = (Instant::now(), Slowness::default());
        Room { room: FOR_ALL, under_way: 0, most: 0, is_short: false, last_short, slow_in_a_row: 0, slowness }
    }

    fn enter(&mut self, priority: Priority, now: Instant) -> bool {
        if self.room != FOR_ALL && now >= self.last_short + QUIET {
            self.room = FOR_ALL;
        }
        if self.under_way >= room_for(priority, self.room) {
            (self.is_short, self.last_short) = (true, now);
            return false;
        }
        self.under_way += 1;
        self.most = self.most.max(self.under_way);
        true
    }

    /// Answers take so many times as long as usual.
    fn follow(&mut self, times: f64, config: &SheddingConfig, now: Instant) {
        let (most, is_short) = (self.most, self.is_short);
        let is_slow = times > config.times_slower && (self.room != FOR_ALL || most >= CROWD);
        (self.most, self.is_short) = (self.under_way, false);
        self.slow_in_a_row = if is_slow { self.slow_in_a_row.saturating_add(1) } else { 0 };
        if is_slow && (self.slow_in_a_row >= IN_A_ROW || self.room != FOR_ALL) {
            if self.room == FOR_ALL {
                self.last_short = now;
            }
            let part = (config.times_slower / times).max(STEEPEST);
            self.room = shrunk(self.room.min(most), part).max(config.under_way);
        } else if is_short && !is_slow {
            self.room = self.room.saturating_add((self.room / GROWS_BY).max(1));
        }
    }
}

/// Of how many places in all a request may take the last one.
const fn room_for(priority: Priority, room: usize) -> usize {
    match priority {
        Priority::Critical => FOR_ALL,
        Priority::Change => room,
        Priority::Read => room - room / 4,
        Priority::Background => room / 2,
    }
}

/// How many times what is beyond the usual counts.
const fn weight(priority: Priority) -> f64 {
    match priority {
        Priority::Critical | Priority::Change => 1.0,
        Priority::Read => 4.0,
        Priority::Background => 8.0,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of what was a usize, and of no more than are under way"
)]
fn shrunk(room: usize, part: f64) -> usize {
    (room as f64 * part) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_millis(20);

    fn shedding() -> Shedding {
        Shedding::new(&SheddingConfig { times_slower: 2.5, under_way: 4 }, &Registry::new()).unwrap()
    }

    fn operation(service: &str, priority: Priority) -> &'static Operation {
        catalogue::operations_of(service).find(|operation| operation.priority == priority).unwrap()
    }

    fn begun<'a>(shedding: &'a Shedding, operation: &'a Operation, count: usize) -> Vec<UnderWay<'a>> {
        (0..count).map(|_| shedding.begin(operation).unwrap()).collect()
    }

    /// Tells of enough answers of the catalog service for one conclusion.
    fn conclude(shedding: &Shedding, took: Duration, now: &mut Instant) -> i64 {
        let mut room = shedding.room("catalog").unwrap();
        let bound = room.room;
        let times = loop {
            *now += Duration::from_millis(5);
            if let Some(times) = room.slowness.took("a", 1.0, took, *now) {
                break times;
            }
        };
        room.follow(times, &shedding.config, *now);
        shedding.show("catalog", bound, room.room);
        drop(room);
        shedding.shown.with_label_values(&["catalog"]).get()
    }

    fn is_let_in(shedding: &Shedding, service: &str) -> [bool; 3] {
        [Priority::Critical, Priority::Change, Priority::Read]
            .map(|priority| shedding.begin(operation(service, priority)).is_ok())
    }

    #[test]
    fn the_last_places_are_for_the_more_urgent() {
        let (shedding, mut now) = (shedding(), Instant::now());
        let critical = operation("catalog", Priority::Critical);
        let crowd = begun(&shedding, critical, CROWD);
        conclude(&shedding, USUAL, &mut now);
        assert_eq!(is_let_in(&shedding, "catalog"), [true; 3]);
        let rooms = [(); 6].map(|()| conclude(&shedding, USUAL * 10, &mut now));
        assert_eq!(rooms, [0, 0, 0, 0, 32, 8], "four times is not enough");
        drop(crowd);
        let mut under_way = Vec::new();
        let seen = (0..9).map(|_| {
            let is_let_in = is_let_in(&shedding, "catalog");
            under_way.extend(begun(&shedding, critical, 1));
            is_let_in
        });
        let [all, changes, critical_only] = [[true; 3], [true, true, false], [true, false, false]];
        let expected = [[all; 6].as_slice(), &[changes; 2], &[critical_only]].concat();
        assert_eq!(seen.collect::<Vec<_>>(), expected);
        let refused = shedding.begin(operation("catalog", Priority::Change)).err().unwrap();
        assert_eq!((&*refused.reason, refused.retry_after_ms), (OVERLOADED, Some(1_000)));
        assert_eq!(is_let_in(&shedding, "booking")[1..], [true; 2], "each service has a bound of its own");
    }

    #[test]
    fn it_falls_in_proportion_and_not_below_the_least_and_grows_while_it_is_short() {
        let (shedding, mut now) = (shedding(), Instant::now());
        let crowd = begun(&shedding, operation("catalog", Priority::Critical), CROWD);
        conclude(&shedding, USUAL, &mut now);
        let mut room = |times: u32| {
            let _nobody = shedding.begin(operation("catalog", Priority::Change));
            conclude(&shedding, USUAL * times, &mut now)
        };
        assert_eq!([2, 5, 5, 5, 5, 2, 5, 5, 5, 5].map(&mut room), [0; 10]);
        assert_eq!([5, 100, 1, 1].map(&mut room), [64, 16, 18, 20]);
        assert_eq!([10, 10].map(&mut room), [5, 4]);
        drop(crowd);
    }

    #[test]
    fn who_has_little_to_do_refuses_nothing_however_slow_it_is() {
        let (shedding, mut now) = (shedding(), Instant::now());
        let _few = begun(&shedding, operation("catalog", Priority::Critical), CROWD - 1);
        conclude(&shedding, USUAL, &mut now);
        assert_eq!([10; 8].map(|times| conclude(&shedding, USUAL * times, &mut now)), [0; 8]);
        assert_eq!(is_let_in(&shedding, "catalog"), [true; 3]);
    }

    #[test]
    fn there_is_room_for_all_when_nobody_has_met_the_bound_for_a_while() {
        let (shedding, mut now) = (shedding(), Instant::now());
        let crowd = begun(&shedding, operation("catalog", Priority::Critical), CROWD);
        conclude(&shedding, USUAL, &mut now);
        assert_eq!([(); 5].map(|()| conclude(&shedding, USUAL * 10, &mut now)), [0, 0, 0, 0, 32]);
        drop(crowd);
        let mut room = shedding.room("catalog").unwrap();
        assert!(room.enter(Priority::Read, now) && room.room == 32);
        assert!(room.enter(Priority::Read, now + QUIET) && room.room == FOR_ALL);
    }
}
