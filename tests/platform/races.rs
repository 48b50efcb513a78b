use crate::world::World;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many customers want the same slot at once.
const RIVALS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_who_want_one_slot_exactly_one_gets_it_from_two_instances() {
    let mut world = World::start().await;
    world.run("second", &["booking"]).await;
    let slot = world.free_slot().await;
    let tokens = customers(&world, RIVALS);
    let asked = tokens.iter().map(|token| world.ask(Method::POST, "/bookings", Some(token), Some(slot.wish())));
    let mut statuses: BTreeMap<(u16, String), usize> = BTreeMap::new();
    for (status, body) in join_all(asked).await {
        let reason = body["reason"].as_str().unwrap_or_default().to_owned();
        *statuses.entry((status, reason)).or_default() += 1;
    }
    let expected = BTreeMap::from([((201, String::new()), 1), ((409, "slot_taken".to_owned()), RIVALS - 1)]);
    assert_eq!(statuses, expected, "{}", world.log());
    assert_eq!(world.count("select count(*) from booking.bookings").await, 1);
    assert_eq!(world.count("select count(*) from booking.sessions").await, 1);
    assert!(!world.log().contains("deadlock"), "{}", world.log());
    world.stop().await;
}

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

/// Access tokens of customers, signed with the platform's own key: 200 logins would only measure password hashing.
fn customers(world: &World, count: usize) -> Vec<String> {
    use identity::keys::{AUTH, Purpose};
    use subjects::Role;
    use subjects::ids::{SessionId, UserId};
    let key = world.stack.keys.signing_key(AUTH, Purpose::Access).unwrap();
    let tokens = identity::AccessTokens::new(key);
    (0..count)
        .map(|_| {
            let user = identity::User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
            tokens.issue(&user, chrono::Utc::now())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_sent_many_times_books_once() {
    let mut world = World::start().await;
    world.run("second", &["booking"]).await;
    let token = world.sign_in("budi@petpro.example").await;
    let slot = world.free_slot().await;
    let send = |body: serde_json::Value| {
        let request = world.http.post(world.url("/bookings")).bearer_auth(&token).header("Idempotency-Key", "once");
        async move {
            let answer = request.json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
        }
    };
    let answers = join_all((0..20).map(|_| send(slot.wish()))).await;
    let (_, first) = &answers[0];
    assert!(answers.iter().all(|(status, body)| (*status, &body["id"]) == (201, &first["id"])), "{answers:?}");
    let mut other = slot.wish();
    other["notes"] = json!("another request");
    assert_eq!(send(other).await.0, 422);
    assert_eq!(world.count("select count(*) from booking.bookings").await, 1);
    assert_eq!(world.count("select count(*) from booking.outbox where type = 'booking.created'").await, 1);
    world.stop().await;
}
