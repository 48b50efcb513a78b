//! Waits after attempts that failed.

use crate::world::{PASSWORD, SignedIn, VENDOR, World};
use futures::future::join_all;
use serde_json::{Value, json};
use subjects::{ErrorCode, Fault};
use testmesh::Asker;

const HERE: &str = "203.0.113.9";
const ELSEWHERE: &str = "2001:db8:1:2::/64";

/// How a sign-in goes: nothing, or what it is refused with.
async fn attempt(world: &World, from: &str, email: &str, password: &str) -> Result<SignedIn, Fault> {
    let body = json!({ "email": email, "password": password });
    world.ask("auth.login", body).from_address(from).send().await.map(SignedIn)
}

async fn reason(world: &World, from: &str, email: &str, password: &str) -> String {
    attempt(world, from, email, password)
        .await
        .map_or_else(|fault| fault.reason.into_owned(), |_| "signed in".to_owned())
}

/// Makes all waits that are under way end now.
async fn let_waits_end(world: &World) {
    world.execute("update attempt_brakes set locked_until = now() - interval '1 second'").await;
}

async fn recorded(world: &World) -> i64 {
    world.number("select count(*) from login_attempts").await
}

#[tokio::test]
async fn after_some_failures_each_further_one_doubles_the_wait_whether_or_not_there_is_an_account() {
    let world = World::start("account_attempts = 3").await;
    world.register("sari@example.com").await;
    let mut told = Vec::new();
    for email in ["sari@example.com", "nobody@example.com"] {
        let mut refusals = Vec::new();
        for _ in 0..3 {
            refusals.push(attempt(&world, HERE, email, "not this one").await.err().unwrap());
        }
        for _ in 0..11 {
            let before = recorded(&world).await;
            // The right password is not even looked at.
            let locked = attempt(&world, ELSEWHERE, &email.to_uppercase(), PASSWORD).await.err().unwrap();
            assert_eq!((locked.code, locked.reason.as_ref()), (ErrorCode::RateLimited, "too_many_attempts"));
            assert!(locked.retry_after_ms.is_some_and(|wait| (1..=900_000).contains(&wait)), "{locked:?}");
            assert_eq!(recorded(&world).await, before, "a refused attempt is none");
            refusals.push(Fault { retry_after_ms: None, ..locked });
            let_waits_end(&world).await;
            refusals.push(attempt(&world, HERE, email, "not this one").await.err().unwrap());
            let wait = "select extract(epoch from max(locked_until) - max(forgotten_at) + interval '1 hour')::int::text \
                from attempt_brakes where account <> '' and locked_until > now()";
            refusals.push(Fault::new(ErrorCode::RateLimited, world.query(wait).await));
        }
        told.push(refusals);
        world.execute("delete from attempt_brakes").await;
    }
    let waits: Vec<i64> = told[0].iter().filter_map(|fault| fault.message.parse().ok()).collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    assert_eq!(told[0], told[1], "what is told of an account and of none differs");
}

#[tokio::test]
async fn a_success_resets_the_count_of_the_account_and_time_does() {
    let world = World::start("account_attempts = 3").await;
    world.register("sari@example.com").await;
    for _ in 0..3 {
        for _ in 0..2 {
            assert_eq!(reason(&world, HERE, "sari@example.com", "not this one").await, "invalid_credentials");
        }
        assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "signed in");
    }
    for _ in 0..3 {
        assert_eq!(reason(&world, HERE, "dewi@example.com", "not this one").await, "invalid_credentials");
    }
    assert_eq!(reason(&world, HERE, "dewi@example.com", "not this one").await, "too_many_attempts");
    let_waits_end(&world).await;
    world.execute("update attempt_brakes set forgotten_at = now()").await;
    for _ in 0..3 {
        assert_eq!(reason(&world, HERE, "dewi@example.com", "not this one").await, "invalid_credentials");
    }
    assert_eq!(reason(&world, HERE, "dewi@example.com", "not this one").await, "too_many_attempts");
}

#[tokio::test]
async fn attempts_at_the_same_time_do_not_slip_past_the_limit() {
    let world = World::start("account_attempts = 3").await;
    for email in ["sari@example.com", "nobody@example.com"] {
        assert_eq!(reason(&world, HERE, email, "not this one").await, "invalid_credentials");
    }
    // The next wait is longer than any test takes.
    world.execute("update attempt_brakes set failures = 20 where account <> ''").await;
    let asked = (0..40).map(|number| {
        let (world, email) = (&world, ["sari@example.com", "nobody@example.com"][number % 2]);
        async move { reason(world, HERE, email, &format!("guess number {number}")).await }
    });
    let outcomes = join_all(asked).await;
    let made = outcomes.iter().filter(|reason| *reason == "invalid_credentials").count();
    let refused = outcomes.iter().filter(|reason| *reason == "too_many_attempts").count();
    assert_eq!((made, refused), (2, 38), "{outcomes:?}");
    assert_eq!(recorded(&world).await, 4);
}

