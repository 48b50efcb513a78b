//! Dead letters that are handled again, or given up.

use crate::hearing::{Behaviour, Hearer, Voice, doubled, effects, hearing_world, replica};
use platform::Cx;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use store::dead_letters::{drop_letters, find_all, replay};
use subjects::ids::EventId;
use subjects::ops::{DropDeadLetters, FindDeadLetters, ReplayDeadLetters};
use uuid::Uuid;

const LETTERS: &str = "select count(*) from booking.dead_letters where handler = 'hear'";

fn of_hear() -> ReplayDeadLetters {
    ReplayDeadLetters { handler: Some("hear".to_owned()), limit: Some(5_000), ..ReplayDeadLetters::default() }
}

#[tokio::test]
async fn ten_thousand_dead_letters_are_replayed_from_two_replicas_and_each_has_its_effect_once() {
    const COUNT: i64 = 10_000;
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let one = replica(&world, &behaviour).await;
    let two = replica(&world, &behaviour).await;
    let before = Instant::now();
    voice.tell_many(COUNT.try_into().unwrap(), "refuse").await;
    until_patiently(&world, LETTERS, COUNT).await;
    println!("{COUNT} events parked by both handlers' replicas within {:?}", before.elapsed());
    behaviour.is_mended.store(true, Ordering::SeqCst);
    let before = Instant::now();
    let (from_one, from_two) = tokio::join!(replay_all(&one.cx), replay_all(&two.cx));
    println!("{COUNT} dead letters replayed within {:?}: {from_one} + {from_two}", before.elapsed());
    assert_eq!(from_one + from_two, u64::try_from(COUNT).unwrap());
    assert_eq!(world.number(&effects("hear")).await, COUNT);
    assert_eq!((doubled(&world).await, world.number(LETTERS).await), (0, 0));
    one.running.drain().await.unwrap();
    two.running.drain().await.unwrap();
}

/// Repeats the question until nothing is left or nothing moves, as the command does.
async fn replay_all(cx: &Cx<Hearer>) -> u64 {
    let mut replayed = 0;
    loop {
        let outcome = replay(cx, &of_hear()).await.unwrap();
        assert_eq!(outcome.failed, 0, "{outcome:?}");
        replayed += outcome.replayed;
        if outcome.left == 0 {
            return replayed;
        }
    }
}

async fn until_patiently(world: &crate::world::World, sql: &str, wanted: i64) {
    let patience = tokio::time::timeout(std::time::Duration::from_secs(240), async {
        while world.number(sql).await != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    patience.await.unwrap_or_else(|_| panic!("{sql} did not come to {wanted}"));
}

#[tokio::test]
async fn what_fails_again_stays_with_its_new_error_and_a_dry_run_changes_nothing() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    let refused = voice.tell(Uuid::now_v7(), 1, "refuse").await;
    voice.tell_raw(crate::hearing::headers_of(Uuid::now_v7(), refused), refused, b"not json".to_vec()).await;
    world.until(LETTERS, 2).await;

    let outcome = replay(&replica.cx, &of_hear()).await.unwrap();
    assert_eq!((outcome.replayed, outcome.failed, outcome.left), (0, 2, 2), "{outcome:?}");
    assert!(outcome.failures.iter().any(|failure| failure.error.contains("refused on purpose")), "{outcome:?}");
    assert_eq!(world.number(&format!("{LETTERS} and attempts = 2")).await, 2);

    behaviour.is_mended.store(true, Ordering::SeqCst);
    let dry = ReplayDeadLetters { dry_run: true, ..of_hear() };
    let outcome = replay(&replica.cx, &dry).await.unwrap();
    assert_eq!((outcome.replayed, outcome.failed, outcome.left), (1, 1, 2), "{outcome:?}");
    assert_eq!(world.number(&effects("hear")).await, 0);
    assert_eq!(world.number(&format!("{LETTERS} and attempts = 2")).await, 2);

    let only = ReplayDeadLetters { event_id: Some(EventId(refused)), ..of_hear() };
    let outcome = replay(&replica.cx, &only).await.unwrap();
    assert_eq!((outcome.replayed, outcome.failed, outcome.left), (1, 0, 0), "{outcome:?}");
    assert_eq!((world.number(&effects("hear")).await, world.number(LETTERS).await), (1, 1));
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_page_of_dead_letters_goes_on_where_the_last_one_ended() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    voice.tell_many(45, "refuse").await;
    world.until("select count(*) from booking.dead_letters", 90).await;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let request = FindDeadLetters { handler: Some("hear".to_owned()), cursor, ..FindDeadLetters::default() };
        let page = find_all(&replica.store, &request).await.unwrap();
        found.extend(page.items.into_iter().map(|letter| letter.event_id.0));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 45);

    // A replay in parts, by its cursor, tries each once.
    let (mut failed, mut cursor) = (0, None);
    loop {
        let outcome = replay(&replica.cx, &ReplayDeadLetters { limit: Some(10), cursor, ..of_hear() }).await.unwrap();
        failed += outcome.failed;
        cursor = outcome.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(failed, 45);
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn what_is_given_up_has_no_effect_ever() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    let note = Uuid::now_v7();
    let event_id = voice.tell(note, 1, "refuse").await;
    voice.tell_many(5, "refuse").await;
    world.until("select count(*) from booking.dead_letters", 12).await;
    let dropping = |event_id| DropDeadLetters {
        handler: None,
        event_id,
        event_type: Some("vendor.noted".to_owned()),
        why: "no longer of use".to_owned(),
        limit: None,
    };
    let outcome = drop_letters(&replica.cx, &dropping(Some(EventId(event_id))), "somebody").await.unwrap();
    assert_eq!((outcome.dropped, outcome.left), (2, 0));
    behaviour.is_mended.store(true, Ordering::SeqCst);
    voice.tell_as(event_id, note, 1, "fine").await;
    // What was behind it is so no more.
    voice.tell(note, 2, "fine").await;
    world.until(&effects("hear_in_order"), 1).await;
    world.until(&effects("hear"), 1).await;
    assert_eq!(world.number(&format!("{} and version = 1", effects("hear"))).await, 0);
    let outcome = drop_letters(&replica.cx, &dropping(None), "somebody").await.unwrap();
    assert_eq!((outcome.dropped, outcome.left), (10, 0));
    replica.running.drain().await.unwrap();
}
