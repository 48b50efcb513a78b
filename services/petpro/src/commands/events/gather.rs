//! What all services together know of some events.

use crate::operator::{Operator, Unanswered};
use crate::services;
use platform::ConsumerDeclaration;
use std::collections::BTreeMap;
use subjects::catalogue;
use subjects::event;
use subjects::ids::EventId;
use subjects::ops::{DeadLetter, EventEffects, FindEventEffects, HandledEvent};

/// How many events a service is asked about at once.
const AT_ONCE: usize = 200;

/// What one handler has made of one event.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// It is done with it.
    Handled(HandledEvent),
    /// It could not deal with it.
    Dead(Box<DeadLetter>),
    /// Neither, so far.
    Waiting,
    /// Its service has not answered.
    Unknown,
}

/// What a handler has made of an event.
#[derive(Debug, Clone)]
pub(super) struct Handling {
    pub(super) service: String,
    pub(super) handler: String,
    pub(super) effect: Effect,
}

/// What the handlers of each service have made of some events.
pub(super) async fn effects(
    operator: &Operator,
    ids: &[EventId],
    unanswered: &mut Vec<Unanswered>,
) -> BTreeMap<&'static str, EventEffects> {
    let mut by_service: BTreeMap<&'static str, EventEffects> = BTreeMap::new();
    let mut asked: Vec<&'static str> = catalogue::SERVICES.to_vec();
    for part in ids.chunks(AT_ONCE) {
        let answers = operator.ask_each(&asked, &FindEventEffects { ids: part.to_vec() }).await;
        for (service, effects) in answers.answered {
            let all = by_service.entry(service).or_default();
            all.handled.extend(effects.handled);
            all.dead_letters.extend(effects.dead_letters);
        }
        for problem in answers.unanswered {
            // Half of an answer would look like a whole one.
            asked.retain(|service| *service != problem.service);
            by_service.remove(problem.service);
            unanswered.push(problem);
        }
    }
    by_service
}

/// What every handler that takes an event of this type has made of it, and every other that has heard of it.
pub(super) fn handlings(
    id: EventId,
    event_type: Option<&str>,
    by_service: &BTreeMap<&'static str, EventEffects>,
) -> Vec<Handling> {
    let mut found: BTreeMap<(String, String), Effect> = BTreeMap::new();
    for declared in event_type.map(takers).unwrap_or_default() {
        let effect = if by_service.contains_key(declared.service) { Effect::Waiting } else { Effect::Unknown };
        found.insert((declared.service.to_owned(), declared.handler.to_owned()), effect);
    }
    for (service, effects) in by_service {
        // A dead letter has its row in the inbox as well: it is dealt with, though not as it should be.
        for handled in effects.handled.iter().filter(|handled| handled.event_id == id) {
            let key = ((*service).to_owned(), handled.handler.clone());
            found.insert(key, Effect::Handled(handled.clone()));
        }
        for letter in effects.dead_letters.iter().filter(|letter| letter.event_id == id) {
            let key = ((*service).to_owned(), letter.handler.clone());
            found.insert(key, Effect::Dead(Box::new(letter.clone())));
        }
    }
    found.into_iter().map(|((service, handler), effect)| Handling { service, handler, effect }).collect()
}

/// The consumers that take events of a type, as this build declares them.
fn takers(event_type: &str) -> Vec<ConsumerDeclaration> {
    let source = catalogue::events().find(|event| event.event_type == event_type).map(|event| event.service);
    let subject = event::subject(event_type, uuid::Uuid::nil());
    let mut takers = services::consumers();
    takers.retain(|consumer| source == Some(consumer.source) && is_in(&subject, &consumer.filter()));
    takers
}

/// Whether a subject is one of those that a filter names.
fn is_in(subject: &str, filter: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_name_subjects_as_nats_has_it() {
        for (filter, is_named) in [
            ("event.booking.created.*", true),
            ("event.booking.>", true),
            ("event.booking.created.0", true),
            ("event.booking.created", false),
            ("event.booking.created.0.>", false),
            ("event.pet.>", false),
            ("event.booking.*", false),
        ] {
            assert_eq!(is_in("event.booking.created.0", filter), is_named, "{filter}");
        }
    }

    #[test]
    fn who_takes_an_event_and_has_said_nothing_is_waiting_where_its_service_answers() {
        let id = EventId::new();
        let answered = BTreeMap::from([("profile", EventEffects::default())]);
        let handlings = handlings(id, Some("booking.created"), &answered);
        assert!(
            handlings
                .iter()
                .any(|handling| handling.service == "profile" && matches!(handling.effect, Effect::Waiting))
        );
        let nobody = super::handlings(id, Some("booking.created"), &BTreeMap::new());
        assert!(nobody.iter().all(|handling| matches!(handling.effect, Effect::Unknown)) && !nobody.is_empty());
    }
}
