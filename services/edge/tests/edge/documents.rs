//! Health and documents.

use crate::stack::{Answer, with_stack};
use subjects::{asyncapi, openapi};

#[test]
fn health_tells_of_every_service() {
    with_stack(async |stack| {
        let health = Answer::to(stack.request("GET", "/health")).await;
        let report = health.json();
        assert_eq!((health.status, &report["status"]), (200, &"degraded".into()), "{report}");
        assert_eq!(report["service"], "edge");
        assert!(report["timestamp"].is_string());
        assert_eq!(report["checks"]["vendor"]["status"], "up");
        assert_eq!(report["checks"]["booking"]["status"], "down");
        assert_eq!(report["checks"]["nats"]["status"], "up");
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(Answer::to(stack.request("GET", path)).await.status, 200);
        }
    });
}

#[test]
fn the_documents_are_those_of_the_contract() {
    with_stack(async |stack| {
        assert_eq!(Answer::to(stack.request("GET", "/openapi.json")).await.json(), openapi::document());
        assert_eq!(Answer::to(stack.request("GET", "/asyncapi.json")).await.json(), asyncapi::document());
    });
}

#[test]
fn the_api_browser_needs_no_other_host() {
    with_stack(async |stack| {
        let moved = Answer::to(stack.request("GET", "/docs")).await;
        assert_eq!(moved.header("location"), Some("/docs/"));
        let page = Answer::to(stack.request("GET", "/docs/")).await;
        assert_eq!(page.status, 200);
        let mut parts: Vec<&str> = vec![];
        for attribute in ["src=\"", "href=\""] {
            parts.extend(page.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
        }
        assert!(parts.iter().any(|part| part.ends_with(".js")) && parts.iter().any(|part| part.ends_with(".css")));
        let mut initializer = String::new();
        for part in parts {
            assert!(!part.contains("//"), "{part} is elsewhere");
            let file = Answer::to(stack.request("GET", &format!("/docs/{}", part.trim_start_matches("./")))).await;
            assert_eq!(file.status, 200, "{part}");
            if part.contains("initializer") {
                initializer = file.text;
            }
        }
        assert!(initializer.contains("/openapi.json"));
        assert!(!initializer.contains("http://") && !initializer.contains("https://"), "{initializer}");
    });
}
