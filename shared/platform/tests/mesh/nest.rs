//! What a NestJS client sends and expects, on the wire. With the real client: tests/platform/nest.rs.

use crate::world::{World, ask};
use platform::headers;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const COMMAND: &str = r#"{"cmd":"auth.jwks"}"#;

/// The packet of a stock client.
fn packet(pattern: Value, data: Value) -> Vec<u8> {
    format!(r#"{{"pattern":{pattern},"data":{data},"id":"a1"}}"#).into_bytes()
}

#[tokio::test]
async fn a_packet_is_answered_in_a_packet_on_a_subject_and_on_a_command() {
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    let (neighbour, _signals) = world.connect("neighbour").await;
    let expected = json!({ "response": { "keys": [] }, "isDisposed": true, "id": "a1" });
    for (subject, pattern) in [("auth.jwks", json!("auth.jwks")), (COMMAND, json!({ "cmd": "auth.jwks" }))] {
        for data in [json!({}), json!("")] {
            let answer = ask(&neighbour, subject, &[], &packet(pattern.clone(), data)).await;
            assert_eq!(answer, (None, expected.clone()), "{subject}");
        }
    }
    // The subject decides on the service, not the form of the body.
    let (_, plain) = ask(&neighbour, COMMAND, &[], b"{}").await;
    assert_eq!(plain, json!({ "keys": [] }));
    let commands_are_no_endpoints = ask(&world.operator().await, "$SRV.STATS.auth", &[], b"").await.1;
    let endpoints = commands_are_no_endpoints["endpoints"].as_array().unwrap();
    let jwks: Vec<&Value> =
        endpoints.iter().filter(|endpoint| endpoint["name"].as_str().unwrap().contains("jwks")).collect();
    assert_eq!((jwks.len(), &jwks[0]["num_requests"]), (1, &json!(5)));
}

#[tokio::test]
async fn a_refusal_is_an_err_that_names_the_request() {
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    // An operator may ask for any operation of the service that there is here.
    let asker = world.operator().await;
    let token = format!("Bearer {}", world.user_token_of("operator"));
    let authorization = (headers::AUTHORIZATION, token.as_str());
    let find = packet(json!("user.findOne"), json!({ "id": 7 }));

    let (code, answer) = ask(&asker, "user.findOne", &[], &find).await;
    assert_eq!((code.as_deref(), answer["err"]["code"].as_str()), (Some("401"), Some("unauthenticated")));
    assert_eq!((&answer["id"], &answer["isDisposed"]), (&json!("a1"), &json!(true)));
    let (_, answer) = ask(&asker, "user.findOne", &[authorization], &find).await;
    assert_eq!((&answer["err"]["reason"], &answer["id"]), (&json!("invalid_request"), &json!("a1")));
    assert_eq!(answer["err"]["violations"][0]["pointer"], "/id");
    // Its request is not what it should be at all.
    for data in [json!([1]), json!("x"), json!(1)] {
        let (_, answer) = ask(&asker, "user.findOne", &[authorization], &packet(json!("user.findOne"), data)).await;
        assert_eq!((&answer["err"]["code"], &answer["id"]), (&json!("bad_request"), &json!("a1")));
    }
    // A panic behind it, and a deadline.
    let (_, answer) = ask(&asker, "auth.me", &[authorization], &packet(json!("auth.me"), json!({}))).await;
    assert_eq!((&answer["err"]["code"], &answer["id"]), (&json!("internal"), &json!("a1")));
    let late = [(headers::TIMEOUT_MS, "5000"), (headers::DEADLINE, "1000")];
    let (_, answer) = ask(&asker, "auth.jwks", &late, &packet(json!("auth.jwks"), json!({}))).await;
    assert_eq!((&answer["err"]["code"], &answer["id"]), (&json!("deadline_exceeded"), &json!("a1")));
}

#[tokio::test]
async fn nats_keeps_a_neighbour_from_what_only_services_ask() {
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    let (neighbour, signals) = world.connect("neighbour").await;
    for subject in [
        "auth.validate",
        "auth.me",
        "user.findOne",
        r#"{"cmd":"auth.validate"}"#,
        r#"{"cmd":"validateToken"}"#,
        "event.x.y.0",
    ] {
        let since = Instant::now();
        neighbour.publish(subject, "{}".into()).await.unwrap();
        let refused = signals.refused_publish(subject, since);
        tokio::time::timeout(Duration::from_secs(20), refused).await.unwrap_or_else(|_| panic!("{subject} was taken"));
    }
}
