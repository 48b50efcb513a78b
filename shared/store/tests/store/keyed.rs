//! Idempotency keys.

use crate::world::{Note, NoteError, PutNote, World, put_note};
use async_nats::HeaderMap;
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::time::Duration;
use subjects::{ErrorCode, Request as _};
use uuid::Uuid;

#[tokio::test]
async fn the_same_key_answers_the_same_again() {
    let world = World::start().await;
    let teller = world.teller().await;
    let id = Uuid::now_v7();

    let first = teller.put(Some("k"), id, "hello").await.unwrap();
    let second = teller.put(Some("k"), id, "hello").await.unwrap();
    assert_eq!(first, second);
    assert_eq!(world.number("select count(*) from vendor.notes").await, 1);
    assert_eq!(world.number("select count(*) from vendor.outbox").await, 1);

    let other = teller.put(Some("k"), id, "something else").await.unwrap_err();
    let NoteError::Fault(fault) = other else { panic!("{other}") };
    assert_eq!((fault.code, fault.reason.as_ref()), (ErrorCode::Unprocessable, "idempotency_key_reused"));

    // Without a key, and with another one, it is a request of its own.
    let again = teller.put(None, Uuid::now_v7(), "hello").await;
    assert_eq!(again, Err(NoteError::TextTaken));
    assert!(teller.put(Some("l"), Uuid::now_v7(), "good bye").await.is_ok());
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn twenty_at_once_have_one_effect_and_one_answer() {
    let world = World::start().await;
    let (one, two) = tokio::join!(world.teller(), world.teller());
    let id = Uuid::now_v7();

    let replicas = [&one, &two];
    let all = join_all((0..20).map(|number| replicas[number % 2].put(Some("k"), id, "hello"))).await;
    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|answer| answer.as_ref() == Ok(first)), "{all:?}");
    assert_eq!(world.number("select count(*) from vendor.notes").await, 1);
    assert_eq!(world.number("select count(*) from vendor.outbox").await, 1);
    assert_eq!(world.number("select count(*) from vendor.idempotency_keys").await, 1);
    one.running.drain().await.unwrap();
    two.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_an_answer_too() {
    let world = World::start().await;
    let teller = world.teller().await;
    teller.put(None, Uuid::now_v7(), "hello").await.unwrap();

    let id = Uuid::now_v7();
    assert_eq!(teller.put(Some("k"), id, "hello").await, Err(NoteError::TextTaken));
    world.execute("delete from vendor.notes").await;
    assert_eq!(teller.put(Some("k"), id, "hello").await, Err(NoteError::TextTaken));
    assert_eq!(world.number("select count(*) from vendor.notes").await, 0);
    assert!(teller.put(Some("l"), id, "hello").await.is_ok());
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_key_stands_for_the_version_too_and_another_version_is_no_lasting_refusal() {
    let world = World::start().await;
    let teller = world.teller().await;
    let id = Uuid::now_v7();
    let put = async |based_on: Option<i64>| {
        let mut meta = platform::Meta::background(PutNote::SUBJECT);
        (meta.idempotency_key, meta.if_match) = (Some("k".to_owned()), based_on);
        let cx = teller.run.cx_for(meta, Duration::from_secs(30));
        put_note(cx, PutNote { id, text: "hello".to_owned() }).await
    };
    let refused = |answer: Result<Note, NoteError>| {
        let NoteError::Fault(fault) = answer.unwrap_err() else { panic!("not a fault") };
        fault.code
    };
    assert_eq!(refused(put(Some(7)).await), ErrorCode::PreconditionFailed);
    let kept = put(Some(1)).await.unwrap();
    assert_eq!(put(Some(1)).await, Ok(kept));
    assert_eq!(refused(put(Some(7)).await), ErrorCode::Unprocessable);
    assert_eq!(refused(put(None).await), ErrorCode::Unprocessable);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn keys_in_two_scopes_do_not_meet() {
    let world = World::start().await;
    let teller = world.teller().await;
    let cx = &teller.cx(Some("k"));
    let keep = async |scope: &str, id: Uuid| {
        let request = PutNote { id, text: "hello".to_owned() };
        let kept =
            cx.app.store.keyed_in(cx, scope, &request, |_tx| async move { Ok(Note { id, receipt: Uuid::now_v7() }) });
        kept.await
    };
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let first = keep("one", one).await.unwrap();
    assert_eq!(keep("other", other).await.unwrap().id, other);
    assert_eq!(keep("one", one).await, Ok(first));
    assert!(keep("one", other).await.is_err());
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_fault_of_ours_is_not_kept() {
    let world = World::start().await;
    let teller = world.teller().await;
    let id = Uuid::now_v7();

    world.execute("revoke insert on vendor.notes from petpro_vendor").await;
    let failed = teller.put(Some("k"), id, "hello").await.unwrap_err();
    assert!(matches!(&failed, NoteError::Fault(fault) if fault.code == ErrorCode::Internal), "{failed:?}");
    world.execute("grant insert on vendor.notes to petpro_vendor").await;
    assert!(teller.put(Some("k"), id, "hello").await.is_ok());
    teller.running.drain().await.unwrap();
}

/// As a caller sees it, over NATS.
#[tokio::test]
async fn a_replay_is_marked_and_a_key_in_use_is_a_conflict() {
    let world = World::start().await;
    let teller = world.teller().await;
    let edge = world.client("edge").await;
    let request = json!({ "id": Uuid::now_v7(), "text": "hello" });
    let ask = async |key: &str, timeout_ms: &str| -> (HeaderMap, Value) {
        let mut headers = HeaderMap::new();
        headers.insert("Idempotency-Key", key);
        headers.insert("Petpro-Timeout-Ms", timeout_ms);
        let asked = async_nats::Request::new()
            .headers(headers)
            .payload(request.to_string().into())
            .timeout(Some(Duration::from_secs(30)));
        let reply = edge.send_request(PutNote::SUBJECT, asked).await.unwrap();
        (reply.headers.unwrap(), serde_json::from_slice(&reply.payload).unwrap())
    };

    let (headers, first) = ask("k", "10000").await;
    assert!(headers.get("Idempotency-Replayed").is_none());
    let (headers, second) = ask("k", "10000").await;
    assert_eq!(headers.get("Idempotency-Replayed").unwrap().as_str(), "true");
    assert_eq!(first, second);

    // Somebody works under the key `l` for longer than the caller can wait.
    let mut admin = world.admin().await;
    let mut elsewhere = admin.begin().await.unwrap();
    sqlx::raw_sql("set local search_path = vendor").execute(&mut *elsewhere).await.unwrap();
    sqlx::query("select lock_idempotency_key('anonymous', $1, 'l', 1000)")
        .bind(PutNote::SUBJECT)
        .execute(&mut *elsewhere)
        .await
        .unwrap();
    let (headers, refused) = ask("l", "1000").await;
    assert_eq!(headers.get("Nats-Service-Error-Code").unwrap().as_str(), "409");
    assert_eq!(refused["reason"], "idempotency_key_in_use");
    assert!(refused["retryAfterMs"].as_u64().unwrap() > 0);
    elsewhere.rollback().await.unwrap();
    teller.running.drain().await.unwrap();
}
