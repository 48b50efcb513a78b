//! From a service's reply to an HTTP answer. The body passes through as it is; a few of its fields become headers.

use crate::query;
use crate::routes::{Mount, Route};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::Value;

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The fields of a reply that become headers. Anything else is passed over without being built.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Telling {
    id: Value,
    version: Value,
    next_cursor: Value,
}

impl Telling {
    fn of(body: &[u8]) -> Telling {
        let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if !is_object {
            return Telling::default();
        }
        // A reply that cannot be read has nothing to tell; its client will find out.
        serde_json::from_slice(body).unwrap_or_default()
    }
}

/// The answer to a request that was sent to `uri`.
pub fn response(route: &Route, mount: &Mount, uri: &Uri, body: Bytes, replayed: bool) -> Response {
    let is_empty = body.is_empty() || body.as_ref() == b"null";
    let telling = Telling::of(&body);
    let status = match is_empty {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::from_u16(route.rest.status).unwrap_or(StatusCode::OK),
    };
    let mut response = Response::new(if is_empty { Body::empty() } else { Body::from(body) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !is_empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    // Rules for caches of public reads, and answers of 304, have their place here. Until then nothing is kept.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut tell = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    if let Some(version) = telling.version.as_i64() {
        tell(header::ETAG, format!("\"{version}\""));
    }
    if let (StatusCode::CREATED, Some(path), Some(id)) = (status, route.location, telling.id.as_str()) {
        tell(header::LOCATION, format!("{}{}", mount.prefix, path.replace("{id}", id)));
    }
    if let Some(cursor) = telling.next_cursor.as_str() {
        let next = query::with(uri.query().unwrap_or_default(), "cursor", cursor);
        tell(header::LINK, format!("<{}?{next}>; rel=\"next\"", uri.path()));
    }
    if replayed {
        tell(IDEMPOTENCY_REPLAYED, "true".to_owned());
    }
    response
}
