//! Handlers that ask for order.

use crate::hearing::{AT_THE_LOCK, Behaviour, LOCK, Mortal, Voice, doubled, effects, hearing_world, order_of, replica};
use crate::world::World;
use async_nats::jetstream::consumer::PullConsumer;
use futures::StreamExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::dead_letters::replay;
use subjects::ops::ReplayDeadLetters;
use uuid::Uuid;

const LETTERS: &str = "select count(*) from booking.dead_letters where handler = 'hear_in_order'";
const BEHIND: &str =
    "select count(*) from booking.dead_letters where handler = 'hear_in_order' and reason = 'behind' and attempts = 0";

#[tokio::test]
async fn later_events_of_an_aggregate_wait_behind_a_dead_letter_and_others_flow() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    let (stuck, others) = (Uuid::now_v7(), [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()]);
    for version in 1..=10 {
        voice.tell(stuck, version, if version == 3 { "break" } else { "fine" }).await;
        for other in others {
            voice.tell(other, version, "fine").await;
        }
    }
    world.until(BEHIND, 7).await;
    assert_eq!(world.number(LETTERS).await, 8);
    for other in others {
        assert_eq!(order_of(&world, other).await, (1..=10).collect::<Vec<i64>>());
    }
    assert_eq!(order_of(&world, stuck).await, [1, 2]);
    // The handler that does not ask for order has had all others.
    world.until(&effects("hear"), 39).await;

    // What comes later still waits, and a replay that fails leaves all as it is.
    voice.tell(stuck, 11, "fine").await;
    world.until(BEHIND, 8).await;
    let all = ReplayDeadLetters { handler: Some("hear_in_order".to_owned()), ..Default::default() };
    let outcome = replay(&replica.cx, &all).await.unwrap();
    assert_eq!((outcome.replayed, outcome.failed, outcome.left), (0, 1, 9), "{outcome:?}");
    assert_eq!(order_of(&world, stuck).await, [1, 2]);

    behaviour.is_mended.store(true, Ordering::SeqCst);
    let outcome = replay(&replica.cx, &all).await.unwrap();
    assert_eq!((outcome.replayed, outcome.failed, outcome.left), (9, 0, 0), "{outcome:?}");
    voice.tell(stuck, 12, "fine").await;
    world.until(&effects("hear_in_order"), 42).await;
    assert_eq!(order_of(&world, stuck).await, (1..=12).collect::<Vec<i64>>());
    assert_eq!(world.number(LETTERS).await, 0);
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_keeps_back_its_aggregate() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let replica = replica(&world, &Arc::default()).await;
    let (stuck, other) = (Uuid::now_v7(), Uuid::now_v7());
    voice.tell(stuck, 1, "fine").await;
    voice.tell_raw(crate::hearing::headers_of(Uuid::now_v7(), stuck), stuck, b"not json".to_vec()).await;
    voice.tell(stuck, 3, "fine").await;
    voice.tell(other, 1, "fine").await;
    world.until(LETTERS, 2).await;
    world.until(&effects("hear_in_order"), 2).await;
    assert_eq!((order_of(&world, stuck).await, order_of(&world, other).await), (vec![1], vec![1]));
    replica.running.drain().await.unwrap();
}

/// Many in one transaction, and one that is refused takes only its aggregate out of them.
#[tokio::test]
async fn a_backlog_is_handled_in_batches_and_in_order() {
    const TRANSACTIONS: &str = "select count(distinct xmin::text) from booking.effects where handler = 'hear_in_order'";
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let (stuck, others) = (Uuid::now_v7(), notes(20));
    for version in 1..=20 {
        voice.tell(stuck, version, if version == 3 { "break" } else { "fine" }).await;
        for other in &others {
            voice.tell(*other, version, "fine").await;
        }
    }
    let replica = replica(&world, &Arc::default()).await;
    world.until(&effects("hear_in_order"), 20 * 20 + 2).await;
    world.until(BEHIND, 17).await;
    for other in others {
        assert_eq!(order_of(&world, other).await, (1..=20).collect::<Vec<i64>>());
    }
    assert_eq!(order_of(&world, stuck).await, [1, 2]);
    let transactions = world.number(TRANSACTIONS).await;
    assert!(transactions <= 200, "402 events were handled in {transactions} transactions");
    replica.running.drain().await.unwrap();
}

/// Whoever takes over must not go on with what it is given first.
#[tokio::test]
async fn order_is_kept_when_replicas_are_killed() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let telling = tokio::spawn(tell_versions(voice.clone(), notes(12), 60, std::time::Duration::from_millis(600)));
    let mut replica = Mortal::start(&world, &behaviour).await;
    for _ in 0..2 {
        let before = world.number(&effects("hear_in_order")).await;
        until_more_than(&world, &effects("hear_in_order"), before + 20).await;
        let next = Mortal::start(&world, &behaviour).await;
        replica.kill();
        replica = next;
    }
    let notes = telling.await.unwrap();
    world.until(&effects("hear_in_order"), 12 * 60).await;
    for note in notes {
        assert_eq!(order_of(&world, note).await, (1..=60).collect::<Vec<i64>>());
    }
    assert_eq!((doubled(&world).await, world.number(LETTERS).await), (0, 0));
    replica.kill();
}

