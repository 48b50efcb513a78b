//! From a service's reply to an HTTP answer. As a rule the body passes through as it is; a few of its fields become
//! headers.

use crate::fields::Projection;
use crate::forward::Answer;
use crate::representation::{Representation, etag};
use crate::routes::{Mount, Route};
use crate::{hal, query};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use identity::Caller;
use serde::Deserialize;
use serde_json::Value;
use subjects::{ErrorCode, Fault, Method};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Says that the answer stands in for a better one.
const FALLBACK: HeaderName = HeaderName::from_static("x-fallback");
/// What an answer to a read depends on, beside its URL.
pub const VARY: HeaderValue = HeaderValue::from_static("Authorization, Accept");
/// May be kept by the one who asked, and is asked for again before it is used.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Likewise by anybody.
pub const PUBLIC: HeaderValue = HeaderValue::from_static("public, no-cache");
/// Is not kept at all.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What was asked for, as far as the answer depends on it.
pub struct Asked<'a> {
    /// The route that it took.
    pub route: &'a Route,
    /// Where that is mounted.
    pub mount: &'a Mount,
    /// Path and query.
    pub uri: &'a Uri,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// For whom it is.
    pub caller: &'a Caller,
    /// The form in which the answer is liked best.
    pub representation: Representation,
    /// The fields that were chosen; none: all of them.
    pub projection: Option<Projection>,
}

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

/// The answer to what was asked.
///
/// # Errors
/// `precondition_failed` when a read's `If-Match` names something else; `internal` for a reply that is not as the
/// contract has it.
pub fn response(asked: &Asked<'_>, answer: Answer) -> Result<Response, Fault> {
    let is_read = asked.route.rest.method == Method::Get;
    let is_empty = answer.body.is_empty() || answer.body.as_ref() == b"null";
    let telling = Telling::of(&answer.body);
    let next = telling.next_cursor.as_str().map(|cursor| {
        let query = query::with(asked.uri.query().unwrap_or_default(), "cursor", cursor);
        format!("{}?{query}", asked.uri.path())
    });
    let body = if is_empty { Bytes::new() } else { represent(asked, answer.body, next.as_deref())? };
    let tag = match telling.version.as_i64() {
        Some(version) => Some(etag::of_version(version, asked.representation)),
        None if is_read && !is_empty => Some(etag::of_bytes(&body)),
        None => None,
    };
    let mut status = match is_empty {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::from_u16(asked.route.rest.status).unwrap_or(StatusCode::OK),
    };
    if let Some(tag) = tag.as_deref().filter(|_| is_read) {
        if !etag::is_expected(asked.headers, tag) {
            return Err(Fault::new(ErrorCode::PreconditionFailed, "If-Match names something else than what is there"));
        }
        if etag::is_known(asked.headers, tag) {
            status = StatusCode::NOT_MODIFIED;
        }
    }

    let has_body = !is_empty && status != StatusCode::NOT_MODIFIED;
    let mut response = Response::new(if has_body { Body::from(body) } else { Body::empty() });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asked.representation.media_type()));
    }
    keep_as(asked, headers);
    let mut tell = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    if let Some(tag) = tag {
        tell(header::ETAG, tag);
    }
    if let (StatusCode::CREATED, Some(path), Some(id)) = (status, asked.route.location, telling.id.as_str()) {
        tell(header::LOCATION, format!("{}{}", asked.mount.prefix, path.replace("{id}", id)));
    }
    if let Some(next) = next {
        tell(header::LINK, format!("<{next}>; rel=\"next\""));
    }
    if answer.replayed {
        tell(IDEMPOTENCY_REPLAYED, "true".to_owned());
    }
    if let Some(fallback) = answer.fallback {
        tell(FALLBACK, fallback.as_str().to_owned());
    }
    if let Some(told) = answer.cache {
        told.tell(headers);
    }
    Ok(response)
}

