//! The same request sent again, by its client or by the edge, while replicas are killed: everything happens once.

use crate::arena::{Arena, customers, day_ahead, wish};
use crate::world::World;
use chrono::Duration;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// How often the same request is sent at once.
const REPEATS: usize = 50;
/// How many clients book at a time while replicas are killed.
const CLIENTS: usize = 16;
/// How many replicas are killed under load.
const KILLS: usize = 3;

async fn two_instances() -> World {
    let mut world = World::without_services().await;
    world.run("edge", &["auth", "vendor", "edge"]).await;
    world.run("one", &["booking"]).await;
    world.run("other", &["booking"]).await;
    world.until_heard().await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_fifty_times_books_once_though_a_replica_is_killed() {
    let mut world = two_instances().await;
    let token = world.sign_in("budi@petpro.example").await;
    let slot = world.free_slot().await;
    let keyed = world.http.post(world.url("/bookings")).bearer_auth(&token).header("Idempotency-Key", "once");
    let send = |body: Value| {
        let request = keyed.try_clone().unwrap();
        async move {
            let answer = request.json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    // All of them are at work, or wait for the one that is, when the replica goes.
    let mut lock = world.database().await;
    sqlx::raw_sql("begin; lock table booking.sessions in exclusive mode").execute(&mut lock).await.unwrap();
    let asked: Vec<_> = (0..REPEATS).map(|_| tokio::spawn(send(slot.wish()))).collect();
    world.until_somebody_waits("%claim_session%").await;
    world.kill("one").await;
    sqlx::raw_sql("rollback").execute(&mut lock).await.unwrap();

    let answers: Vec<(u16, Value)> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    let (status, first) = &answers[0];
    assert_eq!(*status, 201, "{first}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let mut other = slot.wish();
    other["notes"] = json!("another request");
    assert_eq!(send(other).await.0, 422);
    assert_eq!(world.count("select count(*) from booking.bookings").await, 1);
    assert_eq!(world.count("select count(*) from booking.outbox where type = 'booking.created'").await, 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_without_keys_lose_and_double_nothing_when_replicas_are_killed() {
    let mut world = two_instances().await;
    let arena = Arena::open(&world).await;
    let service = arena.service(&world, "Half an hour", 30, 1).await;
    let mut staff = Vec::new();
    for _ in 0..CLIENTS {
        staff.push(arena.staff(&world, &[&service]).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let booked = Arc::new(AtomicI64::new(0));
    // Every client has a staff member to itself and wants one time after the other: nothing can be taken.
    let clients: Vec<_> = customers(&world, CLIENTS)
        .into_iter()
        .zip(staff)
        .map(|(token, staff)| {
            let (http, url, service) = (world.http.clone(), world.url("/bookings"), service.clone());
            let (stop, booked) = (stop.clone(), booked.clone());
            tokio::spawn(async move {
                let mut ids = BTreeSet::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let body = wish(&service, &staff, day_ahead(2) + Duration::minutes(30 * number));
                    let answer = http.post(&url).bearer_auth(&token).json(&body).send().await.unwrap();
                    let status = answer.status();
                    let made: Value = answer.json().await.unwrap();
                    assert_eq!(status, StatusCode::CREATED, "{made}");
                    assert!(ids.insert(made["id"].as_str().unwrap().to_owned()));
                    booked.fetch_add(1, Ordering::Relaxed);
                }
                ids
            })
        })
        .collect();
    for kill in 0..KILLS {
        let so_far = booked.load(Ordering::Relaxed);
        world.until("bookings are made", async || booked.load(Ordering::Relaxed) >= so_far + 100).await;
        let victim = if kill % 2 == 0 { "one" } else { "other" };
        world.kill(victim).await;
        let at_the_kill = booked.load(Ordering::Relaxed);
        world.until("bookings go on", async || booked.load(Ordering::Relaxed) >= at_the_kill + 100).await;
        world.run(victim, &["booking"]).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut ids = BTreeSet::new();
    for client in clients {
        ids.extend(client.await.unwrap());
    }
    let made = world.count("select count(*) from booking.bookings").await;
    println!("{made} bookings were made while {KILLS} replicas were killed");
    assert_eq!(made, booked.load(Ordering::Relaxed));
    assert_eq!(made, i64::try_from(ids.len()).unwrap());
    let events = "select count(*) from booking.outbox where type = 'booking.created'";
    assert_eq!(world.count(events).await, made);
    let path = format!("/bookings/{}", ids.first().unwrap());
    assert_eq!(world.ask(Method::GET, &path, None, None).await.0, 401);
    world.stop().await;
}
