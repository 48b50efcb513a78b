//! Request-streams: what watchers hear, where they go on, and when they are told anew.

use crate::streams_toy::{Log, Toy, next_kind};
use platform::streams::{Kind, StreamPlace};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use subjects::ids::ClinicId;

#[tokio::test]
async fn a_watcher_hears_what_there_is_and_then_what_changes() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    let (clinic, other) = (ClinicId::new(), ClinicId::new());
    let mut mine = toy.create(clinic).await;
    let mut another = toy.create(other).await;
    // More than a page, and a row whose event has not come yet.
    for _ in 0..150 {
        toy.row(clinic);
    }
    let mut watching = toy.watch(json!({ "clinicId": clinic }), None).await.unwrap();
    let mut log = Log { without_gaps: true, ..Log::default() };
    log.until_ready(&mut watching).await;
    assert_eq!((log.resets, log.snapshots, log.changes), (1, 151, 0));

    toy.change(&mut another).await;
    for _ in 0..3 {
        toy.change(&mut mine).await;
    }
    log.until_version(&mut watching, &mine).await;
    assert_eq!((log.resets, log.snapshots, log.changes), (1, 151, 3));
    assert!(!log.versions.contains_key(&another.booking_id.into()));

    // The event of what the snapshot has told already says nothing new.
    let late = toy.row(clinic);
    let mut second = toy.watch(json!({ "clinicId": clinic }), None).await.unwrap();
    let mut log = Log::default();
    log.until_ready(&mut second).await;
    assert!(second.place().unwrap().after.is_some(), "a place that is not settled yet was offered");
    toy.publish(&late).await;
    toy.change(&mut mine).await;
    log.until_version(&mut second, &mine).await;
    assert_eq!((log.snapshots, log.changes), (152, 1));
}

#[tokio::test]
async fn a_stream_goes_on_from_its_place_and_is_reset_where_that_is_gone() {
    let toy = Toy::start().await;
    let _replica = toy.replica_with("[streams]\nkept_events = 20").await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut watching = toy.watch_settling(json!({}), None, Duration::ZERO).await.unwrap();
    let mut log = Log { without_gaps: true, ..Log::default() };
    log.until_ready(&mut watching).await;
    toy.change(&mut state).await;
    log.until_version(&mut watching, &state).await;
    let place = watching.place().unwrap();
    assert_eq!(place.after, None);
    drop(watching);

    for _ in 0..10 {
        toy.change(&mut state).await;
    }
    let mut resumed = toy.watch(json!({}), Some(place)).await.unwrap();
    log.until_version(&mut resumed, &state).await;
    assert_eq!((log.resets, log.snapshots, log.changes), (1, 1, 11));

    for _ in 0..30 {
        toy.change(&mut state).await;
    }
    for gone in [place, StreamPlace { events: platform::tail::Place { incarnation: 1, ..place.events }, ..place }] {
        let mut fresh = toy.watch(json!({}), Some(gone)).await.unwrap();
        let mut log = Log::default();
        log.until_ready(&mut fresh).await;
        assert_eq!(log.resets, 1);
        assert_eq!(log.versions[&state.booking_id.into()], state.version);
    }
    // A place that the stream has never reached.
    let mut beyond = place;
    beyond.events.sequence += 1_000_000;
    let mut fresh = toy.watch(json!({}), Some(beyond)).await.unwrap();
    assert_eq!(next_kind(&mut fresh).await, Kind::Reset);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_leave_and_come_under_thousands_of_changes_and_nothing_is_missed_or_repeated() {
    const CHANGES: i64 = 3_000;
    let toy = Arc::new(Toy::start().await);
    let mut replicas = vec![toy.replica().await, toy.replica().await];
    let mut states = vec![];
    for _ in 0..8 {
        states.push(toy.create(ClinicId::new()).await);
    }
    let mut watchers = vec![];
    for _ in 0..6 {
        let toy = toy.clone();
        let states = states.clone();
        watchers.push(tokio::spawn(async move {
            let mut watching = toy.watch(json!({}), None).await.unwrap();
            let mut log = Log { without_gaps: true, ..Log::default() };
            log.until_ready(&mut watching).await;
            for mut state in states {
                state.version += CHANGES / 8;
                log.until_version(&mut watching, &state).await;
            }
            (log.resets, log.versions.len())
        }));
    }
    let changing = {
        let (toy, mut states) = (toy.clone(), states.clone());
        tokio::spawn(async move {
            for _ in 0..CHANGES / 8 {
                for state in &mut states {
                    toy.change(state).await;
                }
            }
        })
    };
    for _ in 0..3 {
        replicas.push(toy.replica().await);
        tokio::time::sleep(Duration::from_millis(300)).await;
        replicas.remove(0).drain().await.unwrap();
    }
    changing.await.unwrap();
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap(), (1, 8));
    }
}

#[tokio::test]
async fn whoever_asks_for_or_sees_something_else_than_before_is_told_anew() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    let (mut state, other) = (toy.create(ClinicId::new()).await, toy.create(ClinicId::new()).await);
    let of_clinic = |clinic: ClinicId| json!({ "clinicId": clinic });
    let mut watching = toy.watch_settling(of_clinic(state.clinic_id), None, Duration::ZERO).await.unwrap();
    Log::default().until_ready(&mut watching).await;
    toy.change(&mut state).await;
    assert_eq!(next_kind(&mut watching).await, Kind::Change);
    let place = watching.place();
    assert_eq!(place.unwrap().after, None);
    toy.change(&mut state).await;
    let mut same = toy.watch(of_clinic(state.clinic_id), place).await.unwrap();
    assert_eq!(next_kind(&mut same).await, Kind::Change);
    let mut another = toy.watch(of_clinic(other.clinic_id), place).await.unwrap();
    let mut log = Log::default();
    log.until_ready(&mut another).await;
    assert_eq!((log.resets, log.versions.len()), (1, 1));

    // What may be seen changes while the stream is open: known with the next lease, here after one's credit.
    let mut everything = toy.watch(json!({}), None).await.unwrap();
    let mut log = Log::default();
    log.until_ready(&mut everything).await;
    for (hidden, sees) in [(Some(other.clinic_id), false), (None, true)] {
        *toy.shared.hidden.lock().unwrap() = hidden;
        let resets = log.resets;
        while log.resets == resets {
            for _ in 0..50 {
                toy.change(&mut state).await;
            }
            log.until_version(&mut everything, &state).await;
        }
        // The version may have come with the snapshot, so the rest of that is still to come.
        toy.change(&mut state).await;
        log.until_version(&mut everything, &state).await;
        assert_eq!(log.versions.contains_key(&other.booking_id.into()), sees);
    }
}
