//! Request-streams as people and NestJS clients ask for them, and what is refused.

use crate::streams_toy::Toy;
use async_nats::HeaderMap;
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use subjects::ids::ClinicId;
use subjects::{ErrorCode, Fault};
use uuid::Uuid;

/// The kinds that a plain request hears, and the fault where it is refused.
async fn ask_plainly(toy: &Toy, headers: &[(&str, &str)], body: &str, answers: usize) -> (Vec<String>, Option<Fault>) {
    let operator = toy.world.operator().await;
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    let mut map = HeaderMap::new();
    map.insert("Authorization", format!("Bearer {}", toy.world.user_token()).as_str());
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    let body = Bytes::copy_from_slice(body.as_bytes());
    operator.publish_with_reply_and_headers("booking.watch", inbox, map, body).await.unwrap();
    let mut kinds = vec![];
    while kinds.len() < answers {
        let reply = replies.next().await.unwrap();
        let headers = reply.headers.unwrap();
        if headers.get("Nats-Service-Error-Code").is_some() {
            return (kinds, Some(serde_json::from_slice(&reply.payload).unwrap()));
        }
        kinds.push(headers.get("Petpro-Stream").unwrap().to_string());
    }
    (kinds, None)
}

#[tokio::test]
async fn a_plain_request_is_told_in_its_own_inbox_within_its_credit() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    for _ in 0..5 {
        toy.create(ClinicId::new()).await;
    }
    let (kinds, fault) = ask_plainly(&toy, &[], "{}", 7).await;
    assert_eq!(fault, None);
    assert_eq!(kinds, ["reset", "snapshot", "snapshot", "snapshot", "snapshot", "snapshot", "ready"]);
    let (kinds, _) = ask_plainly(&toy, &[("Petpro-Stream-Credit", "2")], "{}", 4).await;
    assert_eq!(kinds, ["reset", "snapshot", "snapshot", "end"]);
    let (kinds, _) = ask_plainly(&toy, &[("Petpro-Stream-Lease-Ms", "50")], "{}", 8).await;
    assert_eq!(kinds.last().map(String::as_str), Some("end"));
}

/// The packets that a NestJS client gets, up to the last one.
async fn ask_in_packets(toy: &Toy) -> Vec<Value> {
    let operator = toy.world.operator().await;
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("Authorization", format!("Bearer {}", toy.world.user_token()).as_str());
    headers.insert("Petpro-Stream-Lease-Ms", "1000");
    let body = r#"{"pattern":"booking.watch","data":{},"id":"a"}"#;
    operator.publish_with_reply_and_headers("booking.watch", inbox, headers, body.into()).await.unwrap();
    let mut packets = vec![];
    loop {
        let packet: Value = serde_json::from_slice(&replies.next().await.unwrap().payload).unwrap();
        packets.push(packet);
        if packets.last().unwrap()["isDisposed"] == true {
            return packets;
        }
    }
}

#[tokio::test]
async fn a_nestjs_client_is_told_all_or_that_it_cannot_be_told() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    for _ in 0..300 {
        toy.row(ClinicId::new());
    }
    let packets = ask_in_packets(&toy).await;
    assert_eq!(packets.iter().filter(|packet| packet["response"]["bookingId"].is_string()).count(), 300);
    assert_eq!(packets.last().unwrap(), &json!({ "isDisposed": true, "id": "a" }));
    toy.shared.is_broken.store(true, Ordering::SeqCst);
    let packets = ask_in_packets(&toy).await;
    assert_eq!((packets.len(), &packets[0]["err"]["reason"]), (1, &json!("no_snapshot")));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let toy = Toy::start().await;
    let _replica = toy.replica_with("[streams]\nleases = 2").await;
    for (header, value) in [
        ("Petpro-Stream-From", "yesterday"),
        ("Petpro-Stream-From", "1-2-3-4"),
        ("Petpro-Stream-Credit", "0"),
        ("Petpro-Stream-Credit", "257"),
        ("Petpro-Stream-Credit", "many"),
        ("Petpro-Stream-Lease-Ms", "30001"),
        ("Petpro-Stream-To", "event.booking.created.1"),
        ("Petpro-Stream-To", "_INBOX_edge.*"),
    ] {
        let (_, fault) = ask_plainly(&toy, &[(header, value)], "{}", 1).await;
        assert_eq!(fault.unwrap().code, ErrorCode::BadRequest, "{header}: {value}");
    }
    let (_, fault) = ask_plainly(&toy, &[], r#"{"clinicId":7,"from":"soon"}"#, 1).await;
    assert_eq!(fault.unwrap().violations.len(), 2);
    let refused = toy.watch(json!({ "clinicId": Uuid::nil() }), None).await.err().unwrap();
    assert_eq!(refused.reason, "clinic_not_found");

    let _one = toy.watch(json!({}), None).await.unwrap();
    let _two = toy.watch(json!({}), None).await.unwrap();
    let full = toy.watch(json!({}), None).await.err().unwrap();
    assert_eq!((full.code, full.reason.as_ref()), (ErrorCode::Unavailable, "too_many_streams"));
}
