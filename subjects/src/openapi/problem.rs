//! Problem documents (RFC 9457): their schema, and a response for each error code.

use super::headers::{WHERE_FALLING_BACK, WHERE_KEPT, refusal_headers};
use crate::documents::SCHEMA_REFERENCE;
use crate::error::ErrorCode;
use crate::operation::Operation;
use crate::service_error::ErrorReason;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The media type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The kind of problem, for people: the same for every problem of a code (RFC 9457, `title`).
pub fn title(code: ErrorCode) -> String {
    let words = code.as_str().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The kind of problem, for programs (RFC 9457, `type`).
pub fn type_uri(reason: &str) -> String {
    format!("urn:petpro:problem:{reason}")
}

/// The schemas of a problem document.
pub(super) fn schemas(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let code = generator.subschema_for::<ErrorCode>().to_value();
    let problem = json!({
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "`urn:petpro:problem:` and the reason." },
            "title": { "type": "string", "description": "The kind of problem, for people." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status." },
            "detail": { "type": "string", "description": "What went wrong, for people." },
            "instance": { "type": "string", "description": "The path that was asked for." },
            "code": code,
            "reason": {
                "type": "string",
                "description": "The finer kind, for programs. It stays the same for ever; where nothing finer is known it is the code.",
            },
            "correlationId": { "type": "string", "description": "To be named when asking for help." },
            "errors": {
                "type": "array",
                "description": "All that is wrong with the request, for bad input.",
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": {
                            "type": "string",
                            "description": "A JSON Pointer (RFC 6901) into the request: its path, query and body fields as one object.",
                        },
                        "detail": { "type": "string", "description": "What is wrong there." },
                    },
                    "required": ["pointer", "detail"],
                },
            },
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "reason", "correlationId"],
    });
    Map::from_iter([("Problem".to_owned(), problem)])
}

/// One response for each error code, one for each code that a service has reasons of its own for, and those without a
/// problem that all operations share; kept once.
pub(super) fn responses<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Value {
    let by_code = ErrorCode::ALL.into_iter().map(|code| (code.as_str().to_owned(), response(code, &[])));
    let mut responses: Map<String, Value> = by_code.collect();
    let mut own: BTreeMap<(&str, ErrorCode), Vec<OwnReason>> = BTreeMap::new();
    for operation in operations {
        for reason in (operation.errors)() {
            let reasons = own.entry((operation.service, reason.code)).or_default();
            let own_reason = OwnReason { service: operation.service, reason };
            if !reasons.contains(&own_reason) {
                reasons.push(own_reason);
            }
        }
    }
    for ((service, code), reasons) in own {
        responses.insert(name_of_service(code, service), response(code, &reasons));
    }
    let not_modified = json!({
        "description": "What the client has, as `If-None-Match` says, is what there is.",
        "headers": refusal_headers(&[&[("ETag", "etag"), ("Vary", "vary"), WHERE_FALLING_BACK], &WHERE_KEPT[..]].concat()),
    });
    responses.insert("not_modified".to_owned(), not_modified);
    let too_large = json!({ "description": "The headers are larger than allowed; told without a body." });
    responses.insert("headers_too_large".to_owned(), too_large);
    Value::Object(responses)
}

/// A reference to the response of a code for which a service has reasons of its own.
pub(super) fn of_service(code: ErrorCode, service: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name_of_service(code, service)) })
}

fn name_of_service(code: ErrorCode, service: &str) -> String {
    format!("{service}.{}", code.as_str())
}

/// A reference to the response of a code.
pub(super) fn common(code: ErrorCode) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", code.as_str()) })
}

/// A refusal of a service's own.
#[derive(Clone, Copy, PartialEq)]
struct OwnReason {
    /// The service that refuses.
    pub service: &'static str,
    /// What it says.
    pub reason: &'static ErrorReason,
}

