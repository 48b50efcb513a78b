//! Request-streams whose replica dies, cannot read, or does not know yet, and whose watcher is slow or busy.

use crate::streams_toy::{Booking, Log, Toy, next_kind, service};
use bytes::Bytes;
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::runtime;
use platform::setup::{Host, Setup};
use platform::streams::Kind;
use platform::{Declaration, Meta, Settings};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use subjects::ids::ClinicId;
use tokio::time::Instant;
use uuid::Uuid;

#[tokio::test]
async fn a_responder_that_falls_silent_is_left() {
    let toy = Toy::start().await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut log = Log { without_gaps: true, ..Log::default() };
    // A process of its own, as it were: its runtime goes, and nothing of it says goodbye.
    let doomed = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = toy.world.settings("");
    let shared = toy.shared.clone();
    doomed
        .spawn(async move {
            let host = Host::new(Settings::from_toml(&settings)).unwrap();
            let setup = Setup::connect(&host, "booking").await.unwrap();
            std::mem::forget(runtime::start(setup, service(), Booking { shared }).await.unwrap());
        })
        .await
        .unwrap();
    let mut watching = toy.watch(json!({}), None).await.unwrap();
    log.until_ready(&mut watching).await;
    // As the edge is, which gives signs of life of its own meanwhile.
    let mut busy = toy.watch(json!({}), None).await.unwrap();
    let mut busy_log = Log { without_gaps: true, ..Log::default() };
    busy_log.until_ready(&mut busy).await;
    doomed.shutdown_background();
    let _survivor = toy.replica().await;
    for _ in 0..5 {
        toy.change(&mut state).await;
    }
    log.until_version(&mut watching, &state).await;
    assert_eq!((log.resets, log.changes), (1, 5));
    busy_log.until_version_looking_away(&mut busy, &state).await;
    assert_eq!((busy_log.resets, busy_log.changes), (1, 5));
}

#[tokio::test]
async fn a_watcher_that_looks_away_again_and_again_gets_its_next_lease_all_the_same() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut watching = toy.watch(json!({}), None).await.unwrap();
    let mut log = Log { without_gaps: true, ..Log::default() };
    log.until_ready(&mut watching).await;
    // Longer than it ever waits.
    toy.shared.decides_in.store(400, Ordering::SeqCst);
    for _ in 0..300 {
        toy.change(&mut state).await;
    }
    log.until_version_looking_away(&mut watching, &state).await;
    assert_eq!((log.resets, log.changes), (1, 300));
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_is_begun_once_and_gone_on_with() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    let state = toy.create(ClinicId::new()).await;
    toy.shared.is_broken.store(true, Ordering::SeqCst);
    let mut watching = toy.watch_settling(json!({}), None, Duration::ZERO).await.unwrap();
    assert_eq!(next_kind(&mut watching).await, Kind::Reset);
    // What was told before is forgotten now, so nobody may go on from there with changes alone.
    let place = watching.place().unwrap();
    assert_eq!(place.after, Some(Uuid::nil()));
    let more = tokio::time::timeout(Duration::from_secs(1), watching.next()).await;
    assert!(more.is_err(), "{more:?} was told where nothing could be");
    toy.shared.is_broken.store(false, Ordering::SeqCst);
    let mut log = Log::default();
    log.until_ready(&mut watching).await;
    assert_eq!((log.resets, log.snapshots), (0, 1));
    assert_eq!(log.versions[&state.booking_id.into()], 1);
}

#[tokio::test]
async fn watchers_who_have_to_wait_for_a_replica_keep_nobody_else_from_it() {
    // It may not listen to its own events, so it never knows what has happened.
    let toy = Toy::as_declared(Declaration { follows: vec![], ..service().declaration() }).await;
    let _replica = toy.replica_with("[dispatcher]\nrunning = 8").await;
    let meta = Meta::background("test");
    let ask = || async {
        let call = RawCall {
            content_type: ContentType::Json,
            body: Bytes::from(json!({ "id": Uuid::now_v7() }).to_string()),
            user_token: Some(toy.world.user_token().into()),
            deadline: Instant::now() + Duration::from_secs(2),
            meta: &meta,
        };
        toy.edge.client.request_raw("booking.findOne", call).await.unwrap_err().reason
    };
    let watchers = futures::future::join_all((0..40).map(|_| toy.watch(json!({}), None)));
    let asking = async {
        let mut reasons = vec![];
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            reasons.push(ask().await);
        }
        reasons
    };
    let (watchers, reasons) = tokio::join!(watchers, asking);
    assert!(reasons.iter().all(|reason| reason == "booking_not_found"), "{reasons:?}");
    assert!(watchers.iter().all(|watcher| watcher.as_ref().is_err_and(|fault| fault.code.is_ours())));
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_its_own_stream() {
    let toy = Toy::start().await;
    let _replica = toy.replica_with("[streams]\nkept_events = 500").await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut slow = toy.watch(json!({}), None).await.unwrap();
    let mut log = Log::default();
    log.until_ready(&mut slow).await;
    for _ in 0..400 {
        toy.change(&mut state).await;
    }
    // The snapshot's item has taken one of the lease's credits.
    let mut gapless = Log { without_gaps: true, ..Log::default() };
    gapless.until_version(&mut slow, &state).await;
    assert_eq!(gapless.changes, 400);
    // It falls so far behind that its place is gone, and is told all anew.
    for _ in 0..1_200 {
        toy.change(&mut state).await;
    }
    log.until_version(&mut slow, &state).await;
    assert_eq!(log.resets, 2);
    assert!(log.changes <= 2 * 256, "{} changes were told to one who did not listen", log.changes);
}