#[tokio::test]
async fn an_address_has_a_wait_of_its_own_that_no_success_takes_away() {
    let world = World::start("address_attempts = 4").await;
    world.register("sari@example.com").await;
    for number in 0..4 {
        let email = format!("nobody{number}@example.com");
        assert_eq!(reason(&world, HERE, &email, "not this one").await, "invalid_credentials");
        // Whoever has an account of their own gains nothing by signing in between.
        if number < 3 {
            assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "signed in");
        }
    }
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "too_many_attempts");
    assert_eq!(reason(&world, HERE, "unheard-of@example.com", "not this one").await, "too_many_attempts");
    // What was refused for the address is not counted for the account.
    assert_eq!(world.number("select count(*) from attempt_brakes where account <> ''").await, 4);
    assert_eq!(reason(&world, ELSEWHERE, "sari@example.com", PASSWORD).await, "signed in");
    let_waits_end(&world).await;
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "signed in");
    assert_eq!(reason(&world, HERE, "nobody@example.com", "not this one").await, "invalid_credentials");
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "too_many_attempts");
    // No address stands there, nor whose attempts they were.
    let rows = world.all_rows().await;
    assert!(!rows.contains(HERE) && !rows.contains("nobody"), "{rows}");
}

#[tokio::test]
async fn a_user_gets_in_from_where_they_are_known_whatever_others_try() {
    let world = World::start("account_attempts = 3").await;
    world.register("sari@example.com").await;
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "signed in");
    for _ in 0..3 {
        reason(&world, ELSEWHERE, "sari@example.com", "not this one").await;
    }
    assert_eq!(reason(&world, ELSEWHERE, "sari@example.com", PASSWORD).await, "too_many_attempts");
    assert_eq!(reason(&world, "198.51.100.1", "sari@example.com", PASSWORD).await, "too_many_attempts");
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "signed in");
    assert_eq!(reason(&world, ELSEWHERE, "sari@example.com", PASSWORD).await, "too_many_attempts");
    // There is no more guessing from there than from anywhere.
    for _ in 0..3 {
        reason(&world, HERE, "sari@example.com", "not this one").await;
    }
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "too_many_attempts");

    world.execute("delete from attempt_brakes where address <> ''").await;
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "signed in");
    world.execute("update familiar_addresses set signed_in_at = now() - interval '31 days'").await;
    assert_eq!(reason(&world, HERE, "sari@example.com", PASSWORD).await, "too_many_attempts");
}

#[tokio::test]
async fn nobody_but_the_edge_says_where_a_client_is() {
    let world = World::start("address_attempts = 1").await;
    let login = json!({ "email": "nobody@example.com", "password": PASSWORD });
    world.ask("auth.login", login.clone()).from_address(HERE).by(&VENDOR).refusal().await;
    world.ask("auth.login", login).from_address("not an address").refusal().await;
    assert_eq!(world.number("select count(*) from attempt_brakes where address <> ''").await, 0);
    assert_eq!(reason(&world, HERE, "somebody@example.com", PASSWORD).await, "invalid_credentials");
    assert_eq!(reason(&world, HERE, "somebody@example.com", PASSWORD).await, "too_many_attempts");
}

#[tokio::test]
async fn guessing_the_password_of_a_session_that_was_taken_is_held_up_likewise() {
    let world = World::start("account_attempts = 3").await;
    let taken = world.newcomer("sari@example.com").await;
    let change = |current: &str| {
        let body = json!({ "currentPassword": current, "newPassword": "anjing lari di pantai" });
        world.ask("auth.changePassword", body).by(&taken.asker())
    };
    for _ in 0..3 {
        assert_eq!(change("not hers at all").refusal().await, "wrong_password");
    }
    let locked = change(PASSWORD).fault().await;
    assert_eq!(locked.reason, "too_many_attempts");
    assert!(locked.retry_after_ms.is_some());
    let_waits_end(&world).await;
    change(PASSWORD).under_key("key-1").ok().await;
    // A replay is no attempt.
    for _ in 0..4 {
        change(PASSWORD).under_key("key-1").ok().await;
    }
    assert_eq!(world.number("select count(*) from attempt_brakes").await, 0);
}

#[tokio::test]
async fn what_is_forgotten_is_swept_and_what_an_erased_person_left_goes_with_them() {
    let world = World::start("sweep_seconds = 1").await;
    let id = world.register("sari@example.com").await["id"].clone();
    reason(&world, HERE, "sari@example.com", PASSWORD).await;
    reason(&world, HERE, "sari@example.com", "not this one").await;
    reason(&world, ELSEWHERE, "sari@example.com", "not this one").await;
    reason(&world, ELSEWHERE, "dewi@example.com", "not this one").await;
    let profile = Asker::Service("profile");
    let export = world.ask("auth.exportPerson", json!({ "userId": id })).by(&profile).ok().await;
    let familiar: Vec<&Value> =
        export["rows"].as_array().unwrap().iter().filter(|row| row["kind"] == "familiarAddress").collect();
    assert!(familiar.len() == 1 && familiar[0]["data"]["signedInAt"].is_string(), "{export}");
    world.ask("auth.erasePerson", json!({ "userId": id })).by(&profile).ok().await;
    assert_eq!(world.number("select count(*) from familiar_addresses").await, 0);
    assert_eq!(world.number("select count(*) from attempt_brakes where account <> ''").await, 1);
    world.execute("update attempt_brakes set forgotten_at = now() where account <> ''").await;
    world.until_query("select count(*)::text from attempt_brakes where account <> ''", "0").await;
    assert_eq!(world.number("select count(*) from attempt_brakes where address <> ''").await, 2);
}
