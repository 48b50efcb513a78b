//! Events of earlier releases that are still in the streams when a new one starts.

use crate::world::World;
use async_nats::HeaderMap;
use std::path::Path;
use subjects::{EventType, catalogue, event};
use uuid::Uuid;

/// What earlier releases told; see there.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../subjects/tests/events/samples");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_earlier_releases_told_is_handled_by_this_one() {
    let mut world = World::without_services().await;
    let mut told = Vec::new();
    for event in catalogue::events() {
        told.push((event, tell_sample(&world, event).await));
    }
    world.run("all", &[]).await;
    world.until_heard().await;

    let mut handled = 0;
    for consumer in petpro::services::consumers() {
        for (event, id) in told.iter().filter(|(event, _)| event::type_filter(event.event_type) == consumer.filter()) {
            let inbox = format!("select count(*) from {}.inbox where handler = $1 and event_id = $2", consumer.service);
            let query = sqlx::query_scalar(sqlx::AssertSqlSafe(inbox)).bind(consumer.handler).bind(id);
            let rows: i64 = query.fetch_one(&mut world.database().await).await.unwrap();
            assert_eq!(rows, 1, "{} did not handle {}", consumer.durable_name(), event.event_type);
            handled += 1;
        }
    }
    assert!(handled >= petpro::services::consumers().len(), "{handled} were handled");
    for service in catalogue::SERVICES {
        let parked = format!("select count(*) from {service}.dead_letters");
        let parked: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(parked)).fetch_one(&mut world.database().await).await.unwrap();
        assert_eq!(parked, 0, "{service} could not handle all\n{}", world.log());
    }
    world.stop().await;
}

/// Publishes the sample of an event's type as the service that told it, and answers the event's id.
async fn tell_sample(world: &World, event: &EventType) -> Uuid {
    let path = Path::new(SAMPLES).join(format!("{}.json", event.event_type));
    let body = std::fs::read(&path).unwrap();
    let (aggregate_id, _version) = (event.read)(&body).unwrap();
    let id = Uuid::now_v7().to_string();
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", id.as_str());
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", id.as_str());
    headers.insert("ce-type", event.event_type);
    headers.insert("ce-source", format!("/services/{}", event.service).as_str());
    headers.insert("ce-subject", aggregate_id.to_string().as_str());
    let (service, _signals) = world.connect(event.service).await;
    let subject = event::subject(event.event_type, aggregate_id);
    let jetstream = async_nats::jetstream::new(service);
    jetstream.publish_with_headers(subject, headers, body.into()).await.unwrap().await.unwrap();
    id.parse().unwrap()
}
