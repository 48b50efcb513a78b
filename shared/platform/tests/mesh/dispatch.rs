use crate::world::{World, ask, call};
use platform::{Meta, headers};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;
use subjects::ErrorCode;
use subjects::ids::UserId;

#[tokio::test]
async fn every_request_gets_a_reply_that_says_what_happened() {
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    let operator = world.operator().await;
    let token = format!("Bearer {}", world.user_token());
    let authorization = (headers::AUTHORIZATION, token.as_str());

    // JSON where nothing is said, an empty body included.
    assert_eq!(ask(&operator, "auth.jwks", &[], b"").await, (None, json!({ "keys": [] })));
    // A media type that is not ours.
    let (code, _) = ask(&operator, "auth.jwks", &[(headers::CONTENT_TYPE, "text/plain")], b"{}").await;
    assert_eq!(code.as_deref(), Some("415"));
    // No identity, one that is forged, and one that nothing protects.
    for headers in [&[][..], &[(headers::AUTHORIZATION, "Bearer nonsense")], &[("x-user-id", "1")]] {
        let (code, body) = ask(&operator, "auth.me", headers, b"{}").await;
        assert_eq!((code.as_deref(), body["code"].as_str()), (Some("401"), Some("unauthenticated")));
    }
    // A panic is ours, and nothing of it leaves.
    let (code, body) = ask(&operator, "auth.me", &[authorization], b"{}").await;
    assert_eq!(code.as_deref(), Some("500"));
    assert!(!body.to_string().contains("on purpose"));
    // A service-only operation, for a user.
    let (code, _) = ask(&operator, "auth.validate", &[authorization], br#"{"token":"x"}"#).await;
    assert_eq!(code.as_deref(), Some("403"));
    // Every violation at once, each with its place.
    let (code, body) = ask(&operator, "user.findOne", &[authorization], br#"{"id":7}"#).await;
    assert_eq!((code.as_deref(), &body["violations"][0]["pointer"]), (Some("400"), &json!("/id")));
    for broken in [&b"{"[..], b"[]", b"\xff\xfe", b"null"] {
        let (code, _) = ask(&operator, "user.findOne", &[authorization], broken).await;
        assert_eq!(code.as_deref(), Some("400"), "{broken:?}");
    }
}

#[tokio::test]
async fn a_deadline_ends_the_handler_and_expired_work_is_not_begun() {
    let world = World::start("").await;
    let (_auth, handled) = world.run_counted_auth().await;
    let operator = world.operator().await;
    let token = format!("Bearer {}", world.user_token());
    let body = json!({ "id": UserId::new() }).to_string();
    let with = [(headers::AUTHORIZATION, token.as_str()), (headers::TIMEOUT_MS, "100")];
    let (code, _) = ask(&operator, "user.findOne", &with, body.as_bytes()).await;
    assert_eq!((code.as_deref(), handled.load(Ordering::SeqCst)), (Some("504"), 1));
    // The caller had given up before the request was taken.
    let with = [(headers::TIMEOUT_MS, "5000"), (headers::DEADLINE, "1000")];
    let (code, _) = ask(&operator, "auth.jwks", &with, b"{}").await;
    assert_eq!((code.as_deref(), handled.load(Ordering::SeqCst)), (Some("504"), 1));
}

#[tokio::test]
async fn a_caller_cannot_have_a_service_publish_where_only_the_service_may() {
    let world = World::start("").await;
    let (_auth, handled) = world.run_counted_auth().await;
    let (operator, edge) = (world.operator().await, world.edge().await);
    let mut events = operator.subscribe("event.>").await.unwrap();
    edge.nats.publish_with_reply("auth.jwks", "event.user.registered.3", "{}".into()).await.unwrap();
    edge.nats.publish_with_reply("$SRV.PING", "event.user.registered.3", "".into()).await.unwrap();
    // The same subscription takes them in order: once this one is answered, the one before has been looked at.
    let meta = Meta::background("test");
    edge.client.request_raw("auth.jwks", call(&meta, "{}", None, Duration::from_secs(20))).await.unwrap();
    assert_eq!(handled.load(Ordering::SeqCst), 1);
    let heard = tokio::time::timeout(Duration::from_millis(300), futures::StreamExt::next(&mut events)).await;
    assert!(heard.is_err(), "{heard:?}");
}

#[tokio::test]
async fn a_full_service_refuses_at_once_and_says_when_to_come_back() {
    let world = World::start("[dispatcher]\nrunning = 1\nwaiting = 1").await;
    let (_auth, _) = world.run_auth().await;
    let operator = world.operator().await;
    let token = format!("Bearer {}", world.user_token());
    let with = [(headers::AUTHORIZATION, token.as_str()), (headers::TIMEOUT_MS, "1000")];
    let body = json!({ "id": UserId::new() }).to_string();
    let slow: Vec<_> = (0..10).map(|_| ask(&operator, "user.findOne", &with, body.as_bytes())).collect();
    let replies = futures::future::join_all(slow).await;
    let count = |code: &str| replies.iter().filter(|(found, _)| found.as_deref() == Some(code)).count();
    assert_eq!((count("503"), count("504")), (8, 2));
    let shed = replies.iter().find(|(code, _)| code.as_deref() == Some("503")).unwrap();
    assert!(shed.1["retryAfterMs"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_service_calls_another_as_itself() {
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    let _vendor = world.run_vendor().await;
    let operator = world.operator().await;
    let body = json!({ "id": UserId::new() }).to_string();
    let (code, reply) = ask(&operator, "clinic.findOne", &[], body.as_bytes()).await;
    assert_eq!((code.as_deref(), reply["reason"].as_str()), (Some("403"), Some("seen from Some(\"vendor\")")));
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_forbidden_is_said_to_be_so() {
    let world = World::start("").await;
    let edge = world.edge().await;
    let meta = Meta::background("test");
    let nobody = edge.client.request_raw("auth.jwks", call(&meta, "{}", None, Duration::from_secs(60))).await;
    assert_eq!(nobody.unwrap_err().code, ErrorCode::Unavailable);
    // The deadline is far away: the refusal is noticed, not waited out.
    let forbidden = edge.client.request_raw("auth.validate", call(&meta, "{}", None, Duration::from_secs(3600))).await;
    let fault = forbidden.unwrap_err();
    assert_eq!((fault.code, fault.reason.as_ref()), (ErrorCode::Internal, "call_not_permitted"));
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_when_nats_is_away() {
    let world = World::start("").await;
    let edge = world.edge().await;
    world.nats.kill().await.unwrap();
    let meta = Meta::background("test");
    // More than the client's own queue holds, so that sending itself would block.
    let calls =
        (0..3_000).map(|_| edge.client.request_raw("auth.jwks", call(&meta, "{}", None, Duration::from_secs(1))));
    let outcomes = futures::future::join_all(calls).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().code, ErrorCode::Unavailable);
    }
}
