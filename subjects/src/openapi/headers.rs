//! The headers of answers.

use crate::fallback::Fallback;
use serde_json::{Map, Value, json};

/// What every answer has: header and component.
const EVERYWHERE: [(&str, &str); 8] = [
    ("x-correlation-id", "correlationId"),
    ("RateLimit", "rateLimit"),
    ("RateLimit-Policy", "rateLimitPolicy"),
    ("Cache-Control", "cacheControl"),
    ("Content-Security-Policy", "contentSecurityPolicy"),
    ("X-Content-Type-Options", "contentTypeOptions"),
    ("X-Frame-Options", "frameOptions"),
    ("Referrer-Policy", "referrerPolicy"),
];
/// What answers have that may have been kept.
pub(super) const WHERE_KEPT: [(&str, &str); 2] = [("Cache-Status", "cacheStatus"), ("Age", "age")];
/// What answers have that may stand in for better ones.
pub(super) const WHERE_FALLING_BACK: (&str, &str) = ("X-Fallback", "fallback");
/// What answers at deprecated paths have beside it.
const WHERE_DEPRECATED: [(&str, &str); 2] = [("Deprecation", "deprecation"), ("Link", "link")];

/// The headers of an answer: what every one has, and these.
pub(super) fn headers(more: &[(&str, &str)]) -> Map<String, Value> {
    EVERYWHERE.iter().chain(more).map(|(name, component)| ((*name).to_owned(), reference(component))).collect()
}

/// The headers of a refusal, which is described once for all paths, those that are deprecated included.
pub(super) fn refusal_headers(more: &[(&str, &str)]) -> Map<String, Value> {
    headers(&[&WHERE_DEPRECATED, more].concat())
}

/// Adds what a deprecated path has to the answers of an operation that are not described for all paths.
pub(super) fn deprecate(responses: &mut Value) {
    let responses = responses.as_object_mut().into_iter().flat_map(|responses| responses.values_mut());
    for headers in responses.filter_map(|response| response.get_mut("headers")?.as_object_mut()) {
        headers.extend(WHERE_DEPRECATED.map(|(name, component)| (name.to_owned(), reference(component))));
    }
}

fn reference(component: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{component}") })
}

/// The response headers, kept once.
pub(super) fn components() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    let only = |description: &str, value: &str| json!({ "description": description, "schema": { "type": "string", "enum": [value] } });
    json!({
        "correlationId": text("The request's correlation id, as given or made."),
        "rateLimit": text("For each budget of the caller how many requests are left, and in how many seconds all will be (draft-ietf-httpapi-ratelimit-headers)."),
        "rateLimitPolicy": text("For each budget of the caller how many requests it has in how many seconds."),
        "cacheControl": text("`no-store` for changes and refusals; for reads `private, no-cache`, or `public, no-cache` where everybody gets the same."),
        "cacheStatus": {
            "description": "What the cache did (RFC 9211): `hit` for an answer that was kept, with `detail=shared` where another instance kept it, and with `detail=stale` where the service is away that could say whether it still holds; `fwd` and why where the service was asked.",
            "schema": { "type": "string", "pattern": "^petpro; (hit|fwd=)" },
        },
        "age": {
            "description": "How many seconds ago the service was asked, for an answer that was kept (RFC 9111).",
            "schema": { "type": "integer", "minimum": 0 },
        },
        "fallback": {
            "description": format!("The answer stands in for a better one, because a part is away: {}.", fallbacks().join("; ")),
            "schema": { "type": "string", "enum": Fallback::ALL.iter().map(|fallback| fallback.as_str()).collect::<Vec<_>>() },
        },
        "vary": text("What the answer depends on beside the URL."),
        "etag": {
            "description": "For a versioned entity its version, to be given in `If-Match`; weak for anything else. Given in `If-None-Match`, it saves the body.",
            "schema": { "type": "string", "pattern": "^(W/)?\"[0-9a-z-]+\"$" },
        },
        "link": text("The next page (`rel=\"next\"`, RFC 8288), where there is one. At a deprecated path also the one that is meant (`rel=\"canonical\"`, RFC 6596), and where to read about it (`rel=\"deprecation\"`, RFC 9745)."),
        "location": {
            "description": "The path of what was created.",
            "schema": { "type": "string", "format": "uri-reference" },
        },
        "idempotencyReplayed": only("The answer is the stored one of an earlier request with the same key.", "true"),
        "retryAfter": {
            "description": "After how many seconds trying again makes sense.",
            "schema": { "type": "integer", "minimum": 0 },
        },
        "deprecation": {
            "description": "At a deprecated path only: since when it is (RFC 9745).",
            "schema": { "type": "string", "pattern": "^@[0-9]+$" },
        },
        "accelBuffering": only("Asks proxies on the way to pass events on as they come.", "no"),
        "authenticate": text("How to sign in (RFC 6750)."),
        "allow": text("The methods that the path has."),
        "contentSecurityPolicy": text("Nothing is to be loaded."),
        "contentTypeOptions": only("The content type is meant.", "nosniff"),
        "frameOptions": only("Not to be shown in a frame.", "DENY"),
        "referrerPolicy": only("Addresses are not to be told.", "no-referrer"),
    })
}

/// Each fallback with its kind.
fn fallbacks() -> Vec<String> {
    Fallback::ALL.iter().map(|fallback| format!("`{fallback}` ({})", fallback.kind().as_str())).collect()
}
