//! The answers to a client's requests. Each service that is asked has inboxes of its own at the asker, and NATS lets it
//! answer there and in no other. It would also let a service answer whatever it has been asked (`allow_responses`, which is
//! how others are answered), but forgets whom to let at every reload of its configuration, and what is on its way then is
//! lost.

use crate::nats::inbox_prefix;
use async_nats::header::NATS_SUBJECT;
use async_nats::{Client, HeaderMap, Message, PublishErrorKind, StatusCode, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OnceCell, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Where `service` may answer, whoever asks it, for its permissions.
pub(crate) fn answers_of(service: &str) -> String {
    format!("*.answer.{service}.*.*")
}

/// Who waits for an answer, by the inbox that it comes to.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Message>>>>;

/// What became of a request.
pub(crate) enum Heard {
    Answer(Message),
    /// Nobody takes requests there. NATS says where that is, since it may have sent the request elsewhere.
    NobodyAt(Option<String>),
}

/// Why a request could not be sent.
pub(crate) enum Unsent {
    TooLarge,
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// The inboxes of one client.
pub(crate) struct Answers {
    /// `_INBOX_<caller>.answer`.
    prefix: String,
    /// Of this client among all of the same caller.
    id: String,
    waiting: Waiting,
    listening: OnceCell<DropGuard>,
}

impl Answers {
    pub(crate) fn new(caller: &str) -> Answers {
        Answers {
            prefix: format!("{}.answer", inbox_prefix(caller)),
            id: uuid::Uuid::now_v7().simple().to_string(),
            waiting: Waiting::default(),
            listening: OnceCell::new(),
        }
    }

    /// Sends a request to a service and waits for its answer, for good.
    pub(crate) async fn ask(
        &self,
        nats: &Client,
        service: &str,
        subject: String,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Heard, Unsent> {
        self.listening.get_or_try_init(|| self.listen(nats)).await?;
        // Nobody guesses it: who is asked could have another service answer somebody else's request otherwise.
        let number: u64 = rand::random();
        let inbox = format!("{}.{service}.{}.{number}", self.prefix, self.id);
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(inbox.clone(), sender);
        let _until_it_is_over = Awaited { waiting: self.waiting.clone(), inbox: inbox.clone() };
        nats.publish_with_reply_and_headers(subject, inbox, headers, body).await.map_err(|error| {
            match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => Unsent::TooLarge,
                _ => Unsent::failed(error),
            }
        })?;
        let message = receiver.await.map_err(Unsent::failed)?;
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            let asked = message.headers.as_ref().and_then(|headers| headers.get(NATS_SUBJECT));
            return Ok(Heard::NobodyAt(asked.map(|subject| subject.as_str().to_owned())));
        }
        Ok(Heard::Answer(message))
    }

    /// One subscription for all answers of all services.
    async fn listen(&self, nats: &Client) -> Result<DropGuard, Unsent> {
        let all = format!("{}.*.{}.*", self.prefix, self.id);
        let answers = nats.subscribe(all).await.map_err(Unsent::failed)?;
        let end = CancellationToken::new();
        tokio::spawn(hand_out(answers, self.waiting.clone(), end.clone()));
        Ok(end.drop_guard())
    }
}

impl Unsent {
    fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Unsent {
        Unsent::Failed(Box::new(error))
    }
}

/// Somebody who waits; who has stopped waiting leaves nothing behind.
struct Awaited {
    waiting: Waiting,
    inbox: String,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        lock(&self.waiting).remove(&self.inbox);
    }
}

async fn hand_out(mut answers: Subscriber, waiting: Waiting, end: CancellationToken) {
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer,
            () = end.cancelled() => return,
        };
        let Some(answer) = answer else { break };
        // Whoever asked may have gone.
        if let Some(sender) = lock(&waiting).remove(answer.subject.as_str()) {
            let _gone = sender.send(answer);
        }
    }
    // The connection is closed for good: nobody waits in vain.
    lock(&waiting).clear();
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Message>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
