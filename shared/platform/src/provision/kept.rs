//! One stream or consumer: looked at, made, or changed.
//!
//! Configurations are taken and given as JSON, so that a field that this program does not know stays.

use super::declared::{Declared, Kind};
use anyhow::{Context as _, anyhow};
use async_nats::jetstream;
use async_nats::jetstream::context::RequestError;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// How long JetStream may take; a stream of several servers has to find them.
const PATIENCE: Duration = Duration::from_secs(10);
/// In the metadata: the declaration that was applied last.
const APPLIED: &str = "petpro_declared";

/// JetStream's codes for a stream and a consumer that are not there.
const NOT_THERE: [u64; 2] = [10_059, 10_014];

pub(super) enum Outcome {
    AsDeclared,
    Made,
    Changed,
}

/// Makes what is not there, and changes it where its declaration is another one than was applied last.
pub(super) async fn keep(jetstream: &jetstream::Context, declared: &Declared) -> anyhow::Result<Outcome> {
    let applied = Value::Object(declared.fields.clone()).to_string();
    let metadata = json!({ APPLIED: applied });
    let info = match ask(jetstream, &declared.info, &json!({})).await {
        Ok(info) => info,
        Err(Refusal::NotThere) => {
            let mut config = declared.fixed.clone();
            config.extend(declared.fields.clone());
            config.insert("metadata".to_owned(), metadata);
            send(jetstream, declared, &declared.create, config).await?;
            return Ok(Outcome::Made);
        }
        Err(refusal) => return Err(refusal.into_error(declared)),
    };
    let mut config = info.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut its_metadata = config.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    if its_metadata.get(APPLIED).and_then(Value::as_str) == Some(applied.as_str()) {
        return Ok(Outcome::AsDeclared);
    }
    its_metadata.insert(APPLIED.to_owned(), applied.into());
    config.extend(declared.fields.clone());
    config.insert("metadata".to_owned(), its_metadata.into());
    send(jetstream, declared, &declared.update, config).await?;
    Ok(Outcome::Changed)
}

/// Whether there was no answer, rather than a refusal.
pub(super) fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<RequestError>() || cause.is::<Elapsed>())
}

async fn send(
    jetstream: &jetstream::Context,
    declared: &Declared,
    subject: &str,
    config: Map<String, Value>,
) -> anyhow::Result<()> {
    let request = match &declared.kind {
        Kind::Stream => Value::Object(config),
        Kind::Consumer { stream } => json!({ "stream_name": stream, "config": config }),
    };
    ask(jetstream, subject, &request).await.map_err(|refusal| refusal.into_error(declared))?;
    Ok(())
}

enum Refusal {
    NotThere,
    Other(anyhow::Error),
}

impl Refusal {
    fn into_error(self, declared: &Declared) -> anyhow::Error {
        let error = match self {
            Refusal::NotThere => anyhow!("it is not there, or its stream is not"),
            Refusal::Other(error) => error,
        };
        error.context(declared.name.clone())
    }
}

async fn ask(jetstream: &jetstream::Context, subject: &str, request: &Value) -> Result<Value, Refusal> {
    let asking = jetstream.request(subject.to_owned(), request);
    // A connection that breaks takes the answer with it.
    let answered: Result<Result<Value, RequestError>, Elapsed> = timeout(PATIENCE, asking).await;
    let answered = answered.context("JetStream does not answer").map_err(Refusal::Other)?;
    let answer = answered.context("asking JetStream").map_err(Refusal::Other)?;
    let Some(error) = answer.get("error") else { return Ok(answer) };
    if error.get("err_code").and_then(Value::as_u64).is_some_and(|code| NOT_THERE.contains(&code)) {
        return Err(Refusal::NotThere);
    }
    let text = error.get("description").and_then(Value::as_str).unwrap_or("no reason given");
    Err(Refusal::Other(anyhow!("JetStream refuses: {text}")))
}
