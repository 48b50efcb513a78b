//! Reading a request's body: bounded in size and depth, JSON only.

use crate::config::EdgeConfig;
use crate::unique_keys;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::{HeaderMap, header};
use serde_json::{Map, Value};
use subjects::{ErrorCode, Fault, Violation};
use tokio::time::Instant;

/// How deep objects and lists may stand in one another.
const MAX_DEPTH: usize = 32;

/// The whole body, which has to be there by the deadline of its request and within its own time.
///
/// # Errors
/// `payload_too_large`, `request_timeout`, or `bad_request` when the client stops in the middle.
pub async fn read(headers: &HeaderMap, body: Body, config: &EdgeConfig, deadline: Instant) -> Result<Bytes, Fault> {
    let give_up = deadline.min(Instant::now() + config.body_timeout());
    let whole = tokio::time::timeout_at(give_up, read_all(headers, body, config.body_limit_bytes));
    whole.await.map_err(|_elapsed| Fault::new(ErrorCode::RequestTimeout, "the body did not come in time"))?
}

async fn read_all(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Fault> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut read = BytesMut::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            Fault::new(ErrorCode::BadRequest, "the body ended early").with_reason("incomplete_body").with_source(error)
        })?;
        if read.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}

fn too_large(limit: usize) -> Fault {
    Fault::new(ErrorCode::PayloadTooLarge, format!("a body may have at most {limit} bytes"))
}

/// The body's fields. No body at all stands for an object without fields.
///
/// # Errors
/// `unsupported_media_type` for anything that is not called JSON, `bad_request` for what is not a JSON object.
pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !is_json(headers) {
        let message = "the body must be JSON, with the content type application/json";
        return Err(Fault::new(ErrorCode::UnsupportedMediaType, message));
    }
    let text = std::str::from_utf8(body)
        .map_err(|_| Fault::new(ErrorCode::BadRequest, "the body is not valid UTF-8").with_reason("invalid_utf8"))?;
    if depth(text) > MAX_DEPTH {
        let message = format!("the body is nested more than {MAX_DEPTH} levels deep");
        return Err(Fault::new(ErrorCode::BadRequest, message).with_reason("too_deep"));
    }
    match unique_keys::read(text) {
        Ok((_, repeated)) if !repeated.is_empty() => Err(Fault::invalid(repeated)),
        Ok((Value::Object(fields), _)) => Ok(fields),
        Ok(_) => Err(Fault::invalid(vec![Violation::new("", "must be an object")])),
        Err(error) => {
            let message = format!("the body is not valid JSON at line {}, column {}", error.line(), error.column());
            Err(Fault::new(ErrorCode::BadRequest, message).with_reason("malformed_json"))
        }
    }
}

/// `application/json`, or a type built on it (RFC 6839), in UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(media_type) = crate::context::single(headers, &header::CONTENT_TYPE) else { return false };
    let media_type = media_type.to_ascii_lowercase();
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some(("charset", charset)) => charset.trim_matches('"') == "utf-8",
        _ => true,
    });
    is_json && is_utf8
}

/// How deep the brackets outside of strings stand in one another, counted before anything is built from them.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(content_type: &str, body: impl AsRef<[u8]>) -> Result<usize, (u16, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        let fields = parse(&headers, body.as_ref());
        fields.map(|fields| fields.len()).map_err(|fault| (fault.code.status(), fault.reason.into_owned()))
    }

    #[test]
    fn json_is_read_under_its_names() {
        for name in ["application/json", "application/JSON; charset=UTF-8", "application/merge-patch+json"] {
            assert_eq!(parsed(name, r#"{"a":1}"#), Ok(1), "{name}");
        }
        assert_eq!(parse(&HeaderMap::new(), b"").unwrap().len(), 0);
    }

    #[test]
    fn anything_else_is_refused_as_what_it_is() {
        let refused = |status: u16, reason: &str| Err((status, reason.to_owned()));
        assert_eq!(parsed("text/plain", "{}"), refused(415, "unsupported_media_type"));
        assert_eq!(parsed("application/json; charset=latin1", "{}"), refused(415, "unsupported_media_type"));
        assert_eq!(parsed("application/json", b"{\"a\":\"\xff\"}"), refused(400, "invalid_utf8"));
        assert_eq!(parsed("application/json", "{\"a\":"), refused(400, "malformed_json"));
        assert_eq!(parsed("application/json", "[]"), refused(400, "invalid_request"));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        assert_eq!(parsed("application/json", deep), refused(400, "too_deep"));
        let bomb = "[".repeat(200_000);
        assert_eq!(parsed("application/json", bomb), refused(400, "too_deep"));
    }

    #[test]
    fn brackets_in_strings_are_not_depth() {
        assert_eq!(depth(r#"{"a":"[[[\"[[","b":[1]}"#), 2);
    }

    fn limits() -> (EdgeConfig, Instant) {
        let config = EdgeConfig { body_limit_bytes: 999, body_timeout_ms: 60_000, ..EdgeConfig::default() };
        (config, Instant::now() + std::time::Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_bounded_too() {
        let chunks = futures::stream::iter((0..10).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 100]))));
        let (config, deadline) = limits();
        let fault = read(&HeaderMap::new(), Body::from_stream(chunks), &config, deadline).await.unwrap_err();
        assert_eq!(fault.code, ErrorCode::PayloadTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let (config, deadline) = limits();
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let never = Body::from_stream(first.chain(futures::stream::pending()));
        let fault = read(&HeaderMap::new(), never, &config, deadline).await.unwrap_err();
        assert_eq!((fault.code.status(), fault.reason.as_ref()), (408, "request_timeout"));
    }
}
