//! Problem documents (RFC 9457): the one form of every error.

use crate::context::Context;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use subjects::openapi::problem::{PROBLEM_JSON, title, type_uri};
use subjects::{ErrorCode, Fault};

/// A fault as the answer to a request. Its cause is logged here, and only here.
pub fn response(fault: &Fault, context: &Context) -> Response {
    log(fault, context);
    let status = StatusCode::from_u16(fault.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(document(fault, context).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if fault.code == ErrorCode::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, challenge(fault));
    }
    if let Some(milliseconds) = fault.retry_after_ms {
        // Whole seconds (RFC 9110), rounded up: trying again earlier would be too early.
        headers.insert(header::RETRY_AFTER, HeaderValue::from(milliseconds.div_ceil(1_000)));
    }
    response
}

/// The reason of a token that was shown and does not hold.
pub const INVALID_TOKEN: &str = "invalid_token";

/// RFC 6750: no error code where no token was shown.
fn challenge(fault: &Fault) -> HeaderValue {
    match fault.reason == INVALID_TOKEN {
        true => HeaderValue::from_static("Bearer realm=\"petpro\", error=\"invalid_token\""),
        false => HeaderValue::from_static("Bearer realm=\"petpro\""),
    }
}

fn document(fault: &Fault, context: &Context) -> Value {
    let mut document = json!({
        "type": type_uri(&fault.reason),
        "title": title(fault.code),
        "status": fault.code.status(),
        "detail": fault.message,
        "instance": context.path,
        "code": fault.code,
        "reason": fault.reason,
        "correlationId": context.correlation_id,
    });
    let errors: Vec<Value> = fault
        .violations
        .iter()
        .map(|violation| json!({ "pointer": violation.pointer, "detail": violation.message }))
        .collect();
    if let (false, Some(object)) = (errors.is_empty(), document.as_object_mut()) {
        object.insert("errors".to_owned(), Value::Array(errors));
    }
    document
}

fn log(fault: &Fault, context: &Context) {
    if !fault.code.is_ours() || platform::refusals::is_only_counted(fault) {
        return;
    }
    let causes = causes(fault);
    tracing::error!(
        error.code = fault.code.as_str(),
        error.reason = fault.reason.as_ref(),
        error.causes = causes,
        http.route = context.route(),
        correlation.id = context.correlation_id,
        "a request failed on the platform's side"
    );
}

/// The chain of causes, for the log.
fn causes(fault: &Fault) -> String {
    let mut texts = vec![];
    let mut current = std::error::Error::source(fault);
    while let Some(error) = current {
        texts.push(error.to_string());
        current = error.source();
    }
    texts.join(": ")
}

/// An answer that something else than the edge's own handlers made (a router, a static file) as a problem.
pub fn from_plain(status: StatusCode, context: &Context) -> Response {
    let code = ErrorCode::ALL.into_iter().find(|code| code.status() == status.as_u16());
    let fallback = if status.is_server_error() { ErrorCode::Internal } else { ErrorCode::BadRequest };
    let code = code.unwrap_or(fallback);
    let message = match code {
        ErrorCode::NotFound => "there is nothing at this path",
        ErrorCode::MethodNotAllowed => "this path does not take this method",
        _ => "the request could not be answered",
    };
    response(&Fault::new(code, message), context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use std::time::Duration;
    use subjects::Violation;

    fn context() -> std::sync::Arc<Context> {
        let request = Request::builder().uri("/api/v1/bookings?limit=a").header("x-correlation-id", "c-1");
        Context::of(&request.body(()).unwrap(), Duration::from_secs(5))
    }

    #[test]
    fn a_problem_names_everything_and_no_cause() {
        let fault = Fault::invalid(vec![Violation::new("/limit", "is not a number")]).with_source("postgres://secret");
        assert_eq!(
            document(&fault, &context()),
            json!({
                "type": "urn:petpro:problem:invalid_request",
                "title": "Bad request",
                "status": 400,
                "detail": "the request breaks one or more rules",
                "instance": "/api/v1/bookings",
                "code": "bad_request",
                "reason": "invalid_request",
                "correlationId": "c-1",
                "errors": [{ "pointer": "/limit", "detail": "is not a number" }],
            })
        );
    }

    #[test]
    fn headers_follow_the_fault() {
        let retry = response(&Fault::unavailable(1_001), &context());
        assert_eq!(retry.status(), 503);
        assert_eq!(retry.headers()["retry-after"], "2");
        let anonymous = response(&Fault::unauthenticated(), &context());
        assert_eq!(anonymous.headers()["www-authenticate"], "Bearer realm=\"petpro\"");
        assert_eq!(anonymous.headers()["content-type"], "application/problem+json");
    }
}