impl OwnReason {
    /// Its name among the examples: another service may use the same reason with other words.
    fn example_name(self) -> String {
        format!("{}.{}", self.service, self.reason.reason)
    }
}

/// The response of a code to which an operation adds reasons of its own.
fn response(code: ErrorCode, own: &[OwnReason]) -> Value {
    let names = own.iter().map(|own| own.example_name()).chain([code.as_str().to_owned()]);
    let reference = |name: String| json!({ "$ref": format!("#/components/examples/{name}") });
    let examples: Map<String, Value> = names.map(|name| (name.clone(), reference(name))).collect();
    let mut more = vec![];
    if matches!(code, ErrorCode::Conflict | ErrorCode::RateLimited | ErrorCode::Unavailable) {
        more.push(("Retry-After", "retryAfter"));
    }
    if code == ErrorCode::Unauthenticated {
        more.push(("WWW-Authenticate", "authenticate"));
    }
    if code == ErrorCode::MethodNotAllowed {
        more.push(("Allow", "allow"));
    }
    json!({
        "description": description(code),
        "headers": refusal_headers(&more),
        "content": {
            PROBLEM_JSON: { "schema": { "$ref": format!("{SCHEMA_REFERENCE}Problem") }, "examples": examples },
        },
    })
}

/// An example of each problem, kept once: of every code, and of every reason that the operations have.
pub(super) fn examples<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Value {
    let of_codes = ErrorCode::ALL.into_iter().map(|code| {
        let reason = if code == ErrorCode::BadRequest { "invalid_request" } else { code.as_str() };
        (code.as_str().to_owned(), example(code, reason, description(code)))
    });
    let mut examples: Map<String, Value> = of_codes.collect();
    for operation in operations {
        for reason in (operation.errors)() {
            let own = OwnReason { service: operation.service, reason };
            examples.insert(own.example_name(), example(reason.code, reason.reason, reason.message));
        }
    }
    Value::Object(examples)
}

fn example(code: ErrorCode, reason: &str, detail: &str) -> Value {
    let mut problem = json!({
        "type": type_uri(reason),
        "title": title(code),
        "status": code.status(),
        "detail": detail,
        "instance": "/api/v1/bookings",
        "code": code.as_str(),
        "reason": reason,
        "correlationId": "0190a000-0000-7000-8000-000000000000",
    });
    if let ("invalid_request", Some(problem)) = (reason, problem.as_object_mut()) {
        problem.insert(
            "errors".to_owned(),
            json!([{ "pointer": "/limit", "detail": "is greater than the maximum of 100" }]),
        );
    }
    json!({ "summary": detail, "value": problem })
}

/// When a code is answered.
const fn description(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadRequest => "The request is malformed or breaks a rule.",
        ErrorCode::Unauthenticated => "A valid access token is needed.",
        ErrorCode::Forbidden => "The caller may not do this.",
        ErrorCode::NotFound => "There is no such thing, or the caller may not know of it.",
        ErrorCode::MethodNotAllowed => "The path exists, but not for this method.",
        ErrorCode::NotAcceptable => "No representation that the caller accepts.",
        ErrorCode::RequestTimeout => "The request was not sent completely in time.",
        ErrorCode::Conflict => "The current state does not allow it, or the same request is still running.",
        ErrorCode::Gone => "It was there and is not any more.",
        ErrorCode::PreconditionFailed => "If-Match names a version that is not the current one.",
        ErrorCode::PayloadTooLarge => "The body is larger than allowed.",
        ErrorCode::UnsupportedMediaType => "The body's content type is not understood.",
        ErrorCode::Unprocessable => "The idempotency key was used before with another body.",
        ErrorCode::PreconditionRequired => "The change needs If-Match.",
        ErrorCode::RateLimited => "Too many requests.",
        ErrorCode::Internal => "Something went wrong on our side.",
        ErrorCode::Unavailable => "A part that is needed is away or too busy.",
        ErrorCode::DeadlineExceeded => "There was no answer within the deadline.",
    }
}
