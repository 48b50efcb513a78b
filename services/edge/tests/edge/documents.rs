//! Health and documents.

use crate::documented::DOCUMENT;
use crate::stack::{Answer, with_stack};
use std::collections::BTreeSet;
use subjects::openapi::PREFIXES;
use subjects::{asyncapi, catalogue, openapi};

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
            let answer = Answer::to(stack.request("GET", path)).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
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

/// The method and path of every operation in the document, at each server, with something in place of its fields.
fn documented() -> Vec<(String, String)> {
    let mut found = vec![];
    for (template, item) in DOCUMENT["paths"].as_object().unwrap() {
        let mut path = template.clone();
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            let value = if path.contains("/docs/") { "index.css" } else { "7" };
            path.replace_range(start..=end, value);
        }
        let is_alone = item.get("servers").is_some();
        let methods = item.as_object().unwrap().keys().filter(|key| *key != "servers");
        for method in methods {
            for prefix in PREFIXES.iter().filter(|prefix| prefix.is_empty() || !is_alone) {
                found.push((method.to_uppercase(), format!("{prefix}{path}")));
            }
        }
    }
    found
}

#[test]
fn the_edge_answers_everything_that_is_documented() {
    with_stack(async |stack| {
        let documented = documented();
        assert!(documented.len() > 200);
        for (method, path) in documented {
            // A body that is not JSON: nothing that is taken gets beyond the edge.
            let request = stack.request(&method, &path).bearer_auth(stack.token(&[]));
            let request =
                if method == "GET" { request } else { request.body("x").header("content-type", "text/plain") };
            let answer = Answer::to(request.timeout(std::time::Duration::from_secs(30))).await;
            let is_there = !matches!(answer.status, 404 | 405);
            assert!(is_there, "{method} {path}: {answer:?}");
        }
    });
}

#[test]
fn everything_that_the_edge_answers_is_documented() {
    let mut expected: BTreeSet<(String, String)> = BTreeSet::new();
    let resources = edge::routes::resources(catalogue::operations()).unwrap();
    for resource in resources {
        let methods = resource.allow();
        for mount in resource.mounts() {
            for method in methods.split(", ").filter(|method| !matches!(*method, "HEAD" | "OPTIONS")) {
                expected.insert((method.to_lowercase(), mount.template[mount.prefix.len()..].to_owned()));
            }
            let item = &DOCUMENT["paths"][&mount.template[mount.prefix.len()..]];
            let is_deprecated = |method: &str| item[method]["deprecated"] == true;
            let method = methods.split(", ").next().unwrap().to_lowercase();
            if item.get(&method).is_some() {
                assert_eq!(is_deprecated(&method), mount.mirror.is_some(), "{}", mount.template);
            }
        }
    }
    for own in
        ["/health", "/health/live", "/health/ready", "/openapi.json", "/asyncapi.json", "/docs", "/docs/", "/api/docs"]
    {
        expected.insert(("get".to_owned(), own.to_owned()));
    }
    for (method, path) in expected {
        assert!(DOCUMENT["paths"][&path][&method].is_object(), "{method} {path} is not documented");
    }
    assert_eq!(DOCUMENT["servers"].as_array().unwrap().len(), PREFIXES.len());
}

#[test]
fn every_change_of_an_entity_is_documented_to_need_its_version() {
    for operation in catalogue::operations() {
        for rest in operation.rest.iter().filter(|rest| matches!(rest.method.as_str(), "PUT" | "PATCH")) {
            let described = &DOCUMENT["paths"][rest.path][rest.method.as_str().to_lowercase()];
            for status in ["412", "428"] {
                assert!(described["responses"][status].is_object(), "{}: {status}", operation.subject);
            }
            let parameters = described["parameters"].to_string();
            assert!(parameters.contains("#/components/parameters/ifMatch\""), "{}", operation.subject);
        }
    }
}
