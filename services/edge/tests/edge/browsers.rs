//! What browsers are told: who may read an answer, what to leave alone, and bodies in fewer bytes.

use crate::stack::{Answer, Edge, Stack, with_stack};
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use subjects::ids::VendorId;
use tokio::io::AsyncReadExt;

const ORIGIN: &str = "https://app.example.org";

async fn edge(stack: &Stack) -> Edge {
    stack.another_edge(|settings| settings.set("edge.cors_origins", [ORIGIN]).set("edge.hsts", true)).await
}

fn preflight(edge: &Edge, origin: &str) -> reqwest::RequestBuilder {
    edge.request("OPTIONS", "/api/v1/vendors")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key")
}

#[test]
fn a_listed_origin_may_ask_and_read() {
    with_stack(async |stack| {
        let edge = edge(stack).await;
        let answer = Answer::to(preflight(&edge, ORIGIN)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
        assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"));
        let may_send = answer.header("access-control-allow-headers").unwrap();
        assert!(["authorization", "if-match", "idempotency-key"].iter().all(|name| may_send.contains(name)));
        assert!(answer.header("access-control-max-age").is_some());
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("ratelimit"), None);

        let path = format!("/api/v1/vendors/{}", VendorId::new());
        for (status, path) in [(200, path.as_str()), (400, "/api/v1/vendors?colour=red"), (404, "/nowhere")] {
            let answer = Answer::to(edge.request("GET", path).header("origin", ORIGIN)).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, Some(ORIGIN)));
            let may_read = answer.header("access-control-expose-headers").unwrap();
            assert!(["etag", "ratelimit", "x-correlation-id"].iter().all(|name| may_read.contains(name)));
            let vary = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap());
            assert!(vary.collect::<Vec<&str>>().join(",").contains("origin"));
        }
    });
}

#[test]
fn any_other_origin_is_told_nothing() {
    with_stack(async |stack| {
        let edge = edge(stack).await;
        for foreign in ["https://evil.example.org", "http://app.example.org", "null"] {
            let answer = Answer::to(preflight(&edge, foreign)).await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{foreign}");
            let answer = Answer::to(edge.request("GET", "/api/v1/vendors").header("origin", foreign)).await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{foreign}");
        }
        // Nor is anybody where no origin is listed.
        let answer = Answer::to(stack.request("GET", "/api/v1/vendors").header("origin", ORIGIN)).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    });
}

#[test]
fn what_a_path_can_do_may_be_asked_beside_preflights() {
    with_stack(async |stack| {
        let answer = Answer::to(edge(stack).await.request("OPTIONS", "/api/v1/vendors")).await;
        assert_eq!((answer.status, answer.header("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    });
}

#[test]
fn every_answer_tells_browsers_what_to_leave_alone() {
    with_stack(async |stack| {
        let edge = edge(stack).await;
        for path in ["/api/v1/vendors", "/nowhere", "/health/live", "/openapi.json", "/docs/"] {
            let answer = Answer::to(edge.request("GET", path)).await;
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
            assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}");
            // The API browser has scripts and styles; data has nothing to load.
            assert_eq!(policy.contains("default-src 'none'"), path != "/docs/", "{path}");
        }
        let plain = Answer::to(stack.request("GET", "/health/live")).await;
        assert_eq!(plain.header("strict-transport-security"), None);
    });
}

#[test]
fn a_large_answer_is_compressed_as_its_client_has_it() {
    with_stack(async |stack| {
        let plain = Answer::to(stack.request("GET", "/openapi.json")).await;
        assert_eq!(plain.header("content-encoding"), None);
        for (accepted, chosen) in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0.1, br", "br")] {
            let request = stack.request("GET", "/openapi.json").header("accept-encoding", accepted);
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["content-encoding"], chosen, "{accepted}");
            let vary = response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap());
            assert!(vary.collect::<Vec<&str>>().join(",").contains("accept-encoding"));
            let body = response.bytes().await.unwrap();
            assert!(body.len() < plain.text.len() / 2, "{accepted}: {} of {}", body.len(), plain.text.len());
            assert_eq!(decoded(chosen, &body).await, plain.text);
        }
        let small = Answer::to(stack.request("GET", "/health/live").header("accept-encoding", "gzip, br, zstd")).await;
        assert_eq!((small.header("content-encoding"), small.text.as_str()), (None, r#"{"status":"ok"}"#));
    });
}

async fn decoded(encoding: &str, body: &[u8]) -> String {
    let mut text = String::new();
    match encoding {
        "gzip" => GzipDecoder::new(body).read_to_string(&mut text).await,
        "br" => BrotliDecoder::new(body).read_to_string(&mut text).await,
        _ => ZstdDecoder::new(body).read_to_string(&mut text).await,
    }
    .unwrap();
    text
}
