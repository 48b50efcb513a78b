//! Sending, and sending again under the same key until there is an answer that decides.

use super::record::Record;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The edge answers within five seconds, whatever happens behind it. What takes so much longer that a busy machine cannot
/// be the cause hangs.
const HANGS_AFTER: Duration = Duration::from_secs(12);
/// How long the same request is sent again before its outcome stays open.
const GIVE_UP_AFTER: Duration = Duration::from_secs(90);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// Who sends.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    edges: Arc<Vec<String>>,
    /// Which edge is asked; another one as soon as one does not answer.
    turn: Arc<AtomicUsize>,
    record: Arc<Record>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Its method.
    pub method: Method,
    /// Below `/api/v1`.
    pub path: String,
    /// Who asks; nobody in particular when not given.
    pub token: Option<String>,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// The version in `If-Match`.
    pub if_match: Option<i64>,
    /// The JSON body.
    pub body: Option<Value>,
    /// Whether it may be sent again.
    pub repeatable: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It was done.
    Acknowledged(Value),
    /// It was refused for good, with this status and reason, and has no effect.
    Refused(u16, String),
    /// Nobody knows.
    Open,
}

/// What came of one attempt.
enum Attempt {
    Answered(Answer),
    /// No answer, or one that decides nothing.
    Lost,
}

impl Client {
    /// # Errors
    /// There is no TLS, which is not needed either.
    pub fn new(edges: Vec<String>, record: Arc<Record>) -> anyhow::Result<Client> {
        let http = reqwest::Client::builder().timeout(HANGS_AFTER).build()?;
        Ok(Client { http, edges: Arc::new(edges), turn: Arc::default(), record })
    }

    /// Sends until there is an answer that decides, for a minute and a half at the most.
    pub async fn send(&self, ask: &Ask) -> Answer {
        let give_up = Instant::now() + GIVE_UP_AFTER;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.attempt(ask).await {
                Attempt::Answered(answer) => return answer,
                Attempt::Lost if !ask.repeatable || Instant::now() > give_up => {
                    self.record.count("open");
                    return Answer::Open;
                }
                Attempt::Lost => {
                    self.record.count("sent again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    async fn attempt(&self, ask: &Ask) -> Attempt {
        let turn = self.turn.load(Ordering::Relaxed);
        let Some(edge) = turn.checked_rem(self.edges.len()).and_then(|place| self.edges.get(place)) else {
            return Attempt::Lost;
        };
        let sent = Instant::now();
        match self.request(edge, ask).send().await {
            Ok(answer) => {
                let status = answer.status();
                match answer.json::<Value>().await {
                    Ok(body) => decide(status, body),
                    Err(_) if status == StatusCode::NO_CONTENT => decide(status, Value::Null),
                    Err(error) => self.lost(ask, turn, sent, &error),
                }
            }
            Err(error) => self.lost(ask, turn, sent, &error),
        }
    }

    fn lost(&self, ask: &Ask, turn: usize, sent: Instant, error: &reqwest::Error) -> Attempt {
        if error.is_timeout() && sent.elapsed() >= HANGS_AFTER {
            self.record.hung(format!("{} {} had no answer after {HANGS_AFTER:?}", ask.method, ask.path));
        }
        // Only the first who notices turns to the next edge.
        let _another_one_did =
            self.turn.compare_exchange(turn, turn.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
        Attempt::Lost
    }

    fn request(&self, edge: &str, ask: &Ask) -> reqwest::RequestBuilder {
        let mut request = self.http.request(ask.method.clone(), format!("{edge}/api/v1{}", ask.path));
        if let Some(token) = &ask.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &ask.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(version) = ask.if_match {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        match &ask.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

/// What is away or too busy decides nothing, and neither does a key whose first request is still at work.
fn decide(status: StatusCode, body: Value) -> Attempt {
    let reason = body.pointer("/reason").or_else(|| body.pointer("/code")).and_then(Value::as_str).unwrap_or("");
    let is_open = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || (status == StatusCode::CONFLICT && reason == "idempotency_key_in_use");
    if is_open {
        Attempt::Lost
    } else if status.is_success() {
        Attempt::Answered(Answer::Acknowledged(body))
    } else {
        Attempt::Answered(Answer::Refused(status.as_u16(), reason.to_owned()))
    }
}
