//! Every way to be refused is a problem document.

use crate::stack::{Answer, Stack, logged, with_stack};
use serde_json::{Value, json};
use subjects::Role;
use subjects::ids::VendorId;

/// Checks an answer to be a whole problem document, and gives it.
#[track_caller]
fn check_problem(answer: &Answer, status: u16, reason: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!(problem["reason"], reason, "{problem}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("urn:petpro:problem:{reason}"));
    assert_eq!(problem["correlationId"].as_str(), answer.header("x-correlation-id"));
    for text in ["title", "detail", "instance", "code"] {
        assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    problem
}

#[track_caller]
fn check_pointers(problem: &Value, expected: &[&str]) {
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, expected, "{problem}");
}

fn some_vendor() -> String {
    format!("/api/v1/vendors/{}", VendorId::new())
}

fn new_vendor(stack: &Stack) -> reqwest::RequestBuilder {
    stack.request("POST", "/api/v1/vendors").bearer_auth(stack.token(&[Role::Customer]))
}

#[test]
fn an_unknown_path_and_a_method_that_a_path_does_not_have() {
    with_stack(async |stack| {
        for path in ["/nothing", "/api/v2/vendors", "/api/v1/vendors/", "/docs/nothing.js"] {
            check_problem(&Answer::to(stack.request("GET", path)).await, 404, "not_found");
        }
        let refused = Answer::to(stack.request("PATCH", "/api/v1/vendors")).await;
        check_problem(&refused, 405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
        let refused = Answer::to(stack.request("POST", "/openapi.json")).await;
        check_problem(&refused, 405, "method_not_allowed");
        assert!(refused.header("allow").is_some_and(|allow| allow.contains("GET")));
    });
}

#[test]
fn every_violation_is_named_at_once() {
    with_stack(async |stack| {
        let query = "/api/v1/vendors?limit=500&kind=zoo&colour=blue&text=a&text=b";
        let problem = check_problem(&Answer::to(stack.request("GET", query)).await, 400, "invalid_request");
        check_pointers(&problem, &["/colour", "/kind", "/limit", "/text"]);
        assert!(!problem.to_string().contains("zoo"), "values are not repeated: {problem}");

        let body = json!({ "kind": "clinic", "name": "", "colour": "blue", "email": 5 });
        let problem = check_problem(&Answer::to(new_vendor(stack).json(&body)).await, 400, "invalid_request");
        check_pointers(&problem, &["/colour", "/email", "/name", "/name"]);

        let put = stack.request("PUT", &format!("{}?name=x", some_vendor())).bearer_auth(stack.token(&[]));
        let body = json!({ "id": VendorId::new(), "kind": "clinic" });
        let problem = check_problem(&Answer::to(put.json(&body)).await, 400, "invalid_request");
        check_pointers(&problem, &["/id", "/name", "/name"]);

        let bad_id = Answer::to(stack.request("GET", "/api/v1/vendors/seven")).await;
        check_pointers(&check_problem(&bad_id, 400, "invalid_request"), &["/id"]);
    });
}

#[test]
fn a_body_must_be_a_small_flat_json_object() {
    with_stack(async |stack| {
        let send = async |content_type: &str, body: Vec<u8>| {
            Answer::to(new_vendor(stack).header("content-type", content_type).body(body)).await
        };
        let json = "application/json";
        check_problem(&send("text/plain", b"name=x".to_vec()).await, 415, "unsupported_media_type");
        check_problem(&send(json, b"{\"name\":".to_vec()).await, 400, "malformed_json");
        check_problem(&send(json, b"{\"name\":\"\xff\"}".to_vec()).await, 400, "invalid_utf8");
        check_problem(&send(json, b"[1]".to_vec()).await, 400, "invalid_request");
        let deep = format!("{{\"name\":{}{}}}", "[".repeat(40), "]".repeat(40));
        check_problem(&send(json, deep.into_bytes()).await, 400, "too_deep");
        check_problem(&send(json, vec![b' '; 256 * 1024 + 1]).await, 413, "payload_too_large");
        check_problem(&send(json, Vec::new()).await, 400, "invalid_request");

        let with_body = stack.request("GET", "/api/v1/vendors").json(&json!({ "limit": 1 }));
        check_problem(&Answer::to(with_body).await, 400, "invalid_request");
    });
}

#[test]
fn bad_bytes_in_path_and_query() {
    with_stack(async |stack| {
        check_problem(&Answer::to(stack.request("GET", "/vendors/%ff")).await, 400, "malformed_path");
        check_problem(&Answer::to(stack.request("GET", "/vendors?text=%ff")).await, 400, "malformed_query");
    });
}

#[test]
fn conditions_that_cannot_be_read() {
    with_stack(async |stack| {
        let put = |etag: Option<&str>| {
            let request = stack.request("PUT", &some_vendor()).bearer_auth(stack.token(&[Role::Customer]));
            let request = request.json(&json!({ "name": "New", "kind": "clinic" }));
            Answer::to(etag.into_iter().fold(request, |request, etag| request.header("if-match", etag)))
        };
        for bad in ["7", "W/\"7\"", "*"] {
            check_problem(&put(Some(bad)).await, 400, "malformed_if_match");
        }
        check_problem(&put(None).await, 428, "precondition_required");
        check_problem(&put(Some("\"6\"")).await, 412, "precondition_failed");
        let body = json!({ "name": "x", "kind": "clinic" });
        let bad_key = new_vendor(stack).json(&body).header("idempotency-key", "two words");
        check_problem(&Answer::to(bad_key).await, 400, "malformed_idempotency_key");
    });
}

#[test]
fn a_service_refuses_fails_is_slow_or_is_away() {
    with_stack(async |stack| {
        let admin = stack.token(&[Role::PlatformAdmin]);
        let act = |action: &str, body: Value| {
            let path = format!("{}/{action}", some_vendor());
            Answer::to(stack.request("POST", &path).bearer_auth(&admin).json(&body))
        };
        let refused = act("reject", json!({ "reason": "too small" })).await;
        let problem = check_problem(&refused, 409, "vendor_wrong_state");
        assert_eq!(problem["code"], "conflict");

        let failed = act("submit", json!({})).await;
        check_problem(&failed, 500, "internal");
        assert!(!failed.text.contains("hunter2"));

        check_problem(&act("suspend", json!({ "reason": "slow" })).await, 504, "deadline_exceeded");

        let away = Answer::to(stack.request("GET", "/api/v1/auth/me").bearer_auth(&admin)).await;
        check_problem(&away, 503, "unavailable");
        assert_eq!(away.header("retry-after"), Some("1"));
    });
}

#[test]
fn a_log_line_says_what_happened_without_saying_too_much() {
    with_stack(async |stack| {
        let (user, token) = stack.user(&[Role::Customer]);
        let path = format!("{}?secret=in-the-query", some_vendor());
        let answer = Answer::to(stack.request("GET", &path).bearer_auth(token)).await;
        let correlation_id = answer.header("x-correlation-id").unwrap();

        let lines = logged();
        let is_it = |line: &&Value| line["target"] == "access" && line["fields"]["correlation.id"] == correlation_id;
        let of_request: Vec<&Value> = lines.iter().filter(is_it).collect();
        let [line] = of_request.as_slice() else { panic!("{of_request:?}") };
        let fields = &line["fields"];
        assert_eq!(fields["http.method"], "GET");
        assert_eq!(fields["http.route"], "/api/v1/vendors/{id}");
        assert_eq!(fields["http.status"], 400);
        assert_eq!(fields["user.id"], user.id.to_string());
        assert!(fields["duration_ms"].is_number());
        assert!(!lines.iter().any(|line| line.to_string().contains("in-the-query")));
    });
}
