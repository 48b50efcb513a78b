//! Limits of requests over two edges, with Redis and without it.

use crate::arena::customers;
use crate::world::World;
use reqwest::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What an address may ask. The window is a day, so that nothing comes back while the test runs.
const QUOTA: usize = 60;
const EDGES: [&str; 2] = ["one", "other"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_shared_and_outlive_redis_and_no_request_fails_for_it() {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__LIMITS_PROFILE", "standard");
    world.set("PETPRO_EDGE__LIMITS__GENERAL", &format!("{{quota={QUOTA},window_s=86400}}"));
    world.set("PETPRO_EDGE__LIMITS__USER", "{quota=1000000,window_s=86400}");
    world.set("PETPRO_EDGE__TRUSTED_PROXIES", "[\"127.0.0.1/32\"]");
    // On a busy machine an answer of Redis is often late, and an edge that does not wait for it decides alone.
    world.set("PETPRO_REDIS__TIMEOUT_MS", "2000");
    world.run("one", &[]).await;
    world.run("other", &["edge"]).await;

    assert_eq!(passed_at_both(&world, "198.51.100.1").await, QUOTA, "the edges share what an address may ask");

    // Users ask without a pause while Redis goes, stays away and comes back.
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = customers(&world, 8)
        .into_iter()
        .enumerate()
        .map(|(number, token)| {
            let (http, url) = (world.http.clone(), world.url_at(EDGES[number % 2], "/bookings?limit=1"));
            let (stop, answered) = (stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = http.get(&url).bearer_auth(&token).send().await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let goes_on = async || {
        let so_far = answered.load(Ordering::Relaxed);
        world.until("the load is answered", async || answered.load(Ordering::Relaxed) >= so_far + 200).await;
    };
    let redis = world.stack.redis.as_ref().unwrap();
    goes_on().await;
    redis.kill().await.unwrap();
    goes_on().await;
    let alone = passed_at_both(&world, "198.51.100.2").await;
    assert_eq!(alone, 2 * QUOTA, "without Redis each edge keeps the limit by itself");
    redis.restart().await.unwrap();
    world
        .until("the edges share again", async || {
            // Somebody new each time, of whom neither edge knows anything by itself.
            let probe = customers(&world, 1).remove(0);
            let one = remaining(&world, EDGES[0], &probe).await;
            let other = remaining(&world, EDGES[1], &probe).await;
            other + 1 == one
        })
        .await;
    assert_eq!(passed_at_both(&world, "198.51.100.3").await, QUOTA, "with Redis the edges share again");
    goes_on().await;

    stop.store(true, Ordering::Relaxed);
    for asking in load {
        asking.await.unwrap();
    }
    println!("{} requests were answered while Redis went and came back", answered.load(Ordering::Relaxed));
    world.stop().await;
}

/// How many of many requests of an address pass, sent to both edges in turn.
async fn passed_at_both(world: &World, address: &str) -> usize {
    let mut passed = 0;
    for number in 0..3 * QUOTA {
        let url = world.url_at(EDGES[number % 2], "/services?limit=1");
        let answer = world.http.get(url).header("X-Forwarded-For", address).send().await.unwrap();
        match answer.status() {
            StatusCode::OK => passed += 1,
            StatusCode::TOO_MANY_REQUESTS => assert!(answer.headers().contains_key("retry-after")),
            status => panic!("{status}: {}", answer.text().await.unwrap()),
        }
    }
    passed
}

/// What an edge says that a user may still ask.
async fn remaining(world: &World, edge: &str, token: &str) -> i64 {
    let answer = world.http.get(world.url_at(edge, "/bookings?limit=1")).bearer_auth(token).send().await.unwrap();
    let limit = answer.headers()["ratelimit"].to_str().unwrap().to_owned();
    let rest = limit.split(';').find_map(|part| part.trim().strip_prefix("r=")).unwrap();
    rest.parse().unwrap()
}
