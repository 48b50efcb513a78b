//! The tree of a request: what it told, who has handled that, and what these told in turn.

use super::gather::{Effect, Handling, handlings};
use crate::operator::{Colour, duration, many, paint, shortened};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use subjects::catalogue;
use subjects::ids::EventId;
use subjects::ops::{EventEffects, ToldEvent};

/// How much of an error a line shows.
const ERROR_LENGTH: usize = 100;

/// All that is known of a request.
pub(super) struct Gathered {
    /// The events with the services that told them, in the order in which they were told.
    pub(super) told: Vec<(&'static str, ToldEvent)>,
    /// What handlers have made of them.
    pub(super) by_service: BTreeMap<&'static str, EventEffects>,
}

/// A part of the tree.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) children: Vec<Node>,
}

/// What a part is.
#[derive(Debug)]
pub(super) enum Kind {
    /// What told the events below it, where no event led to it.
    Origin(Option<String>),
    /// An event.
    Event { service: &'static str, event: Box<ToldEvent> },
    /// A handler of the event above it, and when that was told.
    Handler { handling: Handling, told_at: DateTime<Utc> },
}

/// The trees of a request: one for each operation that has told something because of it.
pub(super) fn forest(gathered: Gathered) -> Vec<Node> {
    let Gathered { told, by_service } = gathered;
    let known: BTreeSet<EventId> = told.iter().map(|(_, event)| event.id).collect();
    let (roots, mut caused): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(_, event)| event.cause.is_none_or(|cause| !known.contains(&cause)));
    let mut origins: Vec<(Option<String>, Vec<Node>)> = Vec::new();
    for (service, event) in roots {
        let origin = event.origin.clone();
        let node = grown(service, event, &mut caused, &by_service);
        match origins.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, children)) => children.push(node),
            None => origins.push((origin, vec![node])),
        }
    }
    // Events that name each other as their causes would be lost otherwise.
    while !caused.is_empty() {
        let (service, event) = caused.remove(0);
        let node = grown(service, event, &mut caused, &by_service);
        origins.push((None, vec![node]));
    }
    origins.into_iter().map(|(origin, children)| Node { kind: Kind::Origin(origin), children }).collect()
}

/// The tree below an event. Takes out of `caused` what belongs there.
fn grown(
    service: &'static str,
    event: ToldEvent,
    caused: &mut Vec<(&'static str, ToldEvent)>,
    by_service: &BTreeMap<&'static str, EventEffects>,
) -> Node {
    let (mut own, rest): (Vec<_>, Vec<_>) =
        std::mem::take(caused).into_iter().partition(|(_, told)| told.cause == Some(event.id));
    *caused = rest;
    let mut children = Vec::new();
    for handling in handlings(event.id, Some(&event.event_type), by_service) {
        let consumer = format!("{}_{}", handling.service, handling.handler);
        let (told_by_it, others): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|(_, told)| told.origin.as_deref() == Some(consumer.as_str()));
        own = others;
        let below = told_by_it.into_iter().map(|(service, told)| grown(service, told, caused, by_service)).collect();
        children.push(Node { kind: Kind::Handler { handling, told_at: event.created_at }, children: below });
    }
    children.extend(own.into_iter().map(|(service, told)| grown(service, told, caused, by_service)));
    Node { kind: Kind::Event { service, event: Box::new(event) }, children }
}

/// The trees as lines.
pub(super) fn lines(roots: &[Node]) -> Vec<String> {
    let mut lines = Vec::new();
    add(roots, "", &mut lines);
    lines
}

fn add(nodes: &[Node], indent: &str, lines: &mut Vec<String>) {
    for (index, node) in nodes.iter().enumerate() {
        let is_last = index + 1 == nodes.len();
        let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push(format!("{indent}{branch}{}", node.kind.to_line()));
        add(&node.children, &format!("{indent}{below}"), lines);
    }
}

/// Where a request came in: its first route, or that it was asked by another service.
fn origin_in_words(origin: &str) -> String {
    match catalogue::find(origin) {
        Some(operation) => match operation.rest.first() {
            Some(rest) => format!("{} {}  {origin}", rest.method.as_str(), rest.path),
            None => format!("{origin}, asked by another service"),
        },
        None => format!("{origin}, by itself"),
    }
}

impl Kind {
    fn to_line(&self) -> String {
        match self {
            Kind::Origin(Some(origin)) => paint(&origin_in_words(origin), Colour::Bold),
            Kind::Origin(None) => paint("told by what is not known any more", Colour::Dim),
            Kind::Event { service, event } => {
                let head = paint(&format!("{} v{}", event.event_type, event.version), Colour::Bold);
                let id = paint(&event.id.to_string(), Colour::Dim);
                let published = match event.published_at {
                    Some(at) => format!("published after {}", duration((at - event.created_at).as_seconds_f64())),
                    None => paint("waits to be published", Colour::Yellow),
                };
                format!("{head}  {id}  by {service}, {published}")
            }
            Kind::Handler { handling, told_at } => {
                let name = format!("{}/{}", handling.service, handling.handler);
                match &handling.effect {
                    Effect::Handled(handled) => {
                        let took = duration((handled.handled_at - *told_at).as_seconds_f64());
                        format!("{name}  {}", paint(&format!("done after {took}"), Colour::Green))
                    }
                    Effect::Dead(letter) => {
                        let error = shortened(&letter.error, ERROR_LENGTH);
                        let attempts = many(u64::try_from(letter.attempts).unwrap_or_default(), "attempt");
                        let text = format!("DEAD LETTER, {} after {attempts}: {error}", letter.reason);
                        format!("{name}  {}", paint(&text, Colour::Red))
                    }
                    Effect::Waiting => format!("{name}  {}", paint("not yet", Colour::Yellow)),
                    Effect::Unknown => format!("{name}  {}", paint("its service does not answer", Colour::Yellow)),
                }
            }
        }
    }
}

