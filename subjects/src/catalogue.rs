//! The whole contract as lists.

use crate::operation::{EventType, Operation};
use std::collections::BTreeSet;

/// The services that answer requests, in the order in which they are listed everywhere.
pub const SERVICES: [&str; 5] = ["auth", "profile", "vendor", "booking", "catalog"];

/// Every operation of every service; last, what each is asked by those who run the platform.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    let by_service = [
        crate::auth::OPERATIONS,
        crate::profile::OPERATIONS,
        crate::vendor::OPERATIONS,
        crate::booking::OPERATIONS,
        crate::catalog::OPERATIONS,
        crate::ops::OPERATIONS,
    ];
    by_service.into_iter().flatten()
}

/// Every event type of every service.
pub fn events() -> impl Iterator<Item = &'static EventType> {
    let by_service = [
        crate::auth::EVENTS,
        crate::profile::EVENTS,
        crate::vendor::EVENTS,
        crate::booking::EVENTS,
        crate::catalog::EVENTS,
    ];
    by_service.into_iter().flatten()
}

/// The operations of one service.
pub fn operations_of(service: &str) -> impl Iterator<Item = &'static Operation> {
    operations().filter(move |operation| operation.service == service)
}

/// The subjects that a service's event stream takes: `event.<entity>.>` for each entity that it owns.
pub fn stream_subjects(service: &str) -> Vec<String> {
    let entities: BTreeSet<&str> = events().filter(|event| event.service == service).map(EventType::entity).collect();
    entities.into_iter().map(|entity| format!("event.{entity}.>")).collect()
}

/// The operation that answers a subject or one of its aliases.
pub fn find(subject: &str) -> Option<&'static Operation> {
    operations().find(|operation| operation.subjects().any(|name| name == subject))
}
