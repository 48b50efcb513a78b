//! Requests of NestJS clients: the packet around a request and around each of its answers.
//!
//! A NestJS client of the NATS transport sends `{"pattern":…,"data":…,"id":…}` to the subject that its pattern names and
//! expects each answer in a packet that names the same id. Nothing else about such a request is different.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// How a stock client begins each of its packets. Looking for it costs any other request nothing.
const BEGINNING: &[u8] = b"{\"pattern\":";

/// A longer id is none of a stock client's, which takes two dozen letters: it would be told with each answer.
const MAX_ID_BYTES: usize = 256;

/// What a packet may hold; with anything else beside, it is a request of ours that looks like one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packet<'a> {
    #[serde(rename = "pattern")]
    _pattern: IgnoredAny,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    id: &'a RawValue,
    /// What instrumentation on the other side attaches.
    #[serde(rename = "metadata", default)]
    _metadata: Option<IgnoredAny>,
    #[serde(rename = "headers", default)]
    _headers: Option<IgnoredAny>,
}

/// The id that a client gave its request, as JSON; every answer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PacketId(Box<str>);

/// The id and the request in a packet. None: the body is not a packet, so it is the request itself.
pub(crate) fn open(body: &Bytes) -> Option<(PacketId, Bytes)> {
    if !body.starts_with(BEGINNING) {
        return None;
    }
    let packet: Packet<'_> = serde_json::from_slice(body).ok()?;
    let id = packet.id.get();
    if !id.starts_with('"') || id.len() > MAX_ID_BYTES {
        return None;
    }
    // Without anything to say, a NestJS client sends an empty string: it refuses to send nothing.
    let request = match packet.data.map(RawValue::get) {
        None | Some("\"\"") => Bytes::from_static(b"{}"),
        Some(data) => body.slice_ref(data.as_bytes()),
    };
    Some((PacketId(id.into()), request))
}

impl PacketId {
    /// The only answer. `reply` is JSON.
    pub(crate) fn answer(&self, reply: &[u8]) -> Bytes {
        self.packet(&[b"\"response\":", reply, b",\"isDisposed\":true,"])
    }

    /// One answer of several. `item` is JSON.
    pub(crate) fn item(&self, item: &[u8]) -> Bytes {
        self.packet(&[b"\"response\":", item, b","])
    }

    /// The end of several answers.
    pub(crate) fn end(&self) -> Bytes {
        self.packet(&[b"\"isDisposed\":true,"])
    }

    /// A refusal, which the client throws as it is. `fault` is JSON.
    pub(crate) fn refusal(&self, fault: &[u8]) -> Bytes {
        self.packet(&[b"\"err\":", fault, b",\"isDisposed\":true,"])
    }

    fn packet(&self, fields: &[&[u8]]) -> Bytes {
        let length: usize = fields.iter().map(|field| field.len()).sum();
        let mut packet = Vec::with_capacity(length + self.0.len() + 8);
        packet.push(b'{');
        for field in fields {
            packet.extend_from_slice(field);
        }
        packet.extend_from_slice(b"\"id\":");
        packet.extend_from_slice(self.0.as_bytes());
        packet.push(b'}');
        packet.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn opened(body: &str) -> Option<(String, String)> {
        let (id, request) = open(&Bytes::copy_from_slice(body.as_bytes()))?;
        Some((id.0.into_string(), String::from_utf8(request.to_vec()).unwrap()))
    }

    #[track_caller]
    fn check(body: &str, request: &str) {
        assert_eq!(opened(body), Some(("\"a\"".to_owned(), request.to_owned())), "{body}");
    }

    #[test]
    fn a_packet_is_opened_and_its_request_stays_as_it_was_written() {
        check(r#"{"pattern":"booking.findOne","data":{"id": 1},"id":"a"}"#, r#"{"id": 1}"#);
        check(r#"{"pattern":{"cmd":"get-booking"},"data":{},"id":"a"}"#, "{}");
        check(r#"{"pattern":"x","data":{},"metadata":{"traceId":"7"},"id":"a"}"#, "{}");
        // What has no request is an empty one; what is no object the schema refuses.
        check(r#"{"pattern":"x","data":"","id":"a"}"#, "{}");
        check(r#"{"pattern":"x","data":null,"id":"a"}"#, "{}");
        check(r#"{"pattern":"x","id":"a"}"#, "{}");
        check(r#"{"pattern":"x","data":[1],"id":"a"}"#, "[1]");
    }

    #[test]
    fn whatever_else_begins_like_a_packet_is_a_request_of_its_own() {
        for body in [
            "",
            "{}",
            r#"{"id":"a"}"#,
            r#"{"pattern":"x"}"#,
            r#"{"pattern":"x","data":{}}"#,
            r#"{"pattern":"x","data":{},"id":7}"#,
            r#"{"pattern":"x","data":{},"id":"a","name":"Oyen"}"#,
            r#"{"pattern":"x","data":{},"id":"a","id":"b"}"#,
            r#"{"pattern":"x","data":{},"id":"a""#,
            r#"{"pattern":"x","data":{,"id":"a"}"#,
        ] {
            assert_eq!(opened(body), None, "{body}");
        }
        let long = format!(r#"{{"pattern":"x","data":{{}},"id":"{}"}}"#, "a".repeat(MAX_ID_BYTES));
        assert_eq!(opened(&long), None);
    }

    #[test]
    fn every_answer_names_the_id() {
        let id = PacketId(r#""a\"b""#.into());
        let read = |packet: Bytes| serde_json::from_slice::<Value>(&packet).unwrap();
        assert_eq!(read(id.answer(b"null")), json!({ "response": null, "isDisposed": true, "id": "a\"b" }));
        assert_eq!(read(id.item(b"{}")), json!({ "response": {}, "id": "a\"b" }));
        assert_eq!(read(id.end()), json!({ "isDisposed": true, "id": "a\"b" }));
        assert_eq!(read(id.refusal(b"{}")), json!({ "err": {}, "isDisposed": true, "id": "a\"b" }));
    }
}