#[tokio::test]
async fn order_is_kept_over_restarts_of_nats_and_replicas_that_leave() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let one = replica(&world, &behaviour).await;
    let two = replica(&world, &behaviour).await;
    let mut notes = notes(8);
    for round in 0..3 {
        notes = tell_from(&voice, notes, round * 20 + 1, 20).await;
        if round < 2 {
            world.nats.kill().await.unwrap();
            world.nats.restart().await.unwrap();
        }
    }
    one.running.drain().await.unwrap();
    notes = tell_from(&voice, notes, 61, 20).await;
    world.until(&effects("hear_in_order"), 8 * 80).await;
    for note in notes {
        assert_eq!(order_of(&world, note).await, (1..=80).collect::<Vec<i64>>());
    }
    assert_eq!((doubled(&world).await, world.number(LETTERS).await), (0, 0));
    two.running.drain().await.unwrap();
}

/// The old holder sits in a handler, cut off from nothing: the new one waits for it.
#[tokio::test]
async fn whoever_takes_over_waits_for_what_the_other_one_is_at() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let one = Mortal::start(&world, &behaviour).await;
    let mut held = world.admin().await;
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut held).await.unwrap();
    let note = Uuid::now_v7();
    voice.tell(note, 1, "wait").await;
    until_more_than(&world, AT_THE_LOCK, 0).await;
    let two = replica(&world, &behaviour).await;
    one.kill();
    for version in 2..=5 {
        voice.tell(note, version, "fine").await;
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(&mut held).await.unwrap();
    world.until(&effects("hear_in_order"), 5).await;
    assert_eq!(order_of(&world, note).await, [1, 2, 3, 4, 5]);
    assert_eq!(doubled(&world).await, 0);
    two.running.drain().await.unwrap();
}

/// It is not gone, only no longer the one that is given events; and what it is at fails once more before it succeeds.
#[tokio::test]
async fn whoever_is_pinned_waits_for_the_one_that_was() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let one = replica(&world, &behaviour).await;
    let mut held = world.admin().await;
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut held).await.unwrap();
    let note = Uuid::now_v7();
    voice.tell(note, 1, "wait").await;
    until_more_than(&world, AT_THE_LOCK, 1).await;
    let two = replica(&world, &behaviour).await;
    let stream = voice.jetstream.get_stream("EVENTS_VENDOR").await.unwrap();
    stream.unpin_consumer("booking_hear_in_order", "ordered").await.unwrap();
    for version in 2..=5 {
        voice.tell(note, version, "fine").await;
    }
    // Statements may take five seconds.
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert_eq!(order_of(&world, note).await, Vec::<i64>::new());
    sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(&mut held).await.unwrap();
    world.until(&effects("hear_in_order"), 5).await;
    assert_eq!(order_of(&world, note).await, [1, 2, 3, 4, 5]);
    one.running.drain().await.unwrap();
    two.running.drain().await.unwrap();
}

/// JetStream would wait for it for a while.
#[tokio::test]
async fn what_somebody_took_away_is_asked_for() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let refused = "$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.EVENTS_VENDOR.booking_hear_in_order";
    let mut advisories = world.unbounded_client().await.subscribe(refused).await.unwrap();
    let note = Uuid::now_v7();
    voice.tell(note, 1, "fine").await;
    let stream = voice.jetstream.get_stream("EVENTS_VENDOR").await.unwrap();
    let consumer: PullConsumer = stream.get_consumer("booking_hear_in_order").await.unwrap();
    let mut messages = consumer.stream().max_messages_per_batch(1).group("ordered").messages().await.unwrap();
    let _taken_away = messages.next().await.unwrap().unwrap();
    drop(messages);
    stream.unpin_consumer("booking_hear_in_order", "ordered").await.unwrap();

    let replica = replica(&world, &behaviour).await;
    for version in 2..=5 {
        voice.tell(note, version, "fine").await;
    }
    world.until(&effects("hear_in_order"), 5).await;
    assert_eq!(order_of(&world, note).await, [1, 2, 3, 4, 5]);
    let asked_for = tokio::time::timeout(std::time::Duration::from_secs(30), advisories.next()).await.unwrap().unwrap();
    let advisory: serde_json::Value = serde_json::from_slice(&asked_for.payload).unwrap();
    assert_eq!(advisory["stream_seq"], 1, "{advisory}");
    replica.running.drain().await.unwrap();
}

fn notes(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

async fn tell_versions(voice: Voice, notes: Vec<Uuid>, versions: i64, pause: std::time::Duration) -> Vec<Uuid> {
    let mut notes = notes;
    for version in 1..=versions {
        notes = tell_from(&voice, notes, version, 1).await;
        tokio::time::sleep(pause).await;
    }
    notes
}

/// Tells so many versions of each note; what JetStream is away for is told again.
async fn tell_from(voice: &Voice, notes: Vec<Uuid>, first: i64, versions: i64) -> Vec<Uuid> {
    for version in first..first + versions {
        for note in &notes {
            voice.tell_patiently(*note, version, "fine").await;
        }
    }
    notes
}

async fn until_more_than(world: &World, sql: &str, than: i64) {
    let patience = tokio::time::timeout(std::time::Duration::from_secs(90), async {
        while world.number(sql).await <= than {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    patience.await.unwrap_or_else(|_| panic!("{sql} did not become more than {than}"));
}
