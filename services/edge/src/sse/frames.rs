//! Server-Sent Events as bytes (HTML Living Standard, 9.2).

use bytes::Bytes;
use platform::streams::{Heard, Kind, StreamPlace};
use serde_json::json;
use subjects::Fault;

/// What stands for an event that has nothing to say: browsers pass over events without data.
const NOTHING: &str = "{}";

/// The first bytes: when to come back after the stream was lost.
pub(super) fn hello(retry_ms: u64) -> Bytes {
    Bytes::from(format!("retry: {retry_ms}\n\n"))
}

/// What was heard, for the client. None: it is only a sign of life.
pub(super) fn event(heard: &Heard, place: Option<StreamPlace>) -> Option<Bytes> {
    let name = match heard.kind {
        Kind::Reset | Kind::Snapshot | Kind::Ready | Kind::Change => heard.kind.as_str(),
        Kind::Alive | Kind::End => return None,
    };
    // JSON as it is written here has no line breaks.
    let data = std::str::from_utf8(&heard.body).ok().filter(|data| !data.is_empty()).unwrap_or(NOTHING);
    Some(Bytes::from(format!("{}event: {name}\ndata: {data}\n\n", id(place))))
}

/// A comment, with the place that the client has reached meanwhile.
pub(super) fn keep_alive(place: Option<StreamPlace>) -> Bytes {
    Bytes::from(format!(": alive\n{}\n", id(place)))
}

/// The last event: why there are no more.
pub(super) fn end(fault: &Fault) -> Bytes {
    Bytes::from(format!("event: end\ndata: {}\n\n", json!({ "code": fault.code, "reason": fault.reason })))
}

fn id(place: Option<StreamPlace>) -> String {
    place.map(|place| format!("id: {place}\n")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Bytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn events_have_their_place_and_always_some_data() {
        let place: StreamPlace = "1-2".parse().unwrap();
        let heard = |kind, body: &'static str| Heard { kind, body: Bytes::from_static(body.as_bytes()) };
        let written = |kind, body, place| event(&heard(kind, body), place).map(text);
        assert_eq!(
            written(Kind::Change, "{\"a\":1}", Some(place)).unwrap(),
            "id: 1-2\nevent: change\ndata: {\"a\":1}\n\n"
        );
        assert_eq!(written(Kind::Reset, "", None).unwrap(), "event: reset\ndata: {}\n\n");
        assert_eq!(written(Kind::Ready, "", Some(place)).unwrap(), "id: 1-2\nevent: ready\ndata: {}\n\n");
        assert_eq!(written(Kind::Alive, "", Some(place)), None);
        assert_eq!(text(keep_alive(Some(place))), ": alive\nid: 1-2\n\n");
        assert_eq!(text(keep_alive(None)), ": alive\n\n");
        assert_eq!(
            text(end(&Fault::unauthenticated().with_reason("invalid_token"))),
            "event: end\ndata: {\"code\":\"unauthenticated\",\"reason\":\"invalid_token\"}\n\n"
        );
    }
}
