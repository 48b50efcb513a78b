//! Events that no attempt brings through.

use crate::hearing::{
    Behaviour, CORRELATION, TRACE, Voice, a_moment, doubled, effects, headers_of, hearing_world, replica,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::dead_letters::{find_all, find_one};
use subjects::ids::EventId;
use subjects::ops::{DeadLetterReason, FindDeadLetter, FindDeadLetters};
use uuid::Uuid;

const LETTERS: &str = "select count(*) from booking.dead_letters where handler = 'hear'";
const ANNOUNCED: &str = "select count(*) from booking.dead_letters where announced_at is not null";

#[tokio::test]
async fn one_bad_event_in_a_batch_takes_no_other_one_with_it() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    voice.tell_many(150, "fine").await;
    let refused = voice.tell(Uuid::now_v7(), 1, "refuse").await;
    let broken = voice.tell(Uuid::now_v7(), 1, "break").await;
    let panicking = voice.tell(Uuid::now_v7(), 1, "panic").await;
    voice.tell_many(150, "fine").await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    world.until(&effects("hear"), 300).await;
    world.until(LETTERS, 3).await;
    let of_hear = FindDeadLetters { handler: Some("hear".to_owned()), ..FindDeadLetters::default() };
    let letters = find_all(&replica.store, &of_hear).await.unwrap().items;
    let reason = |id: Uuid| letters.iter().find(|letter| letter.event_id.0 == id).map(|letter| letter.reason);
    assert_eq!(reason(refused), Some(DeadLetterReason::Refused));
    assert_eq!(reason(broken), Some(DeadLetterReason::Exhausted));
    assert_eq!(reason(panicking), Some(DeadLetterReason::Exhausted));
    assert_eq!(doubled(&world).await, 0);
    assert_eq!(world.number("select count(*) from booking.inbox where handler = 'hear'").await, 303);
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_dead_letter_tells_what_happened() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let note_id = Uuid::now_v7();
    let event_id = voice.tell(note_id, 1, "break").await;
    let replica = replica(&world, &Arc::default()).await;
    world.until(LETTERS, 1).await;
    let asked = FindDeadLetter { event_id: EventId(event_id), handler: Some("hear".to_owned()) };
    let details = find_one(&replica.store, &asked).await.unwrap();
    let letter = &details.letter;
    assert_eq!((letter.service.as_str(), letter.handler.as_str()), ("booking", "hear"));
    assert_eq!((letter.reason, letter.attempts), (DeadLetterReason::Exhausted, 3));
    assert!(letter.error.ends_with("the outer cause: the inner cause"), "{}", letter.error);
    assert_eq!(letter.correlation_id.as_deref(), Some(CORRELATION));
    assert_eq!(letter.traceparent.as_deref(), Some(TRACE));
    assert_eq!((letter.aggregate_id, letter.event_type.as_str()), (Some(note_id), "vendor.noted"));
    assert_eq!((details.stream.as_str(), details.sequence), ("EVENTS_VENDOR", 1));
    assert_eq!(details.body.as_ref().map(|body| body["note_id"].clone()), Some(note_id.to_string().into()));
    // The stream is told, too, with all of it.
    world.until(ANNOUNCED, 2).await;
    let stream = voice.jetstream.get_stream("DEAD_LETTERS").await.unwrap();
    let told = stream.get_last_raw_message_by_subject("dead_letter.booking.hear").await.unwrap();
    let header = |name: &str| told.headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
    assert_eq!(header("Petpro-Dead-Letter-Reason"), "exhausted");
    assert_eq!(header("Petpro-Dead-Letter-Attempts"), "3");
    assert_eq!(header("Petpro-Dead-Letter-Handler"), "hear");
    assert!(header("Petpro-Dead-Letter-Error").ends_with("the inner cause"));
    assert_eq!((header("ce-id"), header("traceparent")), (event_id.to_string(), TRACE.to_owned()));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&told.payload).ok(), details.body);
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_at_once_and_all_else_flows() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let good = |note_id: Uuid| {
        serde_json::to_vec(&serde_json::json!({ "note_id": note_id, "version": 1, "text": "" })).unwrap()
    };
    let mut expected = 0;
    let mut bad = async |change: &dyn Fn(&mut async_nats::HeaderMap), body: Option<Vec<u8>>| {
        let note_id = Uuid::now_v7();
        let mut headers = headers_of(Uuid::now_v7(), note_id);
        change(&mut headers);
        voice.tell_raw(headers, note_id, body.unwrap_or_else(|| good(note_id))).await;
        voice.tell(Uuid::now_v7(), 1, "fine").await;
        expected += 1;
    };
    let nothing: &dyn Fn(&mut async_nats::HeaderMap) = &|_| ();
    bad(nothing, Some(b"not json".to_vec())).await;
    bad(nothing, Some(Vec::new())).await;
    bad(nothing, Some(b"\xff\xfe\x00".to_vec())).await;
    bad(nothing, Some(br#"{"note_id":7}"#.to_vec())).await;
    bad(nothing, Some(br#"{"note_id":"\u0000","version":"\u0000"}"#.to_vec())).await;
    bad(nothing, Some(b"[".repeat(100_000))).await;
    bad(nothing, Some(vec![b'x'; 1_000_000])).await;
    bad(&|headers| headers.insert("ce-specversion", "2.0"), None).await;
    bad(&|headers| headers.insert("ce-id", "no id"), None).await;
    bad(&|headers| *headers = async_nats::HeaderMap::new(), None).await;
    bad(&|headers| headers.insert("Nats-Rollup-By-Hand", "all"), Some(b"{".to_vec())).await;
    let replica = replica(&world, &Arc::default()).await;
    world.until(LETTERS, expected).await;
    world.until(&effects("hear"), expected).await;
    let unreadable = format!("{LETTERS} and reason = 'unreadable' and attempts = 1 and error <> ''");
    assert_eq!(world.number(&unreadable).await, expected);
    let kept = "select count(*) from booking.dead_letters where handler = 'hear' and length(body) = 1000000";
    assert_eq!(world.number(kept).await, 1);
    // Both handlers' letters.
    world.until("select count(*) from booking.dead_letters", 2 * expected).await;
    world.until("select count(*) from booking.dead_letters where announced_at is null", 0).await;
    let jetstream = &voice.jetstream;
    let told = jetstream.get_stream("DEAD_LETTERS").await.unwrap().cached_info().state.messages;
    assert_eq!(i64::try_from(told).unwrap(), world.number("select count(*) from booking.dead_letters").await);
    // None of them was asked of the handler.
    assert_eq!(doubled(&world).await, 0);
    replica.running.drain().await.unwrap();
}

/// The client gives up its connection over headers that are no text, and takes others for words of the server.
#[tokio::test]
async fn what_no_client_takes_is_parked_and_all_else_flows() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let replica = replica(&world, &Arc::default()).await;
    voice.tell_many(5, "fine").await;
    world.until(&effects("hear"), 5).await;
    let id = Uuid::now_v7();
    let strange: [Vec<u8>; 3] = [
        [format!("NATS/1.0\r\nce-id: {id}\r\nname: ").as_bytes(), b"\xff\xfe\r\n\r\n"].concat(),
        b"NATS/1.0 503\r\n\r\n".to_vec(),
        b"NATS/1.0 100 Idle Heartbeat\r\n\r\n".to_vec(),
    ];
    for headers in &strange {
        voice.tell_by_hand(&world, headers, b"{}").await;
        voice.tell_many(5, "fine").await;
    }
    world.until_within(&format!("{LETTERS} and reason = 'unreadable'"), 3, 180).await;
    world.until(&effects("hear"), 20).await;
    world.until_within(&effects("hear_in_order"), 20, 120).await;
    assert_eq!(world.number(&format!("{LETTERS} and event_id = '{id}'")).await, 1);
    assert_eq!(doubled(&world).await, 0);
    until_all_is_heard(&voice).await;
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn what_is_away_is_waited_for_and_never_parked() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    voice.tell(Uuid::now_v7(), 1, "away").await;
    voice.tell_many(20, "fine").await;
    world.until(&effects("hear"), 20).await;
    // More often than its attempts.
    let calls = async {
        while behaviour.calls.load(Ordering::SeqCst) < 48 {
            a_moment().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(90), calls).await.unwrap();
    assert_eq!(world.number("select count(*) from booking.dead_letters").await, 0);
    behaviour.is_mended.store(true, Ordering::SeqCst);
    world.until(&effects("hear"), 21).await;
    world.until(&effects("hear_in_order"), 21).await;
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_database_that_breaks_off_parks_nothing() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let replica = replica(&world, &Arc::default()).await;
    voice.tell_many(10, "fine").await;
    world.until(&effects("hear"), 10).await;
    world.until(&effects("hear_in_order"), 10).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'petpro_booking' and datname = \
               current_database()";
    for _ in 0..20 {
        world.execute(end).await;
        voice.tell_many(5, "fine").await;
    }
    world.until(&effects("hear"), 110).await;
    world.until(&effects("hear_in_order"), 110).await;
    assert_eq!(world.number("select count(*) from booking.dead_letters").await, 0);
    assert_eq!(doubled(&world).await, 0);
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_parked_event_that_comes_again_stays_parked_once() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let behaviour = Arc::new(Behaviour::default());
    let replica = replica(&world, &behaviour).await;
    let note_id = Uuid::now_v7();
    let event_id = voice.tell(note_id, 1, "refuse").await;
    world.until("select count(*) from booking.dead_letters", 2).await;
    behaviour.is_mended.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        voice.tell_as(event_id, note_id, 1, "refuse").await;
    }
    voice.tell(Uuid::now_v7(), 1, "fine").await;
    world.until(&effects("hear"), 1).await;
    world.until(&effects("hear_in_order"), 1).await;
    until_all_is_heard(&voice).await;
    assert_eq!(world.number("select count(*) from booking.dead_letters").await, 2);
    assert_eq!(world.number("select count(*) from booking.effects").await, 2);
    replica.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_stream_of_dead_letters_that_is_gone_is_told_again() {
    let world = hearing_world().await;
    let voice = Voice::of(&world).await;
    let replica = replica(&world, &Arc::default()).await;
    voice.tell_many(40, "refuse").await;
    world.until(ANNOUNCED, 80).await;
    voice.jetstream.delete_stream("DEAD_LETTERS").await.unwrap();
    world.provision().await;
    let told_again = async {
        loop {
            let mut stream = voice.jetstream.get_stream("DEAD_LETTERS").await.unwrap();
            if stream.info().await.unwrap().state.messages == 80 {
                break;
            }
            a_moment().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), told_again).await.unwrap();
    replica.running.drain().await.unwrap();
}

/// Until JetStream waits for nothing.
async fn until_all_is_heard(voice: &Voice) {
    for durable in ["booking_hear", "booking_hear_in_order"] {
        let heard = async {
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
        tokio::time::timeout(std::time::Duration::from_secs(60), heard).await.unwrap();
    }
}
