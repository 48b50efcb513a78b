use super::*;
use crate::access::Who;
use crate::catalogue;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ID: &str = "01990000-0000-7000-8000-000000000001";

/// The dotted paths of the fields that break a rule; empty when the message is good.
fn violations<R: Request>(message: Value) -> Vec<String> {
    let request: R = serde_json::from_value(message).unwrap();
    match request.validate() {
        Ok(()) => Vec::new(),
        Err(report) => report.iter().map(|(path, _)| path.to_string()).collect(),
    }
}

#[test]
fn every_service_is_asked_the_same_under_a_subject_of_its_own() {
    let of_one = |service: &str| -> BTreeSet<String> {
        let own = OPERATIONS.iter().filter(|operation| operation.service == service);
        own.map(|operation| operation.subject.replace(&format!("ops.{service}."), "ops.*.")).collect()
    };
    let first = of_one(catalogue::SERVICES[0]);
    assert!(first.contains(FindOutboxStatus::SUBJECT) && first.contains(RebuildReadModel::SUBJECT));
    assert!(first.iter().all(|pattern| pattern.starts_with("ops.*.")));
    for service in catalogue::SERVICES {
        assert_eq!(of_one(service), first, "{service}");
    }
    assert_eq!(OPERATIONS.len(), catalogue::SERVICES.len() * first.len());
    let found = catalogue::find(&subject_of::<ReplayDeadLetters>("vendor")).unwrap();
    assert_eq!((found.service, found.subject), ("vendor", "ops.vendor.deadLetterReplay"));
}

#[test]
fn only_those_who_run_the_platform_are_let_in_and_none_of_it_has_a_route() {
    for operation in OPERATIONS {
        assert_eq!(operation.access.0, [Who::Permitted], "{}", operation.subject);
        assert!(operation.rest.is_empty() && operation.aliases.is_empty(), "{}", operation.subject);
    }
}

#[test]
fn a_time_goes_with_refilling_all_alone() {
    let since = "2027-03-01T02:00:00Z";
    assert!(violations::<RefillOutbox>(json!({ "mode": "lost" })).is_empty());
    assert!(violations::<RefillOutbox>(json!({ "mode": "all", "since": since })).is_empty());
    assert_eq!(violations::<RefillOutbox>(json!({ "mode": "lost", "since": since })), ["since"]);
    assert_eq!(violations::<RefillOutbox>(json!({ "mode": "all", "since": "9999-01-01T00:00:00Z" })), ["since"]);
}

#[test]
fn numbers_lists_and_texts_are_bounded() {
    assert_eq!(violations::<FindEventEffects>(json!({ "ids": [] })), ["ids"]);
    assert_eq!(violations::<FindEventEffects>(json!({ "ids": vec![ID; 201] })), ["ids"]);
    assert_eq!(violations::<ReplayDeadLetters>(json!({ "limit": 0 })), ["limit"]);
    assert_eq!(violations::<DropDeadLetters>(json!({ "why": "  " })), ["why", "why"]);
    assert_eq!(violations::<DropDeadLetters>(json!({ "why": "nul\u{0}" })), ["why"]);
    assert_eq!(violations::<PauseConsumer>(json!({ "handler": "", "reason": "a fault in it" })), ["handler"]);
    assert_eq!(violations::<FindLineage>(json!({ "correlationId": "x".repeat(129) })), ["correlation_id"]);
}
