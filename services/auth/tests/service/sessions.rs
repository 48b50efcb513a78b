use crate::world::{SignedIn, VENDOR, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn refresh(world: &World, token: &str) -> Result<SignedIn, String> {
    let outcome = world.ask("auth.refresh", json!({ "refreshToken": token })).send().await;
    outcome.map(SignedIn).map_err(|fault| fault.reason.into_owned())
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_answer_is_repeated_for_a_moment() {
    let world = World::start("refresh_grace_seconds = 60").await;
    let first = world.newcomer("sari@example.com").await;
    let second = refresh(&world, first.refresh_token()).await.unwrap();
    assert_eq!(second.0["sessionId"], first.0["sessionId"]);
    assert_ne!(second.refresh_token(), first.refresh_token());

    // The client has lost the answer and asks again.
    let again = refresh(&world, first.refresh_token()).await.unwrap();
    assert_eq!(again.refresh_token(), second.refresh_token());
    assert_eq!(again.0["refreshExpiresAt"], second.0["refreshExpiresAt"]);
    world.ask("auth.me", json!({})).by(&again.asker()).ok().await;

    // Nothing of it is kept in clear.
    let stored = world.all_rows().await;
    for signed_in in [&first, &second, &again] {
        assert!(!stored.contains(signed_in.refresh_token()) && !stored.contains(signed_in.access_token()));
    }
}

#[tokio::test]
async fn asked_many_times_at_once_the_answer_is_one() {
    let world = World::start("refresh_grace_seconds = 60").await;
    let first = world.newcomer("sari@example.com").await;
    let asked = (0..20).map(|_| refresh(&world, first.refresh_token()));
    let answers: BTreeSet<String> = futures::future::join_all(asked)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().refresh_token().to_owned())
        .collect();
    assert_eq!(answers.len(), 1);
    let unspent = "select count(*)::text from refresh_tokens where spent_at is null";
    assert_eq!(world.query(unspent).await, "1");
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session() {
    let world = World::start("refresh_grace_seconds = 60").await;
    let first = world.newcomer("sari@example.com").await;
    let other_device = world.sign_in("sari@example.com").await;
    let mut events = world.listen().await;
    let second = refresh(&world, first.refresh_token()).await.unwrap();
    let third = refresh(&world, second.refresh_token()).await.unwrap();

    // The client has moved on, so whoever shows the first one now is another.
    assert_eq!(refresh(&world, first.refresh_token()).await.err().unwrap(), "refresh_token_reused");
    let revoked = events.next("session.revoked").await;
    assert_eq!((&revoked["sessionId"], &revoked["version"]), (&first.0["sessionId"], &json!(2)));
    world.until_signed_out(&third).await;
    assert_eq!(refresh(&world, third.refresh_token()).await.err().unwrap(), "invalid_refresh_token");
    let validated = world.ask("auth.validate", json!({ "token": third.access_token() })).by(&VENDOR);
    assert_eq!(validated.refusal().await, "invalid_token");
    refresh(&world, other_device.refresh_token()).await.unwrap();
}

#[tokio::test]
async fn without_grace_a_spent_token_is_a_stolen_one() {
    let world = World::start("refresh_grace_seconds = 0").await;
    let first = world.newcomer("sari@example.com").await;
    let second = refresh(&world, first.refresh_token()).await.unwrap();
    assert_eq!(refresh(&world, first.refresh_token()).await.err().unwrap(), "refresh_token_reused");
    assert_eq!(refresh(&world, second.refresh_token()).await.err().unwrap(), "invalid_refresh_token");
}

#[tokio::test]
async fn what_is_no_refresh_token_does_not_hold() {
    let world = World::start("").await;
    let signed_in = world.newcomer("sari@example.com").await;
    for token in ["nonsense", signed_in.access_token()] {
        assert_eq!(refresh(&world, token).await.err().unwrap(), "invalid_refresh_token");
    }
    world.execute("update refresh_tokens set expires_at = now()").await;
    assert_eq!(refresh(&world, signed_in.refresh_token()).await.err().unwrap(), "invalid_refresh_token");
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_only() {
    let world = World::start("").await;
    world.register("sari@example.com").await;
    let mut devices = Vec::new();
    for device in ["phone", "tablet", "laptop"] {
        let body = json!({ "email": "sari@example.com", "password": crate::world::PASSWORD, "device": device });
        devices.push(SignedIn(world.ask("auth.login", body).ok().await));
    }
    let [phone, tablet, laptop] = devices.as_slice() else { panic!() };
    let stranger = world.newcomer("budi@example.com").await;

    let mut listed = Vec::new();
    let mut cursor: Option<Value> = None;
    loop {
        let body = json!({ "limit": 2, "cursor": cursor });
        let page = world.ask("auth.sessions", body).by(&tablet.asker()).ok().await;
        listed.extend(
            page["items"].as_array().unwrap().iter().map(|item| (item["device"].clone(), item["current"].clone())),
        );
        cursor = page.get("nextCursor").cloned();
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        listed,
        [(json!("laptop"), json!(false)), (json!("tablet"), json!(true)), (json!("phone"), json!(false))]
    );

    let end_phone = || world.ask("auth.revokeSession", json!({ "id": phone.0["sessionId"] }));
    assert_eq!(end_phone().by(&stranger.asker()).refusal().await, "session_not_found");
    end_phone().by(&tablet.asker()).ok().await;
    end_phone().by(&tablet.asker()).ok().await;
    world.until_signed_out(phone).await;

    world.ask("auth.logout", json!({})).by(&laptop.asker()).ok().await;
    world.until_signed_out(laptop).await;
    assert_eq!(refresh(&world, laptop.refresh_token()).await.err().unwrap(), "invalid_refresh_token");
    let left = world.ask("auth.sessions", json!({})).by(&tablet.asker()).ok().await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);

    let again = world.sign_in("sari@example.com").await;
    world.ask("auth.logout", json!({ "everywhere": true })).by(&again.asker()).ok().await;
    world.until_signed_out(tablet).await;
    world.until_signed_out(&again).await;
    world.ask("auth.me", json!({})).by(&stranger.asker()).ok().await;
}

#[tokio::test]
async fn a_user_has_at_most_a_hundred_sessions_and_the_oldest_give_way() {
    let world = World::start("").await;
    let first = world.newcomer("sari@example.com").await;
    let made = "
        insert into sessions (id, user_id, version, created_at, last_used_at, expires_at)
        select uuidv7_like, user_id, 1, created_at, last_used_at, expires_at from sessions,
            (select ('01ffffff-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid as uuidv7_like
             from generate_series(1, 99) as number) as others";
    world.execute(made).await;
    let open = "select count(*)::text from sessions where revoked_at is null";
    assert_eq!(world.query(open).await, "100");
    let newest = world.sign_in("sari@example.com").await;
    world.until_signed_out(&first).await;
    assert_eq!(world.query(open).await, "100");
    world.ask("auth.me", json!({})).by(&newest.asker()).ok().await;
}
