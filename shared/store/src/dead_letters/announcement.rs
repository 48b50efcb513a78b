//! What the stream `DEAD_LETTERS` is told of a dead letter.

use super::letter::Letter;
use async_nats::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use platform::provision::dead_letter_subject;
use std::str::FromStr as _;

/// How much of the error stands in a header, in characters.
const MAX_ERROR: usize = 512;

/// A message for the stream.
pub(super) struct Announcement {
    pub subject: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Announcement {
    /// The event as it came, and why it is a dead letter.
    pub(super) fn whole(service: &str, letter: &Letter) -> Announcement {
        let mut headers = HeaderMap::new();
        for (name, values) in letter.header_map().iter() {
            let name: &str = name.as_ref();
            // What tells NATS what to do was meant for another stream.
            if name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("nats-")) {
                continue;
            }
            for value in values {
                headers.append(name, value.clone());
            }
        }
        let body = Bytes::from(letter.body.clone());
        Announcement { headers, ..Announcement::short(service, letter) }.with(service, letter, body)
    }

    /// Only that there is one: the whole of it was too large.
    pub(super) fn short(service: &str, letter: &Letter) -> Announcement {
        let subject = dead_letter_subject(service, &letter.handler);
        let mut announcement = Announcement { subject, headers: HeaderMap::new(), body: Bytes::new() };
        announcement.set("Petpro-Dead-Letter-Body", "left out");
        announcement.with(service, letter, Bytes::new())
    }

    fn with(mut self, service: &str, letter: &Letter, body: Bytes) -> Announcement {
        self.body = body;
        self.set("Nats-Msg-Id", &format!("{service}_{}:{}", letter.handler, letter.event_id));
        self.set("Petpro-Dead-Letter-Handler", &letter.handler);
        self.set("Petpro-Dead-Letter-Event", &letter.event_id.to_string());
        self.set("Petpro-Dead-Letter-Reason", letter.reason.as_str());
        self.set("Petpro-Dead-Letter-Attempts", &letter.attempts.to_string());
        let in_one_line = |letter: char| if letter.is_control() { ' ' } else { letter };
        let error: String = letter.error.chars().take(MAX_ERROR).map(in_one_line).collect();
        self.set("Petpro-Dead-Letter-Error", &error);
        self
    }

    fn set(&mut self, name: &'static str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_str(name), HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::letter::headers_of;
    use super::*;
    use subjects::ops::DeadLetterReason;
    use testkit::mangled::check_reading;

    #[test]
    fn whatever_was_parked_is_announced_in_headers_that_can_be_sent() {
        let sample = br#"{"ce-id":["1"],"Nats-Msg-Id":["1"],"name":["a: b","c\r\nd"]}"#.to_vec();
        let read = |bytes: &[u8]| {
            let json = serde_json::from_slice(bytes).ok()?;
            let letter = Letter {
                handler: "tell".to_owned(),
                event_id: uuid::Uuid::nil(),
                event_type: "vendor.noted".to_owned(),
                aggregate_id: None,
                stream: "EVENTS_VENDOR".to_owned(),
                incarnation: chrono::DateTime::UNIX_EPOCH,
                sequence: 7,
                subject: "event.vendor.noted".to_owned(),
                headers: headers_of(&json),
                body: bytes.to_vec(),
                reason: DeadLetterReason::Unreadable,
                error: String::from_utf8_lossy(bytes).into_owned(),
                attempts: 1,
                parked_at: chrono::DateTime::UNIX_EPOCH,
            };
            let announcement = Announcement::whole("booking", &letter);
            for (name, values) in announcement.headers.iter() {
                let is_sendable = |text: &str| !text.contains(['\r', '\n']);
                assert!(is_sendable(name.as_ref()) && values.iter().all(|value| is_sendable(value.as_str())), "{name}");
            }
            let told: Vec<&str> = announcement.headers.get_all("Nats-Msg-Id").map(|value| value.as_str()).collect();
            assert_eq!(told, ["booking_tell:00000000-0000-0000-0000-000000000000"]);
            Some(letter.headers)
        };
        check_reading(&[sample], read, |headers| serde_json::to_vec(headers).unwrap());
    }
}
