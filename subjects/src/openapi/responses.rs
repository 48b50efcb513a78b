//! Responses of an operation: its success, the errors that every operation of its kind shares, and its own.

use super::problem::{self, OwnReason};
use super::route::Route;
use crate::access::Access;
use crate::error::ErrorCode;
use crate::request::{Effect, Method};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The responses of all routes that share a path and a method.
pub(super) fn responses(sharing: &[Route<'_>]) -> Value {
    let mut by_status: BTreeMap<u16, Value> = BTreeMap::new();
    let successes: BTreeSet<u16> = sharing.iter().map(|route| route.rest.status).collect();
    for status in successes {
        let answering: Vec<&Route<'_>> = sharing.iter().filter(|route| route.rest.status == status).collect();
        by_status.insert(status, success(&answering));
    }

    let mut own: BTreeMap<ErrorCode, Vec<OwnReason>> = BTreeMap::new();
    for route in sharing {
        for reason in (route.operation.errors)() {
            own.entry(reason.code).or_default().push(OwnReason { service: route.operation.service, reason });
        }
    }
    for code in sharing.iter().flat_map(common_codes) {
        by_status.insert(code.status(), problem::common(code));
    }
    for (code, reasons) in own {
        by_status.insert(code.status(), problem::response(code, &reasons));
    }
    Value::Object(by_status.into_iter().map(|(status, response)| (status.to_string(), response)).collect())
}

/// What any operation of this kind may be refused for.
fn common_codes(route: &Route<'_>) -> BTreeSet<ErrorCode> {
    use ErrorCode::*;
    // A token that does not hold is refused even where none is needed.
    let mut codes = BTreeSet::from([BadRequest, Unauthenticated, Internal, Unavailable, DeadlineExceeded]);
    if !route.operation.access.is_public() && route.operation.access != Access::SIGNED_IN {
        codes.insert(Forbidden);
    }
    if route.rest.path_fields().next().is_some() {
        codes.insert(NotFound);
    }
    if route.rest.method.has_body() {
        codes.extend([PayloadTooLarge, UnsupportedMediaType]);
    }
    if route.operation.effect == Effect::Keyed {
        codes.extend([Conflict, Unprocessable]);
    }
    if matches!(route.rest.method, Method::Put | Method::Patch) {
        codes.extend([PreconditionFailed, PreconditionRequired]);
    }
    codes
}

fn success(answering: &[&Route<'_>]) -> Value {
    let mut schemas: Vec<Value> = answering.iter().filter_map(|route| route.reply.clone()).map(Into::into).collect();
    schemas.dedup();
    let mut headers = Map::new();
    let mut add = |name: &str, component: &str| {
        headers.insert(name.to_owned(), json!({ "$ref": format!("#/components/headers/{component}") }));
    };
    add("x-correlation-id", "correlationId");
    for route in answering {
        if route.reply_shape.has("version") {
            add("ETag", "etag");
        }
        if route.reply_shape.has("nextCursor") {
            add("Link", "link");
        }
        if route.rest.status == 201 && route.reply_shape.has("id") && route.location.is_some() {
            add("Location", "location");
        }
        if route.operation.effect == Effect::Keyed {
            add("Idempotency-Replayed", "idempotencyReplayed");
        }
    }
    let schema = match schemas.as_slice() {
        [] => return json!({ "description": "Done.", "headers": headers }),
        [only] => only.clone(),
        several => json!({ "oneOf": several }),
    };
    let created = answering.iter().any(|route| route.rest.status == 201);
    let description = if created { "Created." } else { "Done." };
    json!({ "description": description, "headers": headers, "content": { "application/json": { "schema": schema } } })
}

/// The response headers, kept once.
pub(super) fn header_components() -> Value {
    json!({
        "correlationId": {
            "description": "The request's correlation id, as given or made.",
            "schema": { "type": "string" },
        },
        "etag": {
            "description": "The entity's version, to be given in `If-Match`.",
            "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" },
        },
        "link": {
            "description": "The next page (`rel=\"next\"`, RFC 8288), where there is one.",
            "schema": { "type": "string" },
        },
        "location": {
            "description": "The path of what was created.",
            "schema": { "type": "string", "format": "uri-reference" },
        },
        "idempotencyReplayed": {
            "description": "`true` when the answer is the stored one of an earlier request with the same key.",
            "schema": { "type": "string", "enum": ["true"] },
        },
        "retryAfter": {
            "description": "After how many seconds trying again makes sense.",
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}
