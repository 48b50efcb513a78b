//! What this process has heard of: of which thing when, and whether it hears anything at all.

#[cfg(test)]
mod tests;

use super::things::{Part, Thing};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Without a sign of life for so long, nothing is known to be as it was.
const SILENCE: Duration = Duration::from_secs(2);
/// How long after an event another service may not have heard it, so that its answers may not show it yet.
const SETTLING: Duration = Duration::from_secs(5);
/// How many things are remembered. When there are more, all that is kept of their entities is old.
const MAX_THINGS: usize = 200_000;

/// The last events of each thing, and the state of the tails that tell of them.
pub struct Heard {
    state: RwLock<State>,
    /// There is something that Redis has not been told.
    untold: Notify,
    /// For how long a thing is remembered: longer than any answer is kept.
    memory: Duration,
}

struct State {
    last: HashMap<Thing, Last>,
    untold: HashSet<Thing>,
    tails: BTreeMap<&'static str, Tail>,
}

#[derive(Clone, Copy)]
struct Last {
    heard: Instant,
    /// When it was certain that Redis knows.
    told: Option<Instant>,
}

#[derive(Clone, Copy, Default)]
struct Tail {
    /// The last sign of life; none before all that was there has been heard.
    alive: Option<Instant>,
    is_caught_up: bool,
}

impl Heard {
    /// Nothing of these entities has been heard so far.
    pub fn new(entities: impl IntoIterator<Item = &'static str>, memory: Duration) -> Heard {
        let tails = entities.into_iter().map(|entity| (entity, Tail::default())).collect();
        let state = State { last: HashMap::new(), untold: HashSet::new(), tails };
        Heard { state: RwLock::new(state), untold: Notify::new(), memory }
    }

    /// Whether every event of these entities would have been heard by now.
    pub fn follows(&self, mut entities: impl Iterator<Item = &'static str>, now: Instant) -> bool {
        let state = self.read();
        entities.all(|entity| {
            state.tails.get(entity).is_some_and(|tail| {
                tail.is_caught_up && tail.alive.is_some_and(|alive| now.saturating_duration_since(alive) < SILENCE)
            })
        })
    }

    /// Whether nothing has been heard of these parts that an answer from `since` may not show.
    pub fn is_current(&self, parts: &[Part], since: Instant) -> bool {
        let state = self.read();
        parts.iter().all(|part| {
            let settling = if part.is_foreign { SETTLING } else { Duration::ZERO };
            state.last.get(&part.thing).is_none_or(|last| last.heard + settling < since)
        })
    }

    /// Whether Redis knew before `moment` all that has been heard of these parts.
    pub fn were_told_before(&self, parts: &[Part], moment: Instant) -> bool {
        let state = self.read();
        let was_told = |last: &Last| last.told.is_some_and(|told| told < moment);
        parts.iter().all(|part| state.last.get(&part.thing).is_none_or(was_told))
    }

    /// Notes an event about an aggregate. None: it could not be seen which, so it may be any.
    pub fn event(&self, entity: &'static str, id: Option<uuid::Uuid>) {
        let now = Instant::now();
        let mut state = self.write();
        match id {
            Some(id) => state.note(Thing::One(entity, id), now),
            None => state.note(Thing::Gap(entity), now),
        }
        state.note(Thing::Any(entity), now);
        if state.last.len() > MAX_THINGS {
            state.forget_one_by_one(now);
        }
        drop(state);
        self.untold.notify_one();
    }

    /// Notes that events of an entity were not heard.
    pub fn gap(&self, entity: &'static str) {
        self.write().note(Thing::Gap(entity), Instant::now());
        self.untold.notify_one();
    }

    /// Notes that all that was there has been heard.
    pub fn caught_up(&self, entity: &'static str) {
        self.tail(entity, |tail| *tail = Tail { alive: Some(Instant::now()), is_caught_up: true });
    }

    /// Notes a sign of life.
    pub fn alive(&self, entity: &'static str) {
        self.tail(entity, |tail| tail.alive = Some(Instant::now()));
    }

    /// Notes that nothing is heard any more.
    pub fn broke_off(&self, entity: &'static str) {
        self.tail(entity, |tail| *tail = Tail::default());
    }

    /// Waits until there is something that Redis has not been told.
    pub async fn until_untold(&self) {
        self.untold.notified().await;
    }

    /// What Redis has not been told, up to so many, with the moment at which it was heard.
    pub fn untold(&self, limit: usize) -> Vec<(Thing, Instant)> {
        let state = self.read();
        let heard = |thing: &Thing| state.last.get(thing).map(|last| (*thing, last.heard));
        state.untold.iter().filter_map(heard).take(limit).collect()
    }

    /// All that is remembered, with the moment at which it was heard.
    pub fn all(&self) -> Vec<(Thing, Instant)> {
        self.read().last.iter().map(|(thing, last)| (*thing, last.heard)).collect()
    }

    /// Remembers less: that there may have been events about anything.
    pub fn forget_one_by_one(&self) {
        self.write().forget_one_by_one(Instant::now());
    }

    /// Notes that Redis knows of these, as they were heard then.
    pub fn told(&self, things: &[(Thing, Instant)]) {
        let now = Instant::now();
        let mut state = self.write();
        for (thing, heard) in things {
            if let Some(last) = state.last.get_mut(thing)
                && last.heard == *heard
            {
                last.told = Some(now);
                state.untold.remove(thing);
            }
        }
    }

    /// Forgets what is older than anything that is kept.
    pub fn forget(&self, now: Instant) {
        let mut state = self.write();
        let State { last, untold, .. } = &mut *state;
        last.retain(|thing, last| {
            let is_remembered = now.saturating_duration_since(last.heard) < self.memory;
            if !is_remembered {
                untold.remove(thing);
            }
            is_remembered
        });
    }

    fn tail(&self, entity: &'static str, change: impl FnOnce(&mut Tail)) {
        if let Some(tail) = self.write().tails.get_mut(entity) {
            change(tail);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, thing: Thing, heard: Instant) {
        self.last.insert(thing, Last { heard, told: None });
        self.untold.insert(thing);
    }

    fn forget_one_by_one(&mut self, now: Instant) {
        self.last.clear();
        self.untold.clear();
        let entities: Vec<&'static str> = self.tails.keys().copied().collect();
        for entity in entities {
            self.note(Thing::Gap(entity), now);
        }
    }
}
