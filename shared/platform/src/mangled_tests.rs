//! What stands on messages and around requests, from whatever may come in its place.

use crate::codec::ContentType;
use crate::discovery::ServicePing;
use crate::headers;
use crate::incoming::Request;
use crate::nest;
use crate::streams::LeaseAsk;
use crate::streams::wire::{CREDIT, FROM, Kind, LEASE_MS, StreamPlace, TO};
use crate::tail::Place;
use async_nats::{HeaderMap, HeaderName, HeaderValue, Message, StatusCode};
use bytes::Bytes;
use subjects::Fault;
use testkit::mangled::{check_passing_over, check_reading, check_reading_text};
use tokio::time::Instant;

#[test]
fn packets_of_nestjs_clients_are_opened_or_are_requests() {
    let samples: Vec<Vec<u8>> = [
        r#"{"pattern":"booking.findOne","data":{"id": 1},"id":"a"}"#,
        r#"{"pattern":{"cmd":"get-booking"},"data":{},"metadata":{"traceId":"7"},"id":"a"}"#,
    ]
    .map(|sample| sample.as_bytes().to_vec())
    .into();
    let write = |(id, request): &(String, Bytes)| {
        let request = std::str::from_utf8(request).unwrap();
        format!(r#"{{"pattern":"x","data":{request},"id":{id}}}"#).into_bytes()
    };
    let open = |body: &[u8]| {
        let (id, request) = nest::open(&Bytes::copy_from_slice(body))?;
        for answer in [id.answer(b"null"), id.item(b"{}"), id.end(), id.refusal(b"{}")] {
            serde_json::from_slice::<serde_json::Value>(&answer).unwrap();
        }
        let id = serde_json::from_slice::<serde_json::Value>(&id.end()).unwrap()["id"].to_string();
        Some((id, request))
    };
    check_reading(&samples, open, write);
}

const READ: [&str; 15] = [
    headers::AUTHORIZATION,
    headers::SERVICE_TOKEN,
    headers::DEADLINE,
    headers::TIMEOUT_MS,
    headers::CORRELATION_ID,
    headers::TRACEPARENT,
    headers::IDEMPOTENCY_KEY,
    headers::IF_MATCH,
    headers::CAUSE,
    headers::CLIENT_ADDRESS,
    headers::CONTENT_TYPE,
    FROM,
    CREDIT,
    LEASE_MS,
    TO,
];

/// A message on which every header says the same.
fn message(text: &str) -> Option<Message> {
    let value: HeaderValue = text.parse().ok()?;
    let mut headers = HeaderMap::new();
    for name in READ {
        headers.insert(HeaderName::from_static(name), value.clone());
    }
    Some(Message {
        subject: "auth.me".into(),
        reply: Some("_INBOX.x".into()),
        payload: Bytes::new(),
        headers: Some(headers),
        status: None::<StatusCode>,
        description: None,
        length: 0,
    })
}

#[test]
fn headers_are_read_or_passed_over() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let samples =
        ["7", "\"12\"", "Bearer a.b.c", "application/json; charset=utf-8", "2001:db8:1:2::/64", trace, "req-1.a_b:c"];
    check_passing_over(&samples, |text| {
        let Some(message) = message(text) else { return };
        let lease = LeaseAsk::of(&message);
        let request = Request::receive(message, "auth", "auth.me", Instant::now());
        let meta = request.meta;
        assert!(meta.traceparent.as_deref().and_then(crate::trace::trace_id).is_some(), "{meta:?}");
        assert!(crate::trace::is_safe_correlation_id(&meta.correlation_id), "{meta:?}");
        if let Err(fault) = lease.terms() {
            assert!(!fault.violations.is_empty(), "{fault:?}");
        }
    });
}

#[test]
fn places_in_streams_are_read_or_refused() {
    let samples = ["7-42", "7-42-0190a00000007000800000000000000f", "7-42.000000ff"];
    check_reading_text(&samples, |text| text.parse::<StreamPlace>().ok(), StreamPlace::to_string);
    check_reading_text(&["1760000000000001-42"], |text| text.parse::<Place>().ok(), Place::to_string);
    check_reading_text(&["snapshot", "end"], Kind::parse, |kind| kind.as_str().to_owned());
}

#[test]
fn instances_that_show_themselves_are_read_or_passed_over() {
    let sample = br#"{"name":"booking","id":"a","version":"1.0.0","type":"io.nats.micro.v1.ping_response"}"#.to_vec();
    let read = |body: &[u8]| {
        let ping: ServicePing = serde_json::from_slice(body).ok()?;
        Some((ping.name, ping.id, ping.version))
    };
    let write = |(name, id, version): &(String, String, String)| {
        serde_json::json!({ "name": name, "id": id, "version": version }).to_string().into_bytes()
    };
    check_reading(&[sample], read, write);
}

#[test]
fn media_types_and_faults_are_read_or_refused() {
    let samples = ["application/json", "application/msgpack; x=y"];
    check_reading_text(&samples, ContentType::parse, |form| form.as_str().to_owned());
    for form in [ContentType::Json, ContentType::MessagePack] {
        let sample = form.encode(&Fault::not_found("pet")).unwrap().to_vec();
        let read = |body: &[u8]| form.decode::<Fault>(body).ok();
        check_reading(&[sample], read, |fault| form.encode(fault).unwrap().to_vec());
    }
}
