use crate::world::{Auth, World, auth_service, call};
use platform::{Meta, Setup, runtime};
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
                    let call = call(&meta, "{}", None, Duration::from_secs(20));
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
async fn a_replica_leaves_after_its_connection_was_lost_and_swallows_nothing() {
    let world = World::start("").await;
    let edge = world.edge().await;
    let setup = Setup::connect(&world.host(), "auth").await.unwrap();
    let (nats, mut connections) = (setup.nats.clone(), setup.signals.connections());
    let leaves = runtime::start(setup, auth_service(), Auth::default()).await.unwrap();
    let ask_many = async |count: usize| {
        let meta = Meta::background("test");
        for _ in 0..count {
            let call = call(&meta, "{}", None, Duration::from_secs(5));
            edge.client.request_raw("auth.jwks", call).await.unwrap();
        }
    };
    ask_many(200).await;
    connections.mark_unchanged();
    nats.force_reconnect().await.unwrap();
    connections.changed().await.unwrap();
    let (stays, _) = world.run_auth().await;
    ask_many(20).await;
    let leaving = leaves.drain();
    let (left, ()) = tokio::join!(leaving, ask_many(300));
    left.unwrap();
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
