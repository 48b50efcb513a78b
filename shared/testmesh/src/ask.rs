//! One request.

use crate::callers::{Callers, meta};
use crate::{Asker, PATIENCE};
use bytes::Bytes;
use platform::Meta;
use platform::client::{RawCall, RawReply};
use platform::codec::ContentType;
use platform::refusals::{OVERLOADED, THROTTLED};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use subjects::Fault;
use testkit::personal;

/// One request, as it is put together. It borrows nothing, so that many can be asked by tasks of their own.
#[must_use = "a request is made by `ok`, `send`, `refusal`, `fault` or `reply`"]
pub struct Ask {
    callers: Arc<Callers>,
    subject: String,
    body: Value,
    asker: Asker,
    meta: Meta,
    patience: Duration,
    comes_again: bool,
}

impl Ask {
    pub(crate) fn new(callers: Arc<Callers>, subject: &str, body: Value) -> Ask {
        let (subject, asker) = (subject.to_owned(), Asker::Nobody);
        Ask { callers, subject, body, asker, meta: meta(), patience: PATIENCE, comes_again: false }
    }

    /// Says who asks.
    pub fn by(mut self, asker: &Asker) -> Ask {
        self.asker = asker.clone();
        self
    }

    /// With this `Idempotency-Key`.
    pub fn under_key(mut self, key: &str) -> Ask {
        self.meta.idempotency_key = Some(key.to_owned());
        self
    }

    /// With this version in `If-Match`.
    pub fn based_on(mut self, version: i64) -> Ask {
        self.meta.if_match = Some(version);
        self
    }

    /// Says where the client is, as the edge does.
    pub fn from_address(mut self, address: &str) -> Ask {
        self.meta.client_address = Some(address.to_owned());
        self
    }

    /// With a deadline of its own.
    pub fn within(mut self, patience: Duration) -> Ask {
        self.patience = patience;
        self
    }

    /// Comes again as often as it is told to because of too much to do, as those of a crowd have to.
    pub fn coming_again(mut self) -> Ask {
        self.comes_again = true;
        self
    }

    /// The answer as it came, or the refusal.
    pub async fn reply(self) -> Result<RawReply, Fault> {
        let (caller, user_token) = self.callers.seat_of(&self.asker).await;
        take_note_of_secrets(&self.body);
        let body = Bytes::from(self.body.to_string());
        loop {
            let call = RawCall {
                content_type: ContentType::Json,
                body: body.clone(),
                user_token: user_token.clone(),
                deadline: tokio::time::Instant::now() + self.patience,
                meta: &self.meta,
            };
            let outcome = caller.client.request_raw(&self.subject, call).await;
            match &outcome {
                Ok(reply) => {
                    let _ = serde_json::from_slice(&reply.body).map(|body: Value| take_note_of_secrets(&body));
                }
                Err(fault) => testkit::check_refusal(&self.subject, &serde_json::to_string(fault).unwrap()),
            }
            match &outcome {
                Err(Fault { reason, retry_after_ms: Some(moment), .. })
                    if self.comes_again && [OVERLOADED, THROTTLED].contains(&&**reason) =>
                {
                    tokio::time::sleep(Duration::from_millis(*moment)).await;
                }
                _ => return outcome,
            }
        }
    }

    /// The answer or the refusal.
    pub async fn send(self) -> Result<Value, Fault> {
        let reply = self.reply().await?;
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    /// The answer, which must not be a refusal.
    pub async fn ok(self) -> Value {
        let subject = self.subject.clone();
        self.send().await.unwrap_or_else(|fault| panic!("{subject}: {fault} {:?}", fault.violations))
    }

    /// The refusal, which must be one.
    pub async fn fault(self) -> Fault {
        let subject = self.subject.clone();
        match self.send().await {
            Ok(reply) => panic!("{subject} was not refused: {reply}"),
            Err(fault) => fault,
        }
    }

    /// The reason of the refusal.
    pub async fn refusal(self) -> String {
        self.fault().await.reason.into_owned()
    }
}

/// Fields whose values stand nowhere but in requests and answers.
const SECRETS: [&str; 5] = ["accessToken", "refreshToken", "resetToken", "token", "code"];
/// Likewise; but a bad password may be any word.
const PASSWORDS: [&str; 3] = ["password", "currentPassword", "newPassword"];

fn take_note_of_secrets(value: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let text = field.as_str().unwrap_or_default();
                let is_secret = text.len() >= 6 && SECRETS.contains(&name.as_str());
                let is_password = text.len() > 12 && PASSWORDS.contains(&name.as_str());
                if is_secret || is_password {
                    personal::secret(text);
                }
                take_note_of_secrets(field);
            }
        }
        Value::Array(items) => items.iter().for_each(take_note_of_secrets),
        _ => {}
    }
}
