//! Nobody else may, and whoever is away is named.

use super::*;
use petpro::demo_users::DemoUser;
use platform::headers;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_who_run_the_platform_are_answered_and_who_is_away_is_named() {
    let mut world = World::without_services().await;
    let (_, said) = refused(&world, &["outbox", "status", "booking"]).await;
    assert!(said.contains("nobody answers ops.booking.outboxStatus") && said.contains("petpro run booking"), "{said}");
    // Part of an answer is shown, and that it is a part.
    world.run("some", &["auth", "vendor", "edge"]).await;
    let ended = petpro(&world, &["outbox", "status"]).await;
    assert!(!ended.succeeded && ended.printed.contains("EVENTS_VENDOR"), "{}{}", ended.printed, ended.said);
    for service in ["profile", "booking", "catalog"] {
        assert!(ended.said.contains(&format!("petpro run {service}")), "{}", ended.said);
    }
    world.run("others", &["profile", "booking", "catalog"]).await;

    let client = world.operator().await;
    let customer = DemoUser::by_email("budi@petpro.example").unwrap().id();
    let clinic_admin = DemoUser::by_email("dewi@petpro.example").unwrap().id();
    let as_user =
        |user: UserId| vec![(headers::AUTHORIZATION, format!("Bearer {}", token(&world, user, vec![Role::Customer])))];
    let service_token = |service: &'static str, audience: &str| {
        let key = world.stack.keys.signing_key(service, Purpose::Service).unwrap();
        vec![(headers::SERVICE_TOKEN, ServiceTokens::new(key).for_audience(audience).to_string())]
    };
    for operation in ops::OPERATIONS {
        let (subject, service) = (operation.subject, operation.service);
        for (who, headers, expected) in [
            ("nobody", vec![], 401),
            ("a customer", as_user(customer), 403),
            ("who runs a clinic", as_user(clinic_admin), 403),
            ("another service", service_token("profile", service), 401),
            ("the edge", service_token("edge", service), 401),
        ] {
            assert_eq!(status_of(&client, subject, headers).await, expected, "{subject} asked by {who}");
        }
        let admin = vec![(headers::AUTHORIZATION, format!("Bearer {}", mending::admin_token(&world)))];
        // Whoever may is told what is wrong with an empty question, or is answered.
        let status = status_of(&client, subject, admin).await;
        assert!([200, 400].contains(&status), "{subject}: {status}");
    }
    check_publishing(&world).await;
    let answer =
        world.http.post(world.url_at("some", "/ops/booking/outboxStatus")).json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "there is a route to it");
    world.stop().await;
}

/// No service may even ask: NATS takes the question from the operator alone.
async fn check_publishing(world: &World) {
    for identity in ["edge", "booking"] {
        let (client, signals) = world.connect(identity).await;
        let subject = "ops.vendor.outboxStatus";
        let since = Instant::now();
        client.publish(subject, "{}".into()).await.unwrap();
        let refused = tokio::time::timeout(Duration::from_secs(10), signals.refused_publish(subject, since)).await;
        assert!(refused.is_ok(), "{identity} may ask {subject}");
    }
}

/// The status of an answer: 200 where it is none of a failure.
async fn status_of(client: &async_nats::Client, subject: &'static str, with: Vec<(&'static str, String)>) -> u16 {
    let mut map = async_nats::HeaderMap::new();
    for (name, value) in with {
        map.insert(name, value.as_str());
    }
    let reply = client.request_with_headers(subject, map, "{}".into()).await.unwrap();
    let code = reply.headers.as_ref().and_then(|headers| headers.get(headers::SERVICE_ERROR_CODE));
    code.map_or(200, |code| code.as_str().parse().unwrap())
}

/// A token that the operator has signed.
pub(super) fn token(world: &World, id: UserId, roles: Vec<Role>) -> String {
    let tokens = UserTokens::new(world.stack.keys.signing_key(OPERATOR, Purpose::User).unwrap());
    tokens.issue(&User { id, session: SessionId::new(), roles }, Utc::now())
}
