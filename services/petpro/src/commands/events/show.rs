//! One event.

use super::gather::{Effect, Handling, handlings};
use crate::operator::{
    Cell, Colour, Operator, Table, Unanswered, ago, duration, finish, moment, paint, print_json, shortened,
};
use crate::output::say;
use anyhow::bail;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use subjects::catalogue;
use subjects::ids::EventId;
use subjects::ops::{DeadLetter, EventEffects, FindEvent, ToldEvent};

/// How much of an error the table shows.
const ERROR_LENGTH: usize = 90;

pub(super) async fn show(operator: &Operator, id: EventId, as_json: bool) -> anyhow::Result<()> {
    let answers = operator.ask_each(&catalogue::SERVICES, &FindEvent { id }).await;
    let mut told: Option<(&'static str, ToldEvent)> = None;
    let mut by_service: BTreeMap<&'static str, EventEffects> = BTreeMap::new();
    let mut unanswered: Vec<Unanswered> = Vec::new();
    for (service, details) in answers.answered {
        if let Some(event) = details.told {
            told = Some((service, event));
        }
        let effects = EventEffects { handled: details.handled_by, dead_letters: details.dead_letters };
        by_service.insert(service, effects);
    }
    for problem in answers.unanswered {
        if problem.is_not_found() {
            by_service.insert(problem.service, EventEffects::default());
        } else {
            unanswered.push(problem);
        }
    }
    let is_known = told.is_some() || by_service.values().any(|effects| *effects != EventEffects::default());
    if !is_known && unanswered.is_empty() {
        bail!(
            "no service knows of the event {id}: outboxes keep events for a week, and what handlers have done for 35 days"
        );
    }
    let event_type = told.as_ref().map(|(_, event)| event.event_type.clone()).or_else(|| type_of_letters(&by_service));
    let handlings = handlings(id, event_type.as_deref(), &by_service);
    if as_json {
        print_json(&json!({
            "id": id,
            "service": told.as_ref().map(|(service, _)| service),
            "told": told.as_ref().map(|(_, event)| event),
            "handlers": handlings.iter().map(to_json).collect::<Vec<_>>(),
        }))?;
        return finish(&unanswered);
    }
    match &told {
        Some((service, event)) => print_event(service, event)?,
        None => say!("{id} was told by a service that does not keep it any more, or does not answer.")?,
    }
    let told_at = told.as_ref().map(|(_, event)| event.created_at);
    print_handlings(&handlings, told_at)?;
    finish(&unanswered)
}

fn type_of_letters(by_service: &BTreeMap<&'static str, EventEffects>) -> Option<String> {
    let letters: Option<&DeadLetter> = by_service.values().flat_map(|effects| &effects.dead_letters).next();
    letters.map(|letter| letter.event_type.clone())
}

/// What a handler has made of an event, for scripts.
pub(super) fn to_json(handling: &Handling) -> Value {
    let Handling { service, handler, effect } = handling;
    match effect {
        Effect::Handled(handled) => {
            json!({ "service": service, "handler": handler, "state": "handled", "handledAt": handled.handled_at })
        }
        Effect::Dead(letter) => {
            json!({ "service": service, "handler": handler, "state": "dead_letter", "deadLetter": letter })
        }
        Effect::Waiting => json!({ "service": service, "handler": handler, "state": "waiting" }),
        Effect::Unknown => json!({ "service": service, "handler": handler, "state": "unknown" }),
    }
}

fn print_event(service: &str, event: &ToldEvent) -> anyhow::Result<()> {
    let head = format!("{} told by {service}", event.event_type);
    say!("{}", paint(&head, Colour::Bold))?;
    say!("  event        {}", event.id)?;
    say!("  aggregate    {}, version {}", event.aggregate_id, event.version)?;
    say!("  told         {} ({})", moment(event.created_at), ago(event.created_at))?;
    match (event.published_at, &event.stream, event.sequence) {
        (Some(published_at), Some(stream), Some(sequence)) => {
            let took = duration((published_at - event.created_at).as_seconds_f64());
            say!("  published    {took} later, {stream} {sequence}")?;
        }
        _ => say!(
            "  published    {}",
            paint("not yet: it waits for the relay (`petpro outbox status`)", Colour::Yellow)
        )?,
    }
    if let Some(origin) = &event.origin {
        say!("  origin       {origin}")?;
    }
    if let Some(cause) = event.cause {
        say!("  cause        event {cause}")?;
    }
    if let Some(correlation_id) = &event.correlation_id {
        say!("  correlation  {correlation_id}")?;
    }
    if let Some(traceparent) = event.headers.get(platform::headers::TRACEPARENT) {
        say!("  trace        {traceparent}")?;
    }
    if let Some(body) = &event.body {
        let pretty = serde_json::to_string_pretty(body)?;
        say!("  body")?;
        for line in pretty.lines() {
            say!("    {line}")?;
        }
    }
    Ok(())
}

fn print_handlings(handlings: &[Handling], told_at: Option<DateTime<Utc>>) -> anyhow::Result<()> {
    if handlings.is_empty() {
        say!("\nNo handler takes it.")?;
        return Ok(());
    }
    let mut table = Table::new(&["SERVICE", "HANDLER", "STATE", "WHEN"]);
    for handling in handlings {
        let (state, when) = state(handling, told_at);
        table.row(vec![Cell::text(&handling.service), Cell::text(&handling.handler), state, Cell::text(when)]);
    }
    say!("")?;
    table.print()?;
    Ok(())
}

fn state(handling: &Handling, told_at: Option<DateTime<Utc>>) -> (Cell, String) {
    match &handling.effect {
        Effect::Handled(handled) => {
            let when = match told_at {
                Some(told_at) => format!("{} later", duration((handled.handled_at - told_at).as_seconds_f64())),
                None => moment(handled.handled_at),
            };
            (Cell::text("done").in_colour(Colour::Green), when)
        }
        Effect::Dead(letter) => {
            let state = format!("dead letter, {}: {}", letter.reason, shortened(&letter.error, ERROR_LENGTH));
            (Cell::text(state).in_colour(Colour::Red), ago(letter.parked_at))
        }
        Effect::Waiting => (Cell::text("not yet").in_colour(Colour::Yellow), String::new()),
        Effect::Unknown => (Cell::text("the service does not answer").in_colour(Colour::Yellow), String::new()),
    }
}
