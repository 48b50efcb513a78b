//! The last events of an entity, by their places.

use crate::tail::Place;
use std::collections::VecDeque;

/// Where a reader of the ring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// After which event.
    pub place: Place,
    /// Which of the ring's beginnings that belongs to.
    generation: u64,
}

/// What the ring knows of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Located {
    /// All that came after it is here.
    Here(Position),
    /// It lies beyond all that has been heard; where the stream really reaches so far, this is its position.
    Ahead(Position),
    /// Something that came after it is not here any more, or never was.
    Gone,
}

/// The newest events, as many as it keeps, in order.
#[derive(Debug)]
pub(super) struct Ring<T> {
    keeps: usize,
    generation: u64,
    /// All after this is here.
    floor: Place,
    /// The newest event that was heard, kept or not.
    head: u64,
    events: VecDeque<(u64, T)>,
}

impl<T: Clone> Ring<T> {
    pub(super) fn new(keeps: usize) -> Ring<T> {
        let floor = Place { incarnation: 0, sequence: 0 };
        Ring { keeps, generation: 0, floor, head: 0, events: VecDeque::new() }
    }

    /// How many events it keeps from now on.
    pub(super) fn keep(&mut self, events: usize) {
        self.keeps = events;
    }

    /// Begins anew after a place: whoever is at another one has missed something.
    pub(super) fn begin(&mut self, place: Place) {
        self.generation += 1;
        self.floor = place;
        self.head = place.sequence;
        self.events.clear();
    }

    /// Takes the next event. None: it is nobody's business.
    pub(super) fn push(&mut self, sequence: u64, event: Option<T>) {
        self.head = sequence;
        let Some(event) = event else { return };
        self.events.push_back((sequence, event));
        while self.events.len() > self.keeps {
            if let Some((dropped, _)) = self.events.pop_front() {
                self.floor.sequence = dropped;
            }
        }
    }

    /// After everything that has been heard.
    pub(super) fn head(&self) -> Position {
        self.at(self.head)
    }

    pub(super) fn locate(&self, place: Place) -> Located {
        if place.incarnation != self.floor.incarnation || place.sequence < self.floor.sequence {
            Located::Gone
        } else if place.sequence > self.head {
            Located::Ahead(self.at(place.sequence))
        } else {
            Located::Here(self.at(place.sequence))
        }
    }

    /// The events after a position, at most `limit`, and the position after them. None: some of them are gone.
    pub(super) fn after(&self, position: Position, limit: usize) -> Option<(Vec<(u64, T)>, Position)> {
        let sequence = position.place.sequence;
        if position.generation != self.generation || sequence < self.floor.sequence {
            return None;
        }
        let first = self.events.partition_point(|(of, _)| *of <= sequence);
        let events: Vec<(u64, T)> = self.events.range(first..).take(limit).cloned().collect();
        let reached = match events.last() {
            Some((last, _)) if events.len() == limit => *last,
            _ => self.head.max(sequence),
        };
        Some((events, self.at(reached)))
    }

    fn at(&self, sequence: u64) -> Position {
        Position { place: Place { incarnation: self.floor.incarnation, sequence }, generation: self.generation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(sequence: u64) -> Place {
        Place { incarnation: 1, sequence }
    }

    fn ring(keeps: usize, sequences: &[u64]) -> Ring<u64> {
        let mut ring = Ring::new(keeps);
        ring.begin(place(10));
        for sequence in sequences {
            ring.push(*sequence, Some(*sequence));
        }
        ring
    }

    fn sequences(ring: &Ring<u64>, position: Position) -> Option<Vec<u64>> {
        ring.after(position, 100).map(|(events, _)| events.into_iter().map(|(sequence, _)| sequence).collect())
    }

    #[test]
    fn all_after_a_place_is_found_or_said_to_be_gone() {
        let ring = ring(3, &[11, 13, 14, 17, 20]);
        for (from, expected) in
            [(10, None), (12, None), (13, Some(vec![14, 17, 20])), (15, Some(vec![17, 20])), (20, Some(vec![]))]
        {
            let found = match ring.locate(place(from)) {
                Located::Here(position) => sequences(&ring, position),
                _ => None,
            };
            assert_eq!(found, expected, "{from}");
        }
        assert!(matches!(ring.locate(place(21)), Located::Ahead(_)));
        assert_eq!(ring.locate(Place { incarnation: 2, sequence: 15 }), Located::Gone);
    }

    #[test]
    fn a_reader_goes_on_batch_by_batch_and_past_what_is_not_kept() {
        let mut ring = ring(100, &[11, 12, 13]);
        ring.push(14, None);
        let (events, position) = ring.after(ring.at(10), 2).unwrap();
        assert_eq!((events.len(), position.place.sequence), (2, 12));
        let (events, position) = ring.after(position, 2).unwrap();
        assert_eq!((events.len(), position), (1, ring.head()));
        assert_eq!(position.place.sequence, 14);
        assert_eq!(ring.after(position, 2).unwrap(), (vec![], position));
    }

    #[test]
    fn a_reader_that_is_ahead_misses_nothing_and_goes_back_nowhere() {
        let mut ring = ring(100, &[11]);
        let Located::Ahead(position) = ring.locate(place(13)) else { panic!("not ahead") };
        assert_eq!(ring.after(position, 9).unwrap(), (vec![], position));
        for sequence in [12, 13, 14] {
            ring.push(sequence, Some(sequence));
        }
        assert_eq!(sequences(&ring, position), Some(vec![14]));
    }

    #[test]
    fn a_reader_that_was_overtaken_or_is_of_another_beginning_hears_of_it() {
        let mut ring = ring(2, &[11]);
        let position = ring.head();
        for sequence in [12, 13] {
            ring.push(sequence, Some(sequence));
        }
        assert_eq!(sequences(&ring, position), Some(vec![12, 13]));
        ring.push(14, Some(14));
        assert_eq!(sequences(&ring, position), None);
        let position = ring.head();
        ring.begin(place(14));
        assert_eq!(sequences(&ring, position), None);
        assert_eq!(sequences(&ring, ring.head()), Some(vec![]));
    }
}
