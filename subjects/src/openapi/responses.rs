//! Responses of an operation: its success, the errors that every operation of its kind shares, and its own.

use super::content::{Sources, contents};
use super::headers::{WHERE_FALLING_BACK, WHERE_KEPT, headers};
use super::places::takes_version;
use super::problem;
use super::route::Route;
use crate::access::Access;
use crate::error::ErrorCode;
use crate::request::{Effect, Method};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The responses of all routes that share a path and a method.
pub(super) fn responses(sharing: &[Route<'_>], sources: &Sources<'_>, schemas: &mut Map<String, Value>) -> Value {
    let mut by_status: BTreeMap<u16, Value> = BTreeMap::new();
    let successes: BTreeSet<u16> = sharing.iter().map(|route| route.rest.status).collect();
    for status in successes {
        let answering: Vec<&Route<'_>> = sharing.iter().filter(|route| route.rest.status == status).collect();
        let success = success(&answering, sources, schemas);
        if answering.iter().any(|route| route.rest.method == Method::Get && !route.is_stream()) {
            by_status.insert(304, json!({ "$ref": "#/components/responses/not_modified" }));
        }
        by_status.insert(status, success);
    }
    by_status.insert(431, json!({ "$ref": "#/components/responses/headers_too_large" }));

    for code in sharing.iter().flat_map(common_codes) {
        by_status.insert(code.status(), problem::common(code));
    }
    // Operations that share a path are one service's.
    for route in sharing {
        for reason in (route.operation.errors)() {
            by_status.insert(reason.code.status(), problem::of_service(reason.code, route.operation.service));
        }
    }
    Value::Object(by_status.into_iter().map(|(status, response)| (status.to_string(), response)).collect())
}

/// What any operation of this kind may be refused for.
fn common_codes(route: &Route<'_>) -> BTreeSet<ErrorCode> {
    use ErrorCode::*;
    // A token that does not hold is refused even where none is needed.
    let mut codes = BTreeSet::from([BadRequest, Unauthenticated, RateLimited, Internal, Unavailable, DeadlineExceeded]);
    if route.reply.is_some() {
        codes.insert(NotAcceptable);
    }
    if (route.rest.method == Method::Get && !route.is_stream()) || takes_version(route.rest) {
        codes.insert(PreconditionFailed);
    }
    if !route.operation.access.is_public() && route.operation.access != Access::SIGNED_IN {
        codes.insert(Forbidden);
    }
    if route.rest.path_fields().next().is_some() {
        codes.insert(NotFound);
    }
    if route.rest.method.has_body() {
        codes.extend([RequestTimeout, PayloadTooLarge, UnsupportedMediaType]);
    }
    if route.operation.effect == Effect::Keyed {
        codes.extend([Conflict, Unprocessable]);
    }
    if matches!(route.rest.method, Method::Put | Method::Patch) {
        codes.insert(PreconditionRequired);
    }
    codes
}

fn success(answering: &[&Route<'_>], sources: &Sources<'_>, schemas: &mut Map<String, Value>) -> Value {
    let mut by_type: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for route in answering {
        for (media_type, schema) in contents(route, sources, schemas) {
            let known = by_type.entry(media_type).or_default();
            if !known.contains(&schema) {
                known.push(schema);
            }
        }
    }
    let created = answering.iter().any(|route| route.rest.status == 201);
    let mut success = json!({
        "description": if created { "Created." } else { "Done." },
        "headers": success_headers(answering),
    });
    let contents: Map<String, Value> = by_type
        .into_iter()
        .map(|(media_type, schemas)| {
            let schema = match schemas.as_slice() {
                [only] => only.clone(),
                several => json!({ "oneOf": several }),
            };
            (media_type.to_owned(), json!({ "schema": schema }))
        })
        .collect();
    if let (false, Some(success)) = (contents.is_empty(), success.as_object_mut()) {
        success.insert("content".to_owned(), Value::Object(contents));
    }
    success
}

fn success_headers(answering: &[&Route<'_>]) -> Map<String, Value> {
    let mut more = vec![("Vary", "vary")];
    for route in answering {
        if route.is_stream() {
            more.push(("X-Accel-Buffering", "accelBuffering"));
            continue;
        }
        if route.reply_shape.has("version") || route.rest.method == Method::Get {
            more.push(("ETag", "etag"));
        }
        if route.operation.cache.is_some() {
            more.extend(WHERE_KEPT);
        }
        if route.operation.may_fall_back().next().is_some() {
            more.push(WHERE_FALLING_BACK);
        }
        if route.reply_shape.has("nextCursor") {
            more.push(("Link", "link"));
        }
        if route.rest.status == 201 && route.reply_shape.has("id") && route.location.is_some() {
            more.push(("Location", "location"));
        }
        if route.operation.effect == Effect::Keyed {
            more.push(("Idempotency-Replayed", "idempotencyReplayed"));
        }
    }
    headers(&more)
}
