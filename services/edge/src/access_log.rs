//! One line for each request: what was asked for and how it went, without paths, queries, addresses or anything else
//! that could tell of a person, but for the user's id.

use crate::cache::status::Status;
use crate::context::Context;
use axum::response::Response;
use http::Method;
use http_body::Body as _;

/// Writes the line. Sizes are those of the bodies before compression; a body that is made as it goes has none.
pub fn write(method: &Method, request_bytes: Option<u64>, response: &Response, context: &Context) {
    let duration_ms = context.started.elapsed().as_secs_f64() * 1_000.0;
    tracing::event!(
        target: "access",
        tracing::Level::INFO,
        http.method = method_name(method),
        http.route = context.route().unwrap_or("none"),
        http.status = response.status().as_u16(),
        http.request_bytes = request_bytes,
        http.response_bytes = response.body().size_hint().exact(),
        duration_ms = (duration_ms * 100.0).round() / 100.0,
        limits.refused_by = context.refused_by(),
        cache.status = context.cache().map(Status::as_str),
        correlation.id = context.correlation_id,
        trace.id = platform::trace::trace_id(&context.traceparent),
        user.id = context.user().map(tracing::field::display),
        "request answered"
    );
}

/// A client can make a method of any text.
fn method_name(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}
