//! Events as they are told.

use crate::cli::TailArgs;
use crate::commands::shutdown_signal;
use crate::operator::{Colour, Operator, clock, paint};
use crate::output::{aside, say};
use anyhow::bail;
use async_nats::Message;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use futures::stream::select_all;
use platform::headers;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use subjects::{catalogue, event};

/// How wide the type is shown, unless it is longer.
const TYPE_WIDTH: usize = 25;
/// The width of a UUID.
const ID_WIDTH: usize = 36;

pub(super) async fn tail(operator: &Operator, args: &TailArgs, as_json: bool) -> anyhow::Result<()> {
    let subjects = subjects(args)?;
    let mut subscriptions = Vec::with_capacity(subjects.len());
    for subject in &subjects {
        subscriptions.push(operator.nats().subscribe(subject.clone()).await?);
    }
    operator.nats().flush().await?;
    aside(format_args!("listening to {}; Ctrl-C ends it\n", subjects.join(", ")));
    if !as_json {
        let heading = format!(
            "{:<12}  {:<TYPE_WIDTH$}  {:<ID_WIDTH$}  {:>7}  {:<ID_WIDTH$}  CORRELATION",
            "TIME", "TYPE", "AGGREGATE", "VERSION", "EVENT"
        );
        say!("{}", paint(&heading, Colour::Bold))?;
    }
    let shutdown = shutdown_signal()?;
    let mut messages = select_all(subscriptions);
    let mut shown: u64 = 0;
    while args.count.is_none_or(|count| shown < count) {
        let message = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            message = messages.next() => message,
        };
        let Some(message) = message else { bail!("the connection to NATS has ended") };
        let told = Told::of(&message);
        if as_json {
            say!("{}", told.to_json())?
        } else {
            say!("{}", told.to_line())?
        }
        shown += 1;
    }
    Ok(())
}

/// The subjects to listen to, none of which holds what another one does.
fn subjects(args: &TailArgs) -> anyhow::Result<Vec<String>> {
    let is_of_service = |service: &str| args.services.is_empty() || args.services.iter().any(|name| name == service);
    if args.types.is_empty() {
        return Ok(match args.services.as_slice() {
            [] => vec!["event.>".to_owned()],
            _ => catalogue::SERVICES
                .into_iter()
                .filter(|name| is_of_service(name))
                .flat_map(catalogue::stream_subjects)
                .collect(),
        });
    }
    let (mut entities, mut types) = (BTreeSet::new(), BTreeSet::new());
    for wanted in &args.types {
        let wanted = wanted.trim_end_matches(".*");
        let told = || catalogue::events().filter(|event| is_of_service(event.service));
        if told().any(|event| event.entity() == wanted) {
            entities.insert(wanted);
        } else if told().any(|event| event.event_type == wanted) {
            types.insert(wanted);
        } else {
            let all: BTreeSet<&str> = catalogue::events().map(|event| event.entity()).collect();
            let all = all.into_iter().collect::<Vec<_>>().join(", ");
            bail!("nothing tells {wanted} there; `petpro asyncapi` lists the types, which are of {all}");
        }
    }
    types.retain(|event_type| !entities.iter().any(|entity| event_type.starts_with(&format!("{entity}."))));
    Ok(entities.into_iter().map(event::entity_filter).chain(types.into_iter().map(event::type_filter)).collect())
}

/// What is shown of an event.
struct Told<'a> {
    message: &'a Message,
    body: Option<Value>,
}

impl<'a> Told<'a> {
    fn of(message: &'a Message) -> Told<'a> {
        Told { message, body: serde_json::from_slice(&message.payload).ok() }
    }

    fn header(&self, name: &'static str) -> Option<&'a str> {
        self.message.headers.as_ref()?.get(name).map(|value| value.as_str())
    }

    fn event_type(&self) -> &'a str {
        event::type_of_subject(&self.message.subject).unwrap_or(&self.message.subject)
    }

    fn time(&self) -> Option<DateTime<Utc>> {
        self.header("ce-time").and_then(|time| time.parse().ok())
    }

    fn version(&self) -> Option<i64> {
        self.body.as_ref()?.get("version")?.as_i64()
    }

    fn id(&self) -> Option<&'a str> {
        self.header("ce-id").or_else(|| self.header("Nats-Msg-Id"))
    }

    fn to_line(&self) -> String {
        let time = self.time().map_or_else(|| "?".to_owned(), clock);
        let version = self.version().map_or_else(|| "?".to_owned(), |version| version.to_string());
        let aggregate = self.header("ce-subject").unwrap_or("?");
        let line = format!(
            "{time:<12}  {:<TYPE_WIDTH$}  {aggregate:<ID_WIDTH$}  {version:>7}  {:<ID_WIDTH$}  {}",
            self.event_type(),
            self.id().unwrap_or("?"),
            self.header(headers::CORRELATION_ID).unwrap_or("-"),
        );
        // Whatever has no body that can be read will be a dead letter everywhere.
        if self.body.is_some() { line } else { paint(&format!("{line}  its body is not JSON"), Colour::Red) }
    }

    fn to_json(&self) -> Value {
        json!({
            "time": self.time(),
            "type": self.event_type(),
            "aggregateId": self.header("ce-subject"),
            "version": self.version(),
            "id": self.id(),
            "correlationId": self.header(headers::CORRELATION_ID),
            "cause": self.header(headers::CAUSE),
            "body": self.body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(types: &[&str], services: &[&str]) -> anyhow::Result<Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        subjects(&TailArgs { types: owned(types), services: owned(services), count: None })
    }

    #[test]
    fn nothing_is_listened_to_twice() {
        assert_eq!(asked(&[], &[]).unwrap(), ["event.>"]);
        assert_eq!(asked(&[], &["booking"]).unwrap(), ["event.booking.>"]);
        assert_eq!(asked(&["booking.created"], &[]).unwrap(), ["event.booking.created.*"]);
        let of_pets = asked(&["pet", "pet.created", "pet.*"], &[]).unwrap();
        assert_eq!(of_pets, ["event.pet.>"]);
    }

    #[test]
    fn a_type_that_nobody_tells_is_refused() {
        assert!(asked(&["booking.exploded"], &[]).unwrap_err().to_string().contains("petpro asyncapi"));
        assert!(asked(&["booking.created"], &["vendor"]).is_err());
    }
}
