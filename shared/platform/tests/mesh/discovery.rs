use crate::world::{World, ask};
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn the_three_verbs_answer_as_nats_services_do() {
    let world = World::start("").await;
    let (_auth, instance) = world.run_auth().await;
    let operator = world.operator().await;
    ask(&operator, "auth.jwks", &[], b"{}").await;
    ask(&operator, "auth.me", &[], b"{}").await;

    for subject in ["$SRV.PING".to_owned(), "$SRV.PING.auth".to_owned(), format!("$SRV.PING.auth.{instance}")] {
        let (_, ping) = ask(&operator, &subject, &[], b"").await;
        assert_eq!(ping["type"], "io.nats.micro.v1.ping_response");
        assert_eq!((ping["name"].as_str(), ping["id"].as_str()), (Some("auth"), Some(&*instance)));
    }
    let (_, info) = ask(&operator, "$SRV.INFO.auth", &[], b"").await;
    let endpoint = endpoint(&info, "auth-jwks");
    assert_eq!((endpoint["subject"].as_str(), endpoint["queue_group"].as_str()), (Some("auth.jwks"), Some("auth")));
    let schema: Value = serde_json::from_str(endpoint["metadata"]["reply_schema"].as_str().unwrap()).unwrap();
    assert!(schema.is_object());
    assert!(endpoints(&info).iter().any(|endpoint| endpoint["subject"] == "validateToken"));

    let (_, stats) = ask(&operator, "$SRV.STATS.auth", &[], b"").await;
    assert_eq!(self::endpoint(&stats, "auth-jwks")["num_requests"], 1);
    let me = self::endpoint(&stats, "auth-me");
    assert_eq!((&me["num_errors"], me["last_error"].as_str()), (&1.into(), Some("unauthenticated")));

    let found = platform::discovery::ping(&operator, Duration::from_millis(300)).await.unwrap();
    assert_eq!(found.iter().map(|ping| ping.name.as_str()).collect::<Vec<_>>(), ["auth"]);
}

fn endpoints(body: &Value) -> &Vec<Value> {
    body["endpoints"].as_array().unwrap()
}

fn endpoint(body: &Value, name: &str) -> Value {
    endpoints(body).iter().find(|endpoint| endpoint["name"] == name).unwrap().clone()
}
