//! What a collector of traces gets to see.

use crate::world::World;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::otlp::{self, TelemetryConfig};
use platform::{Meta, spans, trace};
use prost::Message as _;
use serde_json::json;
use std::time::Duration;
use subjects::ids::UserId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

/// Takes what is exported, as a collector does.
async fn collector() -> (String, watch::Receiver<Vec<Span>>) {
    let (heard, spans) = watch::channel(Vec::new());
    let take = |State(heard): State<watch::Sender<Vec<Span>>>, headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let exported = request.resource_spans.into_iter().flat_map(|resource| {
            let attributes = resource.resource.unwrap().attributes;
            assert!(attributes.iter().any(|attribute| attribute.key == "service.name"));
            resource.scope_spans.into_iter().flat_map(|scope| scope.spans)
        });
        heard.send_modify(|spans| spans.extend(exported));
        StatusCode::OK
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(take)).with_state(heard);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, spans)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spans_of_a_request_are_one_tree_from_the_edge_to_the_last_service() {
    let (address, mut collected) = collector().await;
    let config = TelemetryConfig { otlp_endpoint: Some(address), ..TelemetryConfig::default() };
    let export = otlp::export(&config).unwrap();
    let world = World::start("").await;
    let (_auth, _) = world.run_auth().await;
    let _vendor = world.run_vendor().await;
    let edge = world.edge().await;

    let at_the_client = trace::new_traceparent();
    let trace_id = trace::trace_id(&at_the_client).unwrap().to_owned();
    let served = spans::Span::serving_http("GET", Some(&at_the_client));
    served.took_route("GET", "/clinics/{id}");
    let meta = Meta { traceparent: served.traceparent(), ..Meta::background("test") };
    let call = RawCall {
        content_type: ContentType::Json,
        body: json!({ "id": UserId::new() }).to_string().into(),
        user_token: None,
        deadline: Instant::now() + Duration::from_secs(20),
        meta: &meta,
    };
    // The vendor asks auth, which refuses.
    edge.client.request_raw("clinic.findOne", call).await.unwrap_err();
    served.answered_http(403);
    drop(served);
    // A trace that its client does not want to see.
    let unsampled = format!("00-{}-{}-00", "1".repeat(32), "2".repeat(16));
    let unseen = spans::Span::serving_http("GET", Some(&unsampled));
    assert!(unseen.traceparent().unwrap().ends_with("-00"));
    drop(unseen);
    // The services end their spans after they have replied; then the process does.
    let spans = collected
        .wait_for(|spans| spans.iter().filter(|span| hex(&span.trace_id) == trace_id).count() == 5)
        .await
        .unwrap()
        .clone();
    export.finish().await;

    let find = |name: &str, kind: SpanKind| {
        let mut found = spans
            .iter()
            .filter(|span| hex(&span.trace_id) == trace_id && span.name == name && span.kind == kind as i32);
        let only = found.next().unwrap_or_else(|| panic!("no {name} of {kind:?} in {spans:#?}"));
        assert!(found.next().is_none());
        only.clone()
    };
    let http = find("GET /clinics/{id}", SpanKind::Server);
    let asked = find("clinic.findOne", SpanKind::Client);
    let handled = find("clinic.findOne", SpanKind::Server);
    let asked_on = find("auth.validate", SpanKind::Client);
    let handled_there = find("auth.validate", SpanKind::Server);
    assert_eq!(hex(&http.parent_span_id), at_the_client[36..52]);
    for (parent, child) in [(&http, &asked), (&asked, &handled), (&handled, &asked_on), (&asked_on, &handled_there)] {
        assert_eq!(child.parent_span_id, parent.span_id, "{} under {}", child.name, parent.name);
    }
    assert_eq!(attribute(&http, "http.route"), Some("/clinics/{id}".to_owned()));
    assert_eq!(attribute(&http, "http.response.status_code"), Some("403".to_owned()));
    assert_eq!(attribute(&asked, "petpro.service"), Some("edge".to_owned()));
    assert_eq!(attribute(&handled, "petpro.service"), Some("vendor".to_owned()));
    assert_eq!(attribute(&handled_there, "messaging.system"), Some("nats".to_owned()));
    assert_eq!(attribute(&asked_on, "error.type"), Some("forbidden".to_owned()));
    assert!(collected.borrow().iter().all(|span| hex(&span.trace_id) != "1".repeat(32)));
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
