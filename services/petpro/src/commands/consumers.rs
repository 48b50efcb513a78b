//! `petpro consumers`: how far the handlers of events are, and pausing one.

use crate::cli::{ConsumersArgs, ConsumersCommand};
use crate::operator::{Cell, Colour, Operator, Table, age, count, finish, named, paint, print_json, shortened};
use crate::output::say;
use serde_json::{Value, json};
use subjects::ops::{ConsumerStatus, FindConsumers, PauseConsumer, ResumeConsumer};

pub(super) async fn execute(args: &ConsumersArgs) -> anyhow::Result<()> {
    let operator = Operator::connect(&args.operator).await?;
    let as_json = args.operator.json;
    match &args.command {
        ConsumersCommand::List { services, behind } => list(&operator, &named(services), *behind, as_json).await,
        ConsumersCommand::Pause { service, handler, reason } => {
            let question = PauseConsumer { handler: handler.clone(), reason: reason.clone() };
            for service in named(std::slice::from_ref(service)) {
                operator.ask(service, &question).await?;
            }
            let told =
                format!("{service} takes no more events for {handler}; they wait for `petpro consumers resume`.");
            done(as_json, json!({ "service": service, "handler": handler, "paused": true }), &told)
        }
        ConsumersCommand::Resume { service, handler } => {
            for service in named(std::slice::from_ref(service)) {
                operator.ask(service, &ResumeConsumer { handler: handler.clone() }).await?;
            }
            let told = format!("{service} takes events for {handler} again.");
            done(as_json, json!({ "service": service, "handler": handler, "paused": false }), &told)
        }
    }
}

fn done(as_json: bool, document: Value, told: &str) -> anyhow::Result<()> {
    if as_json {
        return print_json(&document);
    }
    say!("{told}")?;
    Ok(())
}

async fn list(operator: &Operator, services: &[&'static str], behind: bool, as_json: bool) -> anyhow::Result<()> {
    let answers = operator.ask_each(services, &FindConsumers {}).await;
    let consumers: Vec<(&'static str, &ConsumerStatus)> = answers
        .answered
        .iter()
        .flat_map(|(service, page)| page.items.iter().map(|consumer| (*service, consumer)))
        .filter(|(_, consumer)| !behind || is_behind(consumer))
        .collect();
    if as_json {
        let mut items = Vec::with_capacity(consumers.len());
        for (service, consumer) in &consumers {
            let mut item = serde_json::to_value(consumer)?;
            if let Some(fields) = item.as_object_mut() {
                fields.insert("service".to_owned(), json!(service));
            }
            items.push(item);
        }
        print_json(&json!({ "items": items }))?;
        return finish(&answers.unanswered);
    }
    let mut table =
        Table::new(&["SERVICE", "HANDLER", "TAKES", "ORDERED", "LAG", "IN WORK", "AGAIN", "DEAD LETTERS", "STATE"]);
    for (service, consumer) in &consumers {
        table.row(row(service, consumer));
    }
    if table.is_empty() {
        let what = if behind { "No consumer is behind." } else { "There are no consumers." };
        say!("{}", paint(what, Colour::Green))?;
    } else {
        table.print()?;
    }
    finish(&answers.unanswered)
}

/// Whether somebody who looks for trouble should see it.
fn is_behind(consumer: &ConsumerStatus) -> bool {
    let is_slow = consumer.delivery.as_ref().is_none_or(|delivery| {
        delivery.pending > 0 || delivery.ack_pending > 0 || delivery.redelivered > 0 || delivery.waiting == 0
    });
    is_slow || consumer.paused.is_some() || consumer.dead_letters > 0
}

fn row(service: &str, consumer: &ConsumerStatus) -> Vec<Cell> {
    let number = |of: Option<u64>, colour: Colour| match of {
        Some(0) => Cell::number(0),
        Some(number) => Cell::number(count(number)).in_colour(colour),
        None => Cell::number("?"),
    };
    let delivery = consumer.delivery.as_ref();
    let letters = match consumer.dead_letters {
        0 => Cell::number(0),
        letters => Cell::number(count(letters)).in_colour(Colour::Red),
    };
    vec![
        Cell::text(service),
        Cell::text(&consumer.handler),
        Cell::text(consumer.takes.trim_start_matches("event.")),
        Cell::text(if consumer.ordered { "yes" } else { "no" }),
        number(delivery.map(|delivery| delivery.pending), Colour::Yellow),
        number(delivery.map(|delivery| delivery.ack_pending), Colour::Plain),
        number(delivery.map(|delivery| delivery.redelivered), Colour::Yellow),
        letters,
        state(consumer),
    ]
}

fn state(consumer: &ConsumerStatus) -> Cell {
    if let Some(paused) = &consumer.paused {
        let since = age(paused.paused_at);
        let why = shortened(&paused.reason, 60);
        return Cell::text(format!("paused for {since}: {why}")).in_colour(Colour::Yellow);
    }
    match &consumer.delivery {
        None => Cell::text("JetStream does not have it: does `petpro provision` run?").in_colour(Colour::Red),
        Some(delivery) if delivery.waiting == 0 && delivery.ack_pending == 0 => {
            Cell::text("no replica asks for events").in_colour(Colour::Red)
        }
        Some(_) => Cell::text("running").in_colour(Colour::Green),
    }
}