impl Node {
    /// The part with all below it, for scripts.
    pub(super) fn to_json(&self) -> Value {
        let children: Vec<Value> = self.children.iter().map(Node::to_json).collect();
        match &self.kind {
            Kind::Origin(origin) => {
                let rest = origin.as_deref().and_then(catalogue::find).and_then(|operation| operation.rest.first());
                let route = rest.map(|rest| format!("{} {}", rest.method.as_str(), rest.path));
                json!({ "origin": origin, "route": route, "events": children })
            }
            Kind::Event { service, event } => json!({ "service": service, "event": event, "handlers": children }),
            Kind::Handler { handling, .. } => {
                let mut told = super::show::to_json(handling);
                if let Some(fields) = told.as_object_mut() {
                    fields.insert("events".to_owned(), Value::Array(children));
                }
                told
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use subjects::ops::{DeadLetter, DeadLetterReason, HandledEvent};
    use uuid::Uuid;

    fn told(id: EventId, event_type: &str, origin: &str, cause: Option<EventId>) -> ToldEvent {
        let at: DateTime<Utc> = "2027-03-01T02:00:00Z".parse().unwrap();
        ToldEvent {
            id,
            event_type: event_type.to_owned(),
            aggregate_id: Uuid::nil(),
            version: 1,
            partition: 0,
            created_at: at,
            published_at: Some(at + chrono::Duration::milliseconds(12)),
            stream: None,
            incarnation: None,
            sequence: None,
            correlation_id: Some("a-request".to_owned()),
            cause,
            origin: Some(origin.to_owned()),
            headers: BTreeMap::new(),
            body: None,
        }
    }

    fn handled(event_id: EventId, handler: &str) -> HandledEvent {
        let handled_at = "2027-03-01T02:00:00.031Z".parse().unwrap();
        HandledEvent { event_id, handler: handler.to_owned(), handled_at }
    }

    fn dead(event_id: EventId, handler: &str) -> DeadLetter {
        DeadLetter {
            service: "booking".to_owned(),
            handler: handler.to_owned(),
            event_id,
            event_type: "hours.updated".to_owned(),
            aggregate_id: None,
            reason: DeadLetterReason::Exhausted,
            error: "no such\n  clinic".to_owned(),
            attempts: 8,
            parked_at: Utc::now(),
            correlation_id: None,
            traceparent: None,
        }
    }

    /// An hour's change that one handler cannot deal with; a booking that profile hears of and tells something for.
    fn gathered() -> Gathered {
        let (hours, booking, pet) = (EventId::new(), EventId::new(), EventId::new());
        let of_booking = EventEffects { handled: vec![], dead_letters: vec![dead(hours, "hours_updated")] };
        let of_profile = EventEffects { handled: vec![handled(booking, "booking_created")], dead_letters: vec![] };
        Gathered {
            told: vec![
                ("vendor", told(hours, "hours.updated", "hours.update", None)),
                ("booking", told(booking, "booking.created", "booking.create", None)),
                ("profile", told(pet, "pet.created", "profile_booking_created", Some(booking))),
            ],
            by_service: BTreeMap::from([("booking", of_booking), ("profile", of_profile)]),
        }
    }

    #[test]
    fn what_a_handler_told_stands_below_it_and_dead_letters_are_marked() {
        let lines = lines(&forest(gathered()));
        let depth_of = |part: &str| {
            let line = lines.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {lines:#?}"));
            line.chars().position(|letter| letter.is_alphanumeric()).unwrap() / 3
        };
        assert!(lines[0].starts_with("├─ PUT /clinics/{clinicId}/hours  hours.update"), "{lines:#?}");
        assert_eq!(depth_of("POST /bookings  booking.create"), 1);
        assert_eq!(depth_of("booking.created v1"), 2);
        assert_eq!(depth_of("profile/booking_created  done after 31 ms"), 3);
        assert_eq!(depth_of("pet.created v1"), 4);
        assert_eq!(depth_of("booking/hours_updated  DEAD LETTER, exhausted after 8 attempts: no such clinic"), 3);
        assert!(lines.iter().any(|line| line.contains("published after 12 ms")));
    }

    #[test]
    fn no_event_is_left_out_whatever_its_cause_says() {
        let (one, other, orphan) = (EventId::new(), EventId::new(), EventId::new());
        let told = vec![
            ("vendor", told(one, "vendor.updated", "a", Some(other))),
            ("vendor", told(other, "vendor.updated", "a", Some(one))),
            ("vendor", told(orphan, "vendor.updated", "a", Some(EventId::new()))),
        ];
        let lines = lines(&forest(Gathered { told, by_service: BTreeMap::new() }));
        for id in [one, other, orphan] {
            assert_eq!(lines.iter().filter(|line| line.contains(&id.to_string())).count(), 1, "{lines:#?}");
        }
    }

    #[test]
    fn scripts_are_told_the_route() {
        let roots: Vec<Value> = forest(gathered()).iter().map(Node::to_json).collect();
        assert_eq!(roots[1]["route"], json!("POST /bookings"));
        assert_eq!(roots[0]["events"][0]["handlers"][0]["state"], json!("dead_letter"));
    }
}
