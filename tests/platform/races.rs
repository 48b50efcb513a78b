//! Many who want the same time at once, from two booking instances: as many get it as there is room, whatever they ask
//! for and however they come by it.

use crate::arena::{Arena, Attempt, check, check_no_deadlock, customers, day_ahead, rush, wish};
use crate::world::World;
use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Instant;

/// How often the rush for one slot is run, and by how many.
const ROUNDS: i64 = 20;
const RIVALS: usize = 1_000;
/// The same for the other rushes.
const SMALLER_ROUNDS: i64 = 5;
const FEWER_RIVALS: usize = 100;

/// Two booking instances behind an edge that gives a crowd the time to be answered.
async fn two_instances() -> World {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__REQUEST_TIMEOUT_MS", "60000");
    // An edge without optimisation may take seconds to get round to the last of a thousand connections.
    world.set("PETPRO_EDGE__CONNECTIONS__HEAD_TIMEOUT_MS", "60000");
    world.run("edge", &["auth", "vendor", "edge"]).await;
    world.run("one", &["booking"]).await;
    world.run("other", &["booking"]).await;
    world.until_heard().await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_who_want_one_slot_exactly_one_gets_it_in_each_of_twenty_rounds() {
    let world = two_instances().await;
    let arena = Arena::open(&world).await;
    let service = arena.service(&world, "Half an hour", 30, 1).await;
    let staff = arena.staff(&world, &[&service]).await;
    let tokens = customers(&world, RIVALS);
    let started = Instant::now();
    for round in 0..ROUNDS {
        let starts_at = day_ahead(2) + Duration::minutes(30 * round);
        let attempts = tokens.iter().map(|token| Attempt::booking(token, wish(&service, &staff, starts_at))).collect();
        let tally = rush(&world, attempts).await;
        check(&format!("round {round}"), &tally, 201, 1);
    }
    println!("{ROUNDS} rounds of {RIVALS} took {:?}", started.elapsed());
    assert_eq!(world.count("select count(*) from booking.bookings").await, ROUNDS);
    assert_eq!(world.count("select count(*) from booking.sessions").await, ROUNDS);
    check_no_deadlock(&world).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_overlaps_goes_to_one() {
    let world = two_instances().await;
    let arena = Arena::open(&world).await;
    let half = arena.service(&world, "Half an hour", 30, 1).await;
    let three_quarters = arena.service(&world, "Three quarters", 45, 1).await;
    let whole = arena.service(&world, "An hour", 60, 1).await;
    let class = arena.service(&world, "A class for five", 30, 5).await;
    let staff = arena.staff(&world, &[&half, &three_quarters, &whole, &class]).await;
    let tokens = customers(&world, FEWER_RIVALS);
    let rivals = |wishes: Vec<Value>| {
        let wishes: Vec<Value> = wishes.into_iter().cycle().take(FEWER_RIVALS).collect();
        tokens.iter().zip(wishes)
    };

    for round in 0..SMALLER_ROUNDS {
        // All of these contain the quarter before 10:00.
        let ten = day_ahead(2) + Duration::hours(10) + Duration::days(round);
        let before = |minutes| ten - Duration::minutes(minutes);
        let overlapping = vec![
            wish(&half, &staff, before(30)),
            wish(&half, &staff, before(15)),
            wish(&three_quarters, &staff, before(45)),
            wish(&three_quarters, &staff, before(30)),
            wish(&three_quarters, &staff, before(15)),
            wish(&whole, &staff, before(60)),
            wish(&whole, &staff, before(45)),
            wish(&whole, &staff, before(15)),
        ];
        let attempts = rivals(overlapping).map(|(token, wish)| Attempt::booking(token, wish)).collect();
        check("overlapping visits of different lengths", &rush(&world, attempts).await, 201, 1);

        let two = day_ahead(2) + Duration::hours(14) + Duration::days(round);
        let attempts = rivals(vec![wish(&half, &staff, two)])
            .enumerate()
            .map(
                |(number, (token, wish))| {
                    if number % 2 == 0 { hold(token, wish) } else { Attempt::booking(token, wish) }
                },
            )
            .collect();
        check("holds against bookings", &rush(&world, attempts).await, 201, 1);

        let four = day_ahead(2) + Duration::hours(16) + Duration::days(round);
        let attempts = rivals(vec![wish(&class, &staff, four)]).map(|(token, wish)| Attempt::booking(token, wish));
        check("a class for five", &rush(&world, attempts.collect()).await, 201, 5);
    }
    let crowded = "select count(*) from booking.sessions as one join booking.sessions as other \
                   on one.staff_id = other.staff_id and one.id <> other.id \
                   and tstzrange(one.blocked_from, one.blocked_to) && tstzrange(other.blocked_from, other.blocked_to)";
    assert_eq!(world.count(crowded).await, 0);
    assert_eq!(world.count("select count(*) from booking.sessions where taken > capacity").await, 0);
    check_no_deadlock(&world).await;
    world.stop().await;
}

fn hold(token: &str, mut wish: Value) -> Attempt<'_> {
    wish.as_object_mut().unwrap().remove("pet");
    Attempt { method: Method::POST, path: "/bookings/holds".to_owned(), token, if_match: None, body: wish }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_that_move_into_each_others_time_never_share_it() {
    let world = two_instances().await;
    let arena = Arena::open(&world).await;
    let service = arena.service(&world, "Half an hour", 30, 1).await;
    let staff = arena.staff(&world, &[&service]).await;
    const BOOKINGS: i64 = 40;
    let tokens = customers(&world, BOOKINGS.unsigned_abs() as usize);
    let slot = |number: i64| day_ahead(2) + Duration::minutes(30 * number);
    let mut bookings = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        let wish = wish(&service, &staff, slot(number as i64));
        let made = world.expect(Method::POST, "/bookings", Some(token), Some(wish), StatusCode::CREATED).await;
        bookings.push((made["id"].as_str().unwrap().to_owned(), token));
    }
    let move_to = |number: usize, version: i64, starts_at| {
        let (id, token) = &bookings[number];
        let body = json!({ "startsAt": starts_at, "staffId": staff });
        Attempt { method: Method::PUT, path: format!("/bookings/{id}"), token, if_match: Some(version), body }
    };

    // Everybody to the place of the next: nobody's is free, unless the next has gone.
    let round_about = (0..bookings.len()).map(|number| move_to(number, 1, slot((number as i64 + 1) % BOOKINGS)));
    let tally = rush(&world, round_about.collect()).await;
    check("round about", &tally, 200, 0);
    // Everybody to one free place.
    let one_place = (0..bookings.len()).map(|number| move_to(number, 1, slot(BOOKINGS)));
    check("into one place", &rush(&world, one_place.collect()).await, 200, 1);
    let moved = world.count("select count(*) from booking.bookings where version = 2").await;
    assert_eq!(moved, 1);
    let crowded = "select count(*) from booking.sessions as one join booking.sessions as other \
                   on one.staff_id = other.staff_id and one.id <> other.id \
                   and tstzrange(one.blocked_from, one.blocked_to) && tstzrange(other.blocked_from, other.blocked_to)";
    assert_eq!(world.count(crowded).await, 0);
    let apart = "select count(*) from booking.bookings b where not exists (select from booking.sessions s \
                 where s.id = b.session_id and s.starts_at = b.starts_at and s.staff_id = b.staff_id)";
    assert_eq!(world.count(apart).await, 0, "a booking without its time");
    check_no_deadlock(&world).await;
    world.stop().await;
}
