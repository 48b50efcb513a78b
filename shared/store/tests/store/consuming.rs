//! Work consumers.

use crate::world::{VendorNoted, World};
use async_nats::HeaderMap;
use std::sync::atomic::Ordering;
use subjects::{Event as _, event};
use uuid::Uuid;

const HEARD: &str = "select count(*) from booking.heard";
const WAITING: &str = "select count(*) from booking.outbox where published_at is null";

#[tokio::test]
async fn an_event_that_comes_again_has_its_effect_once() {
    let world = World::start().await;
    let teller = world.teller().await;
    let (listener, calls) = world.listener().await;
    let id = Uuid::now_v7();
    teller.put(None, id, "hello").await.unwrap();
    world.until(HEARD, 1).await;

    // The same event again, past JetStream's own deduplication; then another one, to know when all are through.
    let (headers, body) = world.events("vendor").await.remove(0);
    for number in 0..5 {
        let mut again = HeaderMap::new();
        again.insert("ce-id", headers.get("ce-id").unwrap().clone());
        again.insert("Nats-Msg-Id", format!("again {number}").as_str());
        let subject = event::subject(VendorNoted::TYPE, id);
        let published = teller.run.jetstream.publish_with_headers(subject, again, body.to_string().into());
        published.await.unwrap().await.unwrap();
    }
    for _ in 0..10 {
        teller.put(None, Uuid::now_v7(), &Uuid::now_v7().to_string()).await.unwrap();
    }
    world.until(HEARD, 11).await;
    assert_eq!(world.number(&format!("{HEARD} where note_id = '{id}'")).await, 1);
    assert_eq!(calls.load(Ordering::SeqCst), 11);
    teller.running.drain().await.unwrap();
    listener.drain().await.unwrap();
}

#[tokio::test]
async fn a_failure_takes_its_effect_back_and_is_tried_again() {
    let world = World::start().await;
    let teller = world.teller().await;
    let (listener, calls) = world.listener().await;
    teller.put(None, Uuid::now_v7(), "stubborn").await.unwrap();
    world.until(HEARD, 1).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert_eq!(world.number("select count(*) from booking.inbox").await, 1);
    assert_eq!(world.number("select count(*) from booking.outbox").await, 1);
    teller.running.drain().await.unwrap();
    listener.drain().await.unwrap();
}

#[tokio::test]
async fn what_a_handler_tells_has_the_event_as_its_cause() {
    let world = World::start().await;
    let teller = world.teller().await;
    let (listener, _) = world.listener().await;
    teller.put(None, Uuid::now_v7(), "hello").await.unwrap();
    world.until(HEARD, 1).await;
    world.until(WAITING, 0).await;

    let (cause, _) = world.events("vendor").await.remove(0);
    let (effect, _) = world.events("booking").await.remove(0);
    assert_eq!(effect.get("Petpro-Cause"), cause.get("ce-id"));
    assert_eq!(effect.get("x-correlation-id"), cause.get("x-correlation-id"));
    let trace = |headers: &HeaderMap| headers.get("traceparent").unwrap().as_str()[3..35].to_owned();
    assert_eq!(trace(&effect), trace(&cause));
    teller.running.drain().await.unwrap();
    listener.drain().await.unwrap();
}

#[tokio::test]
async fn a_consumer_outlives_nats_and_shares_the_work_with_its_replicas() {
    let world = World::start().await;
    let teller = world.teller().await;
    let (one, _) = world.listener().await;
    let (two, _) = world.listener().await;
    for round in 0..2 {
        for number in 0..20 {
            teller.put(None, Uuid::now_v7(), &format!("{round} {number}")).await.unwrap();
        }
        world.until(HEARD, 20 * (round + 1)).await;
        world.nats.restart().await.unwrap();
    }
    one.drain().await.unwrap();
    teller.put(None, Uuid::now_v7(), "for the one that is left").await.unwrap();
    world.until(HEARD, 41).await;
    teller.running.drain().await.unwrap();
    two.drain().await.unwrap();
}

#[tokio::test]
async fn a_consumer_that_is_gone_is_waited_for() {
    let world = World::start().await;
    let unbounded = async_nats::jetstream::new(world.unbounded_client().await);
    let stream = unbounded.get_stream("EVENTS_VENDOR").await.unwrap();
    stream.delete_consumer("booking_noted").await.unwrap();
    let teller = world.teller().await;
    let (listener, _) = world.listener().await;
    teller.put(None, Uuid::now_v7(), "before the consumer is there").await.unwrap();
    world.provision().await;
    world.until(HEARD, 1).await;

    // A new consumer gives out everything again.
    stream.delete_consumer("booking_noted").await.unwrap();
    world.provision().await;
    teller.put(None, Uuid::now_v7(), "after it was made anew").await.unwrap();
    world.until(HEARD, 2).await;
    assert_eq!(world.number("select count(*) from booking.inbox").await, 2);
    teller.running.drain().await.unwrap();
    listener.drain().await.unwrap();
}
