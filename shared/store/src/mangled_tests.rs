//! Cursors and the envelopes of events, from whatever may come in their place.

use crate::cursor;
use crate::work::{Incoming, Place};
use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;
use chrono::DateTime;
use serde_json::Value;
use testkit::mangled::{check_passing_over, check_reading_text};
use uuid::Uuid;

#[test]
fn cursors_are_read_or_refused() {
    let key = (String::from("Makassar"), 17_i64, Uuid::now_v7());
    let good = cursor::encode(&key);
    type Key = (String, i64, Uuid);
    check_reading_text(&[&good], |text| cursor::decode::<Key>(Some(text)).ok(), cursor::encode);
    // Of any shape at all.
    check_reading_text(&[&good], |text| cursor::decode::<Value>(Some(text)).ok(), cursor::encode);
}

#[test]
fn envelopes_of_events_are_read_or_say_what_is_wrong_with_them() {
    let at = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
    let id = Uuid::now_v7().to_string();
    check_passing_over(&[&id, "1.0", "event.booking.created.3"], |text| {
        let Ok(value) = text.parse::<HeaderValue>() else { return };
        let mut headers = HeaderMap::new();
        for name in ["ce-id", "ce-subject", "ce-specversion", "Nats-Msg-Id", "x-correlation-id", "traceparent"] {
            headers.insert(name, value.clone());
        }
        let place = Place { stream: "EVENTS_BOOKING".into(), incarnation: at, sequence: 7 };
        let event = Incoming::new(place, at, text.to_owned(), headers, Bytes::new());
        // Nothing is an id and a version at once.
        assert!(event.trouble.is_some(), "{text}");
    });
}
