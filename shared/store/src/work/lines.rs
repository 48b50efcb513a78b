//! Events of an ordered consumer that are here, by aggregate.

use super::answer::Delivery;
use super::take_over::Here;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Where an event stands in line. Those that do not say what they happened to have no order with others.
pub(super) fn line_of(delivery: &Delivery) -> Uuid {
    delivery.incoming.aggregate_id.unwrap_or(delivery.incoming.event_id)
}

/// Events that are here, by aggregate.
#[derive(Default)]
pub(super) struct Lines {
    waiting: HashMap<Uuid, BTreeMap<i64, Delivery>>,
    /// Lines whose first events may begin.
    ready: HashSet<Uuid>,
    /// What each line is at: sequences and event ids.
    begun: HashMap<Uuid, BTreeMap<i64, Uuid>>,
    /// How many wait.
    count: usize,
}

impl Lines {
    /// One that is here already is not added: this was its next delivery.
    pub(super) fn add(&mut self, delivery: Delivery) {
        let (line, sequence) = (line_of(&delivery), delivery.incoming.place.sequence);
        let begun = self.begun.get(&line);
        if begun.is_some_and(|begun| begun.contains_key(&sequence)) {
            return;
        }
        if begun.is_none() {
            self.ready.insert(line);
        }
        if self.waiting.entry(line).or_default().insert(sequence, delivery).is_none() {
            self.count += 1;
        }
    }

    /// Whether any event may begin.
    pub(super) fn is_any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next events that may begin: of each line one after the other, as many as there are.
    pub(super) fn next(&mut self, max: usize) -> Vec<Delivery> {
        let mut next = Vec::new();
        while next.len() < max
            && let Some(line) = self.ready.iter().next().copied()
        {
            self.ready.remove(&line);
            let Some(waiting) = self.waiting.get_mut(&line) else { continue };
            let begun = self.begun.entry(line).or_default();
            while next.len() < max
                && let Some((sequence, delivery)) = waiting.pop_first()
            {
                begun.insert(sequence, delivery.incoming.event_id);
                self.count -= 1;
                next.push(delivery);
            }
            if waiting.is_empty() {
                self.waiting.remove(&line);
            }
        }
        next
    }

    /// What a line was at is dealt with or given back.
    pub(super) fn end(&mut self, line: Uuid) {
        self.begun.remove(&line);
        if self.waiting.contains_key(&line) {
            self.ready.insert(line);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count + self.begun.values().map(BTreeMap::len).sum::<usize>()
    }

    pub(super) fn holds_any(&self) -> bool {
        self.count > 0 || !self.begun.is_empty()
    }

    /// All that is here: sequences and event ids.
    pub(super) fn events(&self) -> HashMap<i64, Uuid> {
        let waiting = self.waiting.values().flatten();
        let waiting = waiting.map(|(sequence, delivery)| (*sequence, delivery.incoming.event_id));
        waiting.chain(self.begun.values().flatten().map(|(sequence, event)| (*sequence, *event))).collect()
    }

    /// All that is here, by sequence.
    pub(super) fn held(&self) -> HashMap<i64, Here> {
        let waiting = self.waiting.values().flatten();
        let waiting = waiting.map(|(sequence, delivery)| (*sequence, Here::of(delivery)));
        waiting.chain(self.begun.values().flatten().map(|(sequence, _)| (*sequence, Here::default()))).collect()
    }

    /// Takes out what waits and was dealt with elsewhere.
    pub(super) fn take_had(&mut self, had: &HashSet<Uuid>) -> Vec<Delivery> {
        let mut taken = Vec::new();
        for line in self.waiting.values_mut() {
            let is_had = |delivery: &Delivery| had.contains(&delivery.incoming.event_id);
            let of_line: Vec<i64> =
                line.iter().filter(|(_, delivery)| is_had(delivery)).map(|(sequence, _)| *sequence).collect();
            taken.extend(of_line.iter().filter_map(|sequence| line.remove(sequence)));
        }
        self.count -= taken.len();
        self.waiting.retain(|_, line| !line.is_empty());
        let waiting = &self.waiting;
        self.ready.retain(|line| waiting.contains_key(line));
        taken
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Delivery> {
        self.waiting.values().flat_map(BTreeMap::values)
    }

    pub(super) async fn still_at_it(&self) {
        for delivery in self.waiting() {
            delivery.still_at_it().await;
        }
    }
}
