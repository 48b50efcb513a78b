//! `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, as NATS services answer them (ADR-32), so that `nats micro` works.

use crate::client;
use crate::ejection::{Condition, group_ping};
use crate::nats::is_inbox;
use crate::setup::Setup;
use crate::validate::schema_document;
use crate::versions::STABLE;
use async_nats::{Client, Message, Subscriber};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subjects::Operation;
use subjects::operation::{command_subject, endpoint_name};
use tokio::time::Instant;

/// Where a replica that is not stable tells its version.
pub(crate) const VERSION: &str = "version";

/// What one endpoint has done since the start.
pub(crate) struct EndpointStats {
    pub(crate) subject: &'static str,
    operation: Operation,
    requests: AtomicU64,
    errors: AtomicU64,
    processing_ns: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl EndpointStats {
    pub(crate) fn new(subject: &'static str, operation: Operation) -> EndpointStats {
        EndpointStats {
            subject,
            operation,
            requests: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            processing_ns: AtomicU64::new(0),
            last_error: Mutex::new(None),
        }
    }

    pub(crate) fn record(&self, code: &'static str, took: Duration) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.processing_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if code != "ok" {
            self.errors.fetch_add(1, Ordering::Relaxed);
            *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(code.to_owned());
        }
    }

    /// `data` is each endpoint's own to fill: here the services that ours does not ask for the moment, and how it stands to
    /// its queue group.
    fn stats(&self, queue_group: &str, circuits: &BTreeMap<String, &'static str>, standing: &str) -> Value {
        let requests = self.requests.load(Ordering::Relaxed);
        let processing_ns = self.processing_ns.load(Ordering::Relaxed);
        json!({
            "name": endpoint_name(self.subject),
            "subject": self.subject,
            "queue_group": queue_group,
            "num_requests": requests,
            "num_errors": self.errors.load(Ordering::Relaxed),
            "last_error": self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default(),
            "processing_time": processing_ns,
            "average_processing_time": processing_ns.checked_div(requests).unwrap_or(0),
            "data": { "circuits": circuits, "standing": standing },
        })
    }

    fn info(&self, queue_group: &str) -> Value {
        let mut metadata = BTreeMap::from([
            ("effect", format!("{:?}", self.operation.effect).to_lowercase()),
            ("priority", self.operation.priority.as_str().to_owned()),
            ("request_schema", schema_document(self.operation.request_schema).to_string()),
            ("reply_schema", schema_document(self.operation.reply_schema).to_string()),
            ("nest_command", command_subject(self.subject)),
        ]);
        if self.subject != self.operation.subject {
            metadata.insert("alias_of", self.operation.subject.to_owned());
        }
        json!({
            "name": endpoint_name(self.subject),
            "subject": self.subject,
            "queue_group": queue_group,
            "metadata": metadata,
        })
    }
}

/// Answers the three verbs for one instance of a service.
pub(crate) struct Discovery {
    name: &'static str,
    id: Arc<str>,
    version: Option<String>,
    started: String,
    endpoints: Vec<Arc<EndpointStats>>,
    /// Knows which services this one does not ask for the moment.
    calls: client::Client,
    condition: Arc<Condition>,
}

impl Discovery {
    pub(crate) fn new(setup: &Setup, endpoints: Vec<Arc<EndpointStats>>, condition: Arc<Condition>) -> Discovery {
        let (id, calls, version) = (setup.instance.clone(), setup.client.clone(), setup.version.clone());
        let started = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        Discovery { name: setup.name, id, version, started, endpoints, calls, condition }
    }

    /// Subscribes to the verbs: for all services, for this one, and for this instance.
    pub(crate) async fn subscribe(&self, nats: &Client) -> anyhow::Result<Vec<(Verb, Subscriber)>> {
        let mut subscribers = Vec::new();
        for verb in Verb::ALL {
            for subject in subjects_of(verb, self.name, &self.id) {
                subscribers.push((verb, nats.subscribe(subject).await?));
            }
        }
        Ok(subscribers)
    }

    /// Answers until the subscriptions end.
    pub(crate) async fn answer(self: Arc<Self>, nats: Client, subscribers: Vec<(Verb, Subscriber)>) {
        let mut requests = futures::stream::select_all(
            subscribers.into_iter().map(|(verb, subscriber)| subscriber.map(move |message| (verb, message)).boxed()),
        );
        while let Some((verb, message)) = requests.next().await {
            self.answer_one(&nats, verb, message).await;
        }
    }

