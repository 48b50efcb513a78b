use crate::world::World;
use bytes::Bytes;
use platform::Meta;
use platform::client::RawCall;
use platform::codec::ContentType;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How many callers ask without a pause.
const CALLERS: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_come_and_go_under_load_and_no_request_is_lost() {
    let world = World::start("").await;
    let (stays, _) = world.run_auth().await;
    let edge = Arc::new(world.edge().await);
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (edge, stop, answered) = (edge.clone(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                let meta = Meta::background("test");
                while !stop.load(Ordering::Relaxed) {
                    let call = RawCall {
                        content_type: ContentType::Json,
                        body: Bytes::from_static(b"{}"),
                        user_token: None,
                        deadline: tokio::time::Instant::now() + Duration::from_secs(20),
                        meta: &meta,
                    };
                    edge.client.request_raw("auth.jwks", call).await.unwrap();
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..10 {
        let (comes, _) = world.run_auth().await;
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 500 {
            tokio::task::yield_now().await;
        }
        comes.drain().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("a request failed");
    }
    stays.drain().await.unwrap();
}

#[tokio::test]
async fn a_replica_leaves_without_any_traffic() {
    let world = World::start("").await;
    let (alone, _) = world.run_auth().await;
    alone.drain().await.unwrap();
}

#[tokio::test]
async fn a_replica_leaves_also_while_nats_is_away() {
    let world = World::start("").await;
    let (alone, _) = world.run_auth().await;
    world.nats.kill().await.unwrap();
    // Well within its time: else it would be an error.
    alone.drain().await.unwrap();
}
