//! One line for each request: what was asked for and how it went, without ids from paths, queries or personal data.

use crate::context::Context;
use http::{Method, StatusCode};

/// Writes the line.
pub fn write(method: &Method, status: StatusCode, context: &Context) {
    let duration_ms = context.started.elapsed().as_secs_f64() * 1_000.0;
    tracing::event!(
        target: "access",
        tracing::Level::INFO,
        http.method = method.as_str(),
        http.route = context.route().unwrap_or("none"),
        http.status = status.as_u16(),
        duration_ms = (duration_ms * 100.0).round() / 100.0,
        correlation.id = context.correlation_id,
        trace.id = platform::trace::trace_id(&context.traceparent),
        user.id = context.user().map(tracing::field::display),
        "request answered"
    );
}
