//! What goes in reaches the service, and what the service says comes out.

use crate::stack::{Answer, with_stack};
use serde_json::{Value, json};
use subjects::Role;
use subjects::ids::VendorId;

#[test]
fn a_route_answers_at_all_its_places() {
    with_stack(async |stack| {
        let id = VendorId::new();
        for prefix in ["/api/v1", "/api", ""] {
            let answer = Answer::to(stack.request("GET", &format!("{prefix}/vendors/{id}"))).await;
            assert_eq!((answer.status, answer.json()["id"].clone()), (200, json!(id)));
            assert_eq!(answer.header("etag"), Some("\"7\""));
        }
        // Booking is away: the mirror leads there all the same, and so does the path that is not versioned.
        assert_eq!(Answer::to(stack.request("GET", "/appointments/availability")).await.status, 400);
        assert_eq!(Answer::to(stack.request("GET", "/.well-known/jwks.json")).await.status, 503);
        assert_eq!(Answer::to(stack.request("GET", "/api/v1/.well-known/jwks.json")).await.status, 404);
    });
}

#[test]
fn a_query_is_read_with_the_types_of_the_contract_and_a_page_links_to_the_next() {
    with_stack(async |stack| {
        let first = Answer::to(stack.request("GET", "/api/vendors?limit=5&text=kucing%20besar&kind=shop")).await;
        let read: Value = serde_json::from_str(first.json()["items"][0]["name"].as_str().unwrap()).unwrap();
        assert_eq!(read, json!({ "limit": 5, "text": "kucing besar", "kind": "shop", "cursor": null }));
        let link = first.header("link").unwrap();
        let next = "/api/vendors?limit=5&text=kucing%20besar&kind=shop&cursor=after%20this%2Bone";
        assert_eq!(link, format!("<{next}>; rel=\"next\""));

        let second = Answer::to(stack.request("GET", next)).await;
        let read: Value = serde_json::from_str(second.json()["items"][0]["name"].as_str().unwrap()).unwrap();
        assert_eq!(read["cursor"], "after this+one");
        assert_eq!(second.header("link"), None);
    });
}

#[test]
fn what_is_created_is_found_at_its_location_and_a_replay_says_so() {
    with_stack(async |stack| {
        let create = |name: &str, key: Option<&str>| {
            let request = stack.request("POST", "/api/v1/vendors").bearer_auth(stack.token(&[Role::Customer]));
            let request = request.json(&json!({ "name": name, "kind": "clinic" }));
            Answer::to(key.into_iter().fold(request, |request, key| request.header("idempotency-key", key)))
        };
        let created = create("Paws", Some("order-1")).await;
        let location = format!("/api/v1/vendors/{}", created.json()["id"].as_str().unwrap());
        assert_eq!((created.status, created.header("location")), (201, Some(location.as_str())));
        assert_eq!(created.header("idempotency-replayed"), None);
        assert_eq!(created.seen()["idempotencyKey"], "order-1");

        let replayed = create("again", None).await;
        assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
        assert!(replayed.seen()["idempotencyKey"].is_string(), "one is made where none is given");
    });
}

#[test]
fn versions_travel_and_an_empty_answer_is_204() {
    with_stack(async |stack| {
        let path = format!("/api/v1/vendors/{}", VendorId::new());
        let token = stack.token(&[Role::Customer]);
        let put = stack.request("PUT", &path).bearer_auth(&token).header("if-match", "\"7\"");
        let updated = Answer::to(put.json(&json!({ "name": "New", "kind": "shop" }))).await;
        assert_eq!((updated.status, &updated.seen()["ifMatch"]), (200, &json!(7)));

        let removed = Answer::to(stack.request("DELETE", &path).bearer_auth(&token)).await;
        assert_eq!((removed.status, removed.text.as_str()), (204, ""));
        assert_eq!(removed.header("content-type"), None);
    });
}

#[test]
fn correlation_and_trace_go_through_and_come_back() {
    with_stack(async |stack| {
        let read = || stack.request("GET", &format!("/api/v1/vendors/{}", VendorId::new()));
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let given = Answer::to(read().header("x-correlation-id", "mine-1").header("traceparent", parent)).await;
        assert_eq!(given.header("x-correlation-id"), Some("mine-1"));
        assert_eq!(given.seen()["correlationId"], "mine-1");
        assert!(given.seen()["traceparent"].as_str().unwrap().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));

        let made = Answer::to(read().header("x-correlation-id", "no spaces please")).await;
        let correlation_id = made.header("x-correlation-id").unwrap();
        assert_ne!(correlation_id, "no spaces please");
        assert_eq!(made.seen()["correlationId"], correlation_id);
    });
}

#[test]
fn head_and_options_are_answered() {
    with_stack(async |stack| {
        let head = Answer::to(stack.request("HEAD", "/api/v1/vendors")).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        let options = Answer::to(stack.request("OPTIONS", "/api/v1/vendors")).await;
        assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    });
}
