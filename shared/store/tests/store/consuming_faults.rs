//! Work consumers while something breaks, or an operator holds them.

use crate::hearing::{AT_THE_LOCK, Behaviour, LOCK, Mortal, Voice, a_moment, doubled, effects, hearing_world, replica};
use std::sync::Arc;
use store::{consumers_status, pause, resume};
use subjects::ops::{OpsError, PauseConsumer, ResumeConsumer};
use uuid::Uuid;

#[tokio::test]
async fn a_batch_whose_acknowledgement_is_lost_with_its_replica_has_its_effects_once() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let one = Mortal::start(&world, &behaviour).await;
    voice.tell(Uuid::now_v7(), 1, "fine").await;
    world.until(&effects("hear"), 1).await;
    let mut held = world.admin().await;
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut held).await.unwrap();
    voice.tell_many(40, "wait").await;
    while world.number(AT_THE_LOCK).await == 0 {
        tokio::task::yield_now().await;
    }
    // It commits while nobody hears that it has.
    world.nats.kill().await.unwrap();
    sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(&mut held).await.unwrap();
    world.until(&effects("hear"), 41).await;
    one.kill();
    world.nats.restart().await.unwrap();
    let two = replica(&world, &behaviour).await;
    voice.tell_patiently(Uuid::now_v7(), 1, "fine").await;
    world.until(&effects("hear"), 42).await;
    until_all_is_acknowledged(&voice, "booking_hear").await;
    assert_eq!((world.number(&effects("hear")).await, doubled(&world).await), (42, 0));
    two.running.drain().await.unwrap();
}

async fn until_all_is_acknowledged(voice: &Voice, durable: &str) {
    let acknowledged = async {
        loop {
            let consumer: async_nats::jetstream::consumer::PullConsumer =
                voice.jetstream.get_consumer_from_stream(durable, "EVENTS_VENDOR").await.unwrap();
            let info = consumer.cached_info();
            if info.num_pending == 0 && info.num_ack_pending == 0 {
                break;
            }
            a_moment().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(90), acknowledged).await.unwrap();
}

#[tokio::test]
async fn a_pause_outlives_the_replicas_and_loses_nothing() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let one = replica(&world, &behaviour).await;
    let two = replica(&world, &behaviour).await;
    voice.tell_many(10, "fine").await;
    world.until(&effects("hear"), 10).await;
    world.until(&effects("hear_in_order"), 10).await;
    let pausing = |handler: &str| PauseConsumer { handler: handler.to_owned(), reason: "of the test".to_owned() };
    assert_eq!(pause(&one.cx, &pausing("nobody")).await, Err(OpsError::HandlerNotFound));
    for handler in ["hear", "hear_in_order"] {
        pause(&one.cx, &pausing(handler)).await.unwrap();
    }
    // The other one has seen it, too.
    let status = async || consumers_status(&two.store).await.unwrap();
    for _ in 0..5 {
        a_moment().await;
    }
    voice.tell_many(200, "fine").await;
    for _ in 0..4 {
        a_moment().await;
    }
    assert_eq!(world.number("select count(*) from booking.effects").await, 20);
    let consumers = status().await;
    assert_eq!(consumers.len(), 2);
    for consumer in &consumers {
        assert_eq!(consumer.paused.as_ref().map(|paused| paused.reason.as_str()), Some("of the test"));
        let delivery = consumer.delivery.as_ref().unwrap();
        assert_eq!(delivery.pending + delivery.ack_pending, 200, "{consumer:?}");
        assert!(!consumer.ordered || consumer.takes == "event.vendor.>");
    }
    one.running.drain().await.unwrap();
    two.running.drain().await.unwrap();

    let three = replica(&world, &behaviour).await;
    for _ in 0..4 {
        a_moment().await;
    }
    assert_eq!(world.number("select count(*) from booking.effects").await, 20);
    for handler in ["hear", "hear_in_order"] {
        resume(&three.cx, &ResumeConsumer { handler: handler.to_owned() }).await.unwrap();
    }
    world.until(&effects("hear"), 210).await;
    world.until(&effects("hear_in_order"), 210).await;
    assert_eq!(doubled(&world).await, 0);
    assert!(consumers_status(&three.store).await.unwrap().iter().all(|consumer| consumer.paused.is_none()));
    three.running.drain().await.unwrap();
}

#[tokio::test]
async fn events_that_each_replica_has_at_the_same_time_have_their_effects_once() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replicas =
        [replica(&world, &behaviour).await, replica(&world, &behaviour).await, replica(&world, &behaviour).await];
    // Each event three times, near each other and far from each other.
    let events: Vec<(Uuid, Uuid)> = (0..300).map(|_| (Uuid::now_v7(), Uuid::now_v7())).collect();
    for chunk in events.chunks(30) {
        for _ in 0..2 {
            for (event_id, note_id) in chunk {
                voice.tell_as(*event_id, *note_id, 1, "fine").await;
            }
        }
    }
    for (event_id, note_id) in &events {
        voice.tell_as(*event_id, *note_id, 1, "fine").await;
    }
    world.until(&effects("hear"), 300).await;
    world.until(&effects("hear_in_order"), 300).await;
    for durable in ["booking_hear", "booking_hear_in_order"] {
        until_all_is_acknowledged(&voice, durable).await;
    }
    assert_eq!((world.number("select count(*) from booking.effects").await, doubled(&world).await), (600, 0));
    for replica in replicas {
        replica.running.drain().await.unwrap();
    }
}

/// Figures only: all servers share the machine, and the code is not optimised unless that is asked for.
#[tokio::test]
async fn how_many_events_a_second_a_consumer_handles() {
    const COUNT: i64 = 20_000;
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    voice.tell_many(COUNT.try_into().unwrap(), "nothing").await;
    let holding = "insert into booking.paused_handlers (handler, reason) values ('hear_in_order', 'not measured')";
    world.execute(holding).await;
    let handled = |handler: &str| format!("select count(*) from booking.inbox where handler = '{handler}'");
    let before = std::time::Instant::now();
    let replica = replica(&world, &Arc::new(Behaviour::default())).await;
    world.until(&handled("hear"), COUNT).await;
    println!("inbox, and a handler that does nothing: {:.0} events/s", rate(COUNT, before.elapsed()));

    voice.tell_many(COUNT.try_into().unwrap(), "fine").await;
    let before = std::time::Instant::now();
    let left = COUNT - world.number(&effects("hear")).await;
    world.until(&handled("hear"), 2 * COUNT).await;
    println!("inbox, and a handler with one insert: {:.0} events/s", rate(left, before.elapsed()));

    resume(&replica.cx, &ResumeConsumer { handler: "hear_in_order".to_owned() }).await.unwrap();
    let before = std::time::Instant::now();
    let share = format!("select least(count(*), 5000) from booking.inbox where handler = '{}'", "hear_in_order");
    world.until(&share, 5_000).await;
    println!(
        "in order, of many aggregates, a handler that does nothing: {:.0} events/s",
        rate(5_000, before.elapsed())
    );
    assert_eq!(doubled(&world).await, 0);
    replica.running.drain().await.unwrap();
}

fn rate(count: i64, took: std::time::Duration) -> f64 {
    f64::from(i32::try_from(count).unwrap()) / took.as_secs_f64()
}
