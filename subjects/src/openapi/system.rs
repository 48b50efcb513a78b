//! The paths that the edge answers by itself: health, and the documents.

use super::headers::headers;
use super::problem;
use crate::error::ErrorCode;
use serde_json::{Map, Value, json};

/// The tag of all of them.
pub(super) const TAG: &str = "platform";

/// Their path items.
pub(super) fn paths() -> Vec<(&'static str, Value)> {
    let health = json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["ok", "degraded", "down"] },
            "service": { "type": "string" },
            "timestamp": { "type": "string", "format": "date-time" },
            "checks": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": { "status": { "type": "string", "enum": ["up", "down"] } },
                    "required": ["status"],
                },
            },
        },
        "required": ["status", "service", "timestamp", "checks"],
    });
    let state = json!({
        "type": "object",
        "properties": { "status": { "type": "string", "enum": ["ok", "not ready"] } },
        "required": ["status"],
    });
    let document = json!({ "type": "object" });
    let page = json!({ "type": "string" });
    let ok = |media_type: &str, schema: &Value| (200, answer("As asked for.", Some((media_type, schema)), &[]));
    let unready =
        |description: &str, schema: &Value| (503, answer(description, Some(("application/json", schema)), &[]));
    let kept = |media_type: &str, schema: &Value| {
        (200, answer("As asked for.", Some((media_type, schema)), &[("ETag", "etag"), ("Vary", "vary")]))
    };
    let unchanged = || (304, answer("As the client has it.", None, &[("ETag", "etag"), ("Vary", "vary")]));
    let moved = |status| (status, answer("At `/docs/`.", None, &[("Location", "location")]));
    let missing = || (404, problem::common(ErrorCode::NotFound));
    let json = "application/json";
    vec![
        (
            "/health",
            get(
                "health",
                "The state of every service",
                vec![ok(json, &health), unready("Nothing can be answered at all.", &health)],
            ),
        ),
        ("/health/live", get("health-live", "Whether the process runs", vec![ok(json, &state)])),
        (
            "/health/ready",
            get(
                "health-ready",
                "Whether the process may be sent requests",
                vec![ok(json, &state), unready("Not now.", &state)],
            ),
        ),
        ("/openapi.json", conditional("openapi", "This document", vec![kept(json, &document), unchanged()])),
        (
            "/asyncapi.json",
            conditional("asyncapi", "The messages behind it (AsyncAPI)", vec![kept(json, &document), unchanged()]),
        ),
        ("/docs", get("docs-moved", "The API browser", vec![moved(303)])),
        ("/api/docs", get("api-docs-moved", "The API browser", vec![moved(308)])),
        ("/docs/", get("docs", "The API browser", vec![ok("text/html", &page)])),
        (
            "/docs/{file}",
            with_file(get("docs-file", "A part of the API browser", vec![ok("*/*", &json!({})), missing()])),
        ),
    ]
}

fn answer(description: &str, content: Option<(&str, &Value)>, more: &[(&str, &str)]) -> Value {
    let mut answer = json!({ "description": description, "headers": headers(more) });
    if let (Some((media_type, schema)), Some(answer)) = (content, answer.as_object_mut()) {
        answer.insert("content".to_owned(), json!({ media_type: { "schema": schema } }));
    }
    answer
}

fn get(operation_id: &str, summary: &str, responses: Vec<(u16, Value)>) -> Value {
    let responses: Map<String, Value> =
        responses.into_iter().map(|(status, response)| (status.to_string(), response)).collect();
    json!({
        "servers": [{ "url": "/" }],
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "tags": [TAG],
            "security": [],
            "parameters": [{ "$ref": "#/components/parameters/correlationId" }],
            "responses": responses,
        },
    })
}

fn conditional(operation_id: &str, summary: &str, responses: Vec<(u16, Value)>) -> Value {
    let mut item = get(operation_id, summary, responses);
    if let Some(Value::Array(parameters)) = item.pointer_mut("/get/parameters") {
        parameters.push(json!({ "$ref": "#/components/parameters/ifNoneMatch" }));
    }
    item
}

fn with_file(mut item: Value) -> Value {
    if let Some(Value::Array(parameters)) = item.pointer_mut("/get/parameters") {
        parameters.push(json!({ "name": "file", "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    item
}