/// The body in the form that was asked for.
fn represent(asked: &Asked<'_>, body: Bytes, next: Option<&str>) -> Result<Bytes, Fault> {
    #[derive(Deserialize)]
    struct Text {
        text: String,
    }
    if let Representation::Text(_) = asked.representation {
        let reply: Text = serde_json::from_slice(&body).map_err(Fault::internal)?;
        return Ok(Bytes::from(reply.text));
    }
    let is_hal = asked.representation == Representation::Hal;
    if !is_hal && asked.projection.is_none() {
        return Ok(body);
    }
    let mut value: Value = serde_json::from_slice(&body).map_err(Fault::internal)?;
    if is_hal {
        let own_path = asked.uri.path_and_query().map_or("/", |path_and_query| path_and_query.as_str());
        value = hal::with_links(value, asked.route, asked.mount, asked.caller, own_path, next);
    }
    if let Some(projection) = &asked.projection {
        projection.apply(&mut value, asked.route.answer.is_list);
    }
    Ok(Bytes::from(serde_json::to_vec(&value).map_err(Fault::internal)?))
}

/// Who may keep the answer, and what it depends on.
fn keep_as(asked: &Asked<'_>, headers: &mut HeaderMap) {
    if asked.route.rest.method != Method::Get {
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        return;
    }
    let is_public = asked.route.operation.access.is_public() && asked.caller.user.is_none();
    headers.insert(header::CACHE_CONTROL, if is_public { PUBLIC } else { PRIVATE });
    headers.insert(header::VARY, VARY);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::{Found, resources};
    use axum::body::to_bytes;
    use identity::User;
    use serde_json::json;
    use subjects::ids::{SessionId, UserId};
    use subjects::{Role, catalogue};

    /// Status, headers and body of the answer to `GET uri`, where the service replies so.
    async fn answer(
        path: &str,
        uri: &'static str,
        headers: HeaderMap,
        reply: Value,
    ) -> (StatusCode, HeaderMap, String) {
        let resources = resources(catalogue::operations()).unwrap();
        let resource = resources.iter().find(|resource| resource.path == path).unwrap();
        let Found::Route(route) = resource.find(&http::Method::GET, true) else { panic!("no route") };
        let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
        let asked = Asked {
            mount: &resource.mounts()[0],
            uri: &Uri::from_static(uri),
            caller: &Caller::of_user(user),
            representation: Representation::negotiate(&route, &headers).unwrap(),
            headers: &headers,
            projection: None,
            route: &route,
        };
        let body = Bytes::from(reply.to_string());
        let response = response(&asked, Answer { body, replayed: false, fallback: None, cache: None }).unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 100_000).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_text_of_a_reply_is_the_whole_answer() {
        let ask = |headers| {
            answer("/calendars/{token}.ics", "/calendars/x.ics", headers, json!({ "text": "BEGIN:VCALENDAR\r\n" }))
        };
        let (status, headers, body) = ask(HeaderMap::new()).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "BEGIN:VCALENDAR\r\n"));
        assert_eq!(headers["content-type"], "text/calendar; charset=utf-8");
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, headers["etag"].clone())]);
        let (status, _, body) = ask(known).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }

    #[tokio::test]
    async fn links_follow_the_state_of_the_entity() {
        for (status, expected) in [
            ("pending", vec!["cancel", "clinic", "confirm", "history", "self", "update"]),
            ("confirmed", vec!["cancel", "clinic", "complete", "history", "noShow", "self", "update"]),
            ("completed", vec!["clinic", "history", "self"]),
        ] {
            let id = "0190a000-0000-7000-8000-000000000001";
            let booking = json!({ "id": id, "version": 3, "status": status, "clinicId": id, "staffId": "../evil" });
            let accept = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/hal+json"))]);
            let (_, _, body) = answer("/bookings/{id}", "/api/v1/bookings/1", accept, booking).await;
            let links = serde_json::from_str::<Value>(&body).unwrap()["_links"].clone();
            let mut rels: Vec<&String> = links.as_object().unwrap().keys().collect();
            rels.sort();
            assert_eq!(rels, expected, "{status}");
            assert_eq!(links["clinic"]["href"], format!("/api/v1/clinics/{id}"));
        }
    }
}
