//! What provision keeps, and what it leaves alone.

use crate::hearing::{Behaviour, Voice, doubled, effects, hearer_service, hearing_world, replica};
use crate::world::World;
use async_nats::jetstream;
use async_nats::jetstream::consumer::{Info, PullConsumer};
use identity::keys::PROVISION;
use platform::provision::{keep, provision};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

async fn consumer(voice: &Voice, durable: &str) -> Info {
    let found: PullConsumer = voice.jetstream.get_consumer_from_stream(durable, "EVENTS_VENDOR").await.unwrap();
    found.cached_info().clone()
}

#[tokio::test]
async fn what_an_operator_has_set_stays_and_what_is_declared_anew_is_changed() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let first = consumer(&voice, "booking_hear").await;
    assert_eq!((first.config.ack_wait, first.config.max_deliver), (Duration::from_secs(30), -1));
    // An operator enlarges a stream and a consumer, pauses it, and writes something down.
    let stream = voice.jetstream.get_stream("EVENTS_VENDOR").await.unwrap();
    let mut config = stream.cached_info().config.clone();
    config.max_bytes *= 2;
    config.metadata.insert("note".to_owned(), "enlarged".to_owned());
    voice.jetstream.update_stream(&config).await.unwrap();
    let mut hear = first.config.clone();
    hear.max_ack_pending = 7;
    hear.metadata.insert("note".to_owned(), "held".to_owned());
    let request = serde_json::json!({ "stream_name": "EVENTS_VENDOR", "config": hear });
    let subject = format!("CONSUMER.CREATE.EVENTS_VENDOR.booking_hear.{}", hear.filter_subject);
    let _: serde_json::Value = voice.jetstream.request(subject, &request).await.unwrap();
    let until = time_in(3_600);
    stream.pause_consumer("booking_hear", until).await.unwrap();
    world.provision().await;
    world.provision().await;
    let after = consumer(&voice, "booking_hear").await;
    assert_eq!((after.config.max_ack_pending, after.paused), (7, true));
    assert_eq!(after.config.metadata.get("note").map(String::as_str), Some("held"));
    let stream = voice.jetstream.get_stream("EVENTS_VENDOR").await.unwrap();
    assert_eq!(stream.cached_info().config.max_bytes, config.max_bytes);

    // A declaration that has changed is applied, and only it.
    let mut declared = hearer_service().declaration().consumers;
    for declaration in &mut declared {
        if declaration.handler == "hear" {
            declaration.takes = platform::Takes::Type("vendor.approved");
        }
    }
    let jetstream = jetstream::new(world.client(PROVISION).await);
    provision(&jetstream, &world.nats_config(), &declared).await.unwrap();
    let after = consumer(&voice, "booking_hear").await;
    assert_eq!(after.config.filter_subject, "event.vendor.approved.*");
    assert_eq!((after.config.max_ack_pending, after.paused), (1_024, true));
    assert_eq!(after.config.metadata.get("note").map(String::as_str), Some("held"));
    assert_eq!(after.created, first.created);
}

fn time_in(seconds: u64) -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc() + Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_consumer_that_another_version_has_made_is_changed() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let stream = voice.jetstream.get_stream("EVENTS_VENDOR").await.unwrap();
    stream.delete_consumer("booking_hear").await.unwrap();
    let old = jetstream::consumer::pull::Config {
        durable_name: Some("booking_hear".to_owned()),
        filter_subject: "event.vendor.noted.*".to_owned(),
        ack_wait: Duration::from_secs(5),
        max_ack_pending: 256,
        max_deliver: -1,
        ..jetstream::consumer::pull::Config::default()
    };
    stream.create_consumer(old).await.unwrap();
    world.provision().await;
    let after = consumer(&voice, "booking_hear").await;
    assert_eq!((after.config.ack_wait, after.config.max_ack_pending), (Duration::from_secs(30), 1_024));
}

#[tokio::test]
async fn a_store_that_is_gone_is_made_again_and_consumers_go_on() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let replica = replica(&world, &Arc::new(Behaviour::default())).await;
    let shutdown = CancellationToken::new();
    let keeping = keeping(&world, shutdown.clone()).await;
    let (note, event_id) = (Uuid::now_v7(), voice.tell(Uuid::now_v7(), 1, "fine").await);
    world.until(&effects("hear"), 1).await;
    world.until(&effects("hear_in_order"), 1).await;
    for stream in ["EVENTS_VENDOR", "EVENTS_BOOKING", "DEAD_LETTERS", "EVENTS_AUTH"] {
        voice.jetstream.delete_stream(stream).await.unwrap();
    }
    voice.tell_patiently(note, 1, "fine").await;
    // What is published again has had its effect.
    voice.tell_as(event_id, note, 9, "fine").await;
    voice.tell(note, 2, "fine").await;
    world.until(&effects("hear"), 3).await;
    world.until(&effects("hear_in_order"), 3).await;
    assert_eq!(world.number("select count(*) from booking.effects where version = 9").await, 0);
    assert_eq!(doubled(&world).await, 0);
    for stream in ["EVENTS_BOOKING", "DEAD_LETTERS", "EVENTS_AUTH"] {
        assert!(voice.jetstream.get_stream(stream).await.is_ok(), "{stream}");
    }
    shutdown.cancel();
    keeping.await.unwrap();
    replica.running.drain().await.unwrap();
}

async fn keeping(world: &World, shutdown: CancellationToken) -> tokio::task::JoinHandle<()> {
    let jetstream = jetstream::new(world.client(PROVISION).await);
    let (config, consumers) = (world.nats_config(), hearer_service().declaration().consumers);
    tokio::spawn(async move { keep(&jetstream, &config, &consumers, shutdown).await })
}