    async fn answer_one(&self, nats: &Client, verb: Verb, message: Message) {
        let Some(reply_to) = message.reply.filter(|reply| is_inbox(reply)) else { return };
        let body = self.body(verb).to_string();
        if let Err(error) = nats.publish(reply_to, body.into()).await {
            tracing::warn!(error = %error, "a discovery request was not answered");
        }
    }

    fn body(&self, verb: Verb) -> Value {
        let mut metadata = self.condition.as_metadata(Instant::now());
        if let Some(version) = &self.version {
            metadata.insert(VERSION, version.clone());
        }
        let mut body = json!({
            "type": format!("io.nats.micro.v1.{}_response", verb.as_str().to_lowercase()),
            "name": self.name,
            "id": &*self.id,
            "version": crate::VERSION,
            "metadata": metadata,
        });
        let Some(fields) = body.as_object_mut() else { return body };
        match verb {
            Verb::Ping => {}
            Verb::Info => {
                fields.insert("description".to_owned(), json!(format!("PetPro {}", self.name)));
                let endpoints: Vec<Value> = self.endpoints.iter().map(|endpoint| endpoint.info(self.name)).collect();
                fields.insert("endpoints".to_owned(), endpoints.into());
            }
            Verb::Stats => {
                fields.insert("started".to_owned(), json!(self.started));
                let (circuits, standing) = (self.calls.troubled(), self.condition.standing().as_str());
                let stats = |endpoint: &Arc<EndpointStats>| endpoint.stats(self.name, &circuits, standing);
                let endpoints: Vec<Value> = self.endpoints.iter().map(stats).collect();
                fields.insert("endpoints".to_owned(), endpoints.into());
            }
        }
        body
    }
}

/// A verb of ADR-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Ping,
    Info,
    Stats,
}

impl Verb {
    const ALL: [Verb; 3] = [Verb::Ping, Verb::Info, Verb::Stats];

    const fn as_str(self) -> &'static str {
        match self {
            Verb::Ping => "PING",
            Verb::Info => "INFO",
            Verb::Stats => "STATS",
        }
    }
}

fn subjects_of(verb: Verb, name: &str, id: &str) -> [String; 3] {
    let verb = verb.as_str();
    [format!("$SRV.{verb}"), format!("$SRV.{verb}.{name}"), format!("$SRV.{verb}.{name}.{id}")]
}

/// The subject on which one instance answers a ping.
pub(crate) fn instance_ping(name: &str, id: &str) -> String {
    format!("$SRV.PING.{name}.{id}")
}

/// An instance that answered a ping.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct ServicePing {
    /// The service's name.
    pub name: String,
    /// The instance's id.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// Asks every instance of every service whether it is there, and takes answers for as long as `wait`.
///
/// # Errors
/// NATS is away.
pub async fn ping(nats: &Client, wait: Duration) -> anyhow::Result<Vec<ServicePing>> {
    let inbox = nats.new_inbox();
    let mut replies = nats.subscribe(inbox.clone()).await?;
    nats.publish_with_reply("$SRV.PING", inbox, "".into()).await?;
    let mut found = Vec::new();
    let gather = async {
        while let Some(message) = replies.next().await {
            if message.status == Some(async_nats::StatusCode::NO_RESPONDERS) {
                return;
            }
            if let Ok(ping) = serde_json::from_slice::<ServicePing>(&message.payload) {
                found.push(ping);
            }
        }
    };
    let _until_the_wait_is_over = tokio::time::timeout(wait, gather).await;
    Ok(found)
}

/// How many replicas of a service answer a ping within `wait`, by version.
///
/// # Errors
/// NATS is away.
pub async fn versions(nats: &Client, service: &str, wait: Duration) -> anyhow::Result<BTreeMap<String, usize>> {
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        metadata: BTreeMap<String, String>,
    }
    let inbox = nats.new_inbox();
    let mut replies = nats.subscribe(inbox.clone()).await?;
    nats.publish_with_reply(group_ping(service), inbox, "".into()).await?;
    let mut found = BTreeMap::new();
    let gather = async {
        while let Some(message) = replies.next().await {
            let Ok(mut told) = serde_json::from_slice::<Told>(&message.payload) else { continue };
            let version = told.metadata.remove(VERSION).unwrap_or_else(|| STABLE.to_owned());
            *found.entry(version).or_default() += 1;
        }
    };
    let _until_the_wait_is_over = tokio::time::timeout(wait, gather).await;
    Ok(found)
}
