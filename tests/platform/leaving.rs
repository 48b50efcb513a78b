//! A replica that leaves in order while others work.

use crate::world::World;
use reqwest::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_booking_instances_leaves_under_load_and_no_request_fails() {
    let mut world = World::without_services().await;
    world.run("edge", &["auth", "vendor", "edge"]).await;
    world.run("stays", &["booking"]).await;
    world.run("leaves", &["booking"]).await;
    let token = world.sign_in("budi@petpro.example").await;
    let slots = world.free_slots(60).await;
    let (url, http) = (world.url("/bookings"), world.http.clone());
    let answered = Arc::new(Answered::default());
    // Readers without a pause, and one who books slot after slot, over and over.
    let mut load: Vec<tokio::task::JoinHandle<()>> = (0..16)
        .map(|_| {
            let (url, http, token, answered) = (url.clone(), http.clone(), token.clone(), answered.clone());
            tokio::spawn(async move {
                while !answered.stop.load(Ordering::Relaxed) {
                    let answer = http.get(&url).bearer_auth(&token).send().await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
                    answered.reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let writes = answered.clone();
    load.push(tokio::spawn(async move {
        for slot in slots.iter().cycle() {
            if writes.stop.load(Ordering::Relaxed) {
                return;
            }
            let answer = http.post(&url).bearer_auth(&token).json(&slot.wish()).send().await.unwrap();
            let status = answer.status();
            // Neighbouring slots of one staff member overlap, and each slot comes again: taken is an answer, too.
            let expected = [StatusCode::CREATED, StatusCode::CONFLICT];
            assert!(expected.contains(&status), "{status} {}", answer.text().await.unwrap());
            writes.writes.fetch_add(1, Ordering::Relaxed);
        }
    }));
    for _ in 0..3 {
        answered.grows(&world).await;
        world.terminate("leaves").await;
        answered.grows(&world).await;
        world.run("leaves", &["booking"]).await;
    }
    answered.stop.store(true, Ordering::Relaxed);
    for asking in load {
        asking.await.unwrap();
    }
    let (reads, writes) = answered.so_far();
    println!("3 replicas left while {reads} reads and {writes} wishes were answered, none failed");
    world.stop().await;
}

/// What a load has been answered.
#[derive(Default)]
struct Answered {
    reads: AtomicUsize,
    writes: AtomicUsize,
    stop: AtomicBool,
}

impl Answered {
    fn so_far(&self) -> (usize, usize) {
        (self.reads.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed))
    }

    /// Waits for so many more answers that every running instance has given some.
    async fn grows(&self, world: &World) {
        let (reads, writes) = self.so_far();
        let has_grown = async || {
            let (reads_now, writes_now) = self.so_far();
            reads_now >= reads + 200 && writes_now >= writes + 10
        };
        world.until("the load is answered", has_grown).await;
    }
}
