//! Bodies, queries and headers of clients, and what Redis gives back, from whatever may come in their place.

use crate::cache::{minimum_version, shared};
use crate::clients::Clients;
use crate::representation::{accept, etag};
use crate::{body, conditions, query, sse};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::net::SocketAddr;
use std::time::Duration;
use subjects::{Effect, Rest};
use testkit::mangled::{check_reading, check_reading_text};

fn with(name: &HeaderName, text: &str) -> Option<HeaderMap> {
    Some(HeaderMap::from_iter([(name.clone(), HeaderValue::from_bytes(text.as_bytes()).ok()?)]))
}

#[test]
fn bodies_are_read_or_refused() {
    let json = with(&header::CONTENT_TYPE, "application/json").unwrap();
    let samples = [&br#"{"name":"Oyen","tags":["a",{"b":null}],"weight":5.4}"#[..], b"{}"].map(<[u8]>::to_vec);
    let read = |bytes: &[u8]| body::parse(&json, bytes).ok();
    check_reading(&samples, read, |fields| serde_json::to_vec(fields).unwrap());
    let types = ["application/json; charset=utf-8", "application/merge-patch+json"];
    let read = |text: &str| body::parse(&with(&header::CONTENT_TYPE, text)?, b"{}").ok();
    check_reading_text(&types, read, |_nothing| "application/json".to_owned());
}

#[test]
fn queries_are_read_or_refused() {
    let write = |pairs: &Vec<(String, String)>| {
        // A name without a value and no name at all are read alike.
        let pairs = pairs.iter().map(|(name, value)| {
            let encoded = query::with("", "x", value);
            let value = encoded.trim_start_matches("x=");
            let name = query::with("", "x", name);
            format!("{}={value}", name.trim_start_matches("x="))
        });
        pairs.collect::<Vec<_>>().join("&")
    };
    check_reading_text(
        &["q=kucing+besar&city=S%C3%A3o&&flag", "sort=-createdAt"],
        |text| query::parse(text).ok(),
        write,
    );
}

#[test]
fn versions_and_keys_are_read_or_refused() {
    let put = Rest::put("/vendors/{id}");
    let read = |text: &str| conditions::expected_version(&with(&header::IF_MATCH, text)?, &put).ok().flatten();
    check_reading_text(&["\"12\"", "\"12-hal\""], read, |version| format!("\"{version}\""));
    let read = |text: &str| minimum_version::read(&with(&minimum_version::MINIMUM_VERSION, text)?).ok().flatten();
    check_reading_text(&["12"], read, i64::to_string);
    let name = HeaderName::from_static("idempotency-key");
    let read = |text: &str| conditions::idempotency_key(&with(&name, text)?, Effect::Keyed).ok().flatten();
    check_reading_text(&["0190a000-0000-7000-8000-000000000001", "order:7"], read, String::clone);
}

#[test]
fn places_to_go_on_from_are_read_or_refused() {
    let read = |text: &str| sse::resumed_from(&with(&HeaderName::from_static("last-event-id"), text)?).ok().flatten();
    check_reading_text(&["7-42"], read, |place| place.to_string());
}

#[test]
fn what_clients_take_and_know_is_read_or_passed_over() {
    let offers = ["application/json", "application/hal+json"];
    let samples = ["application/hal+json;q=0.5, */*;q=0.1", "application/json"];
    let read = |text: &str| accept::best(text, &offers);
    check_reading_text(&samples, read, |best| offers[*best].to_owned());
    let read = |text: &str| {
        let headers = with(&header::IF_NONE_MATCH, text)?;
        etag::is_known(&headers, "\"7\"").then_some(())
    };
    check_reading_text(&["\"7\"", "W/\"7\", \"6\"", "*"], read, |()| "\"7\"".to_owned());
    let clients = Clients::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let peer = SocketAddr::from(([10, 0, 0, 1], 4711));
    let read = |text: &str| Some(clients.address(peer, &with(&HeaderName::from_static("x-forwarded-for"), text)?));
    let write = |address: &crate::clients::ClientAddress| address.to_string().replace("/64", "");
    check_reading_text(&["198.51.100.1, 10.0.0.2", "[2001:db8:1:2:3::4]:80"], read, write);
}

#[test]
fn what_redis_keeps_is_read_or_passed_over() {
    let answer = |body: &[u8]| {
        let bulk = |bytes: &[u8]| redis::Value::BulkString(bytes.to_vec());
        shared::read_answer(vec![bulk(body), redis::Value::Int(7), bulk(body)])
    };
    let read = |body: &[u8]| answer(body).and_then(|(clock, kept)| Some((clock, kept?)));
    let write = |(_, (body, left)): &(String, (Bytes, Duration))| {
        assert_eq!(*left, Duration::from_millis(7));
        body.to_vec()
    };
    check_reading(&[b"1760000000000-3".to_vec()], read, write);
}
