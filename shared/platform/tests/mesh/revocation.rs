use crate::world::{Auth, World, auth_service};
use chrono::{TimeDelta, Utc};
use identity::Revocations;
use platform::runtime;
use platform::setup::Setup;
use std::time::{Duration, Instant};
use subjects::auth::{RevokedSession, SessionRevoked};
use subjects::ids::{SessionId, UserId};
use subjects::{Event as _, event};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_revocation_is_heard_at_once_at_the_start_and_after_nats_was_away() {
    let world = World::start("").await;
    let setup = Setup::connect(&world.host(), "auth").await.unwrap();
    let (heard, jetstream) = (setup.revocations.clone(), setup.jetstream.clone());
    let _running = runtime::start(setup, auth_service(), Auth::default()).await.unwrap();

    let first = revoke(&jetstream).await;
    until_heard(&heard, first).await;

    world.nats.restart().await.unwrap();
    let second = revoke(&jetstream).await;
    until_heard(&heard, second).await;

    // A replica that starts later knows both before it is ready.
    let late = Setup::connect(&world.host(), "auth").await.unwrap();
    let late_heard = late.revocations.clone();
    let _late = runtime::start(late, auth_service(), Auth::default()).await.unwrap();
    assert!(late_heard.is_revoked(first) && late_heard.is_revoked(second));
}

/// Tells, as auth's relay does, that a session was ended.
async fn revoke(jetstream: &async_nats::jetstream::Context) -> SessionId {
    let session_id = SessionId::new();
    let told = SessionRevoked(RevokedSession {
        session_id,
        user_id: UserId::new(),
        version: 1,
        revoked_at: Utc::now(),
        expires_at: Utc::now() + TimeDelta::minutes(15),
    });
    let subject = event::subject(SessionRevoked::TYPE, told.aggregate_id());
    let body = serde_json::to_vec(&told).unwrap();
    let started = Instant::now();
    loop {
        match jetstream.publish(subject.clone(), body.clone().into()).await.unwrap().await {
            Ok(_) => return session_id,
            Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
        }
    }
}

async fn until_heard(revocations: &Revocations, session: SessionId) {
    let started = Instant::now();
    while !revocations.is_revoked(session) {
        assert!(started.elapsed() < PATIENCE, "the revocation is not heard");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
