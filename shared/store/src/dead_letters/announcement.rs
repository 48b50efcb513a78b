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
