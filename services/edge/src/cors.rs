//! What pages of other origins may ask and read (CORS): nothing, unless their origin is in the list.

use crate::config::EdgeConfig;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tower::{Layer, ServiceExt};
use tower_http::cors::CorsLayer;

/// How long a browser may remember what a preflight said.
const MAX_AGE: Duration = Duration::from_secs(7_200);

const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

const MAY_SEND: [HeaderName; 10] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("traceparent"),
    crate::cache::minimum_version::MINIMUM_VERSION,
    crate::context::CORRELATION_ID,
];

const MAY_READ: [HeaderName; 14] = [
    header::AGE,
    header::ALLOW,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    crate::cache::status::CACHE_STATUS,
    HeaderName::from_static("deprecation"),
    HeaderName::from_static("idempotency-replayed"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("x-fallback"),
    crate::context::CORRELATION_ID,
];

/// What the configured origins may do; none where there are none. Credentials stay forbidden: the API has no cookies.
///
/// # Errors
/// An origin that no header can hold.
pub fn layer(config: &EdgeConfig) -> anyhow::Result<Option<Arc<CorsLayer>>> {
    if config.cors_origins.is_empty() {
        return Ok(None);
    }
    let origins = config.cors_origins.iter().map(|origin| HeaderValue::from_str(origin));
    let origins = origins.collect::<Result<Vec<HeaderValue>, _>>()?;
    let layer = CorsLayer::new().allow_origin(origins).allow_methods(METHODS).allow_headers(MAY_SEND);
    Ok(Some(Arc::new(layer.expose_headers(MAY_READ).max_age(MAX_AGE))))
}

/// Answers preflights, and tells browsers who may read the other answers.
pub async fn allow(State(layer): State<Arc<CorsLayer>>, request: Request, next: Next) -> Response {
    // The layer takes every OPTIONS for a preflight; without this header it asks what the path can do.
    let is_plain_options =
        request.method() == Method::OPTIONS && !request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if is_plain_options {
        return next.run(request).await;
    }
    let rest = tower::service_fn(move |request: Request| {
        let next = next.clone();
        async move { Ok::<_, Infallible>(next.run(request).await) }
    });
    match layer.layer(rest).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
