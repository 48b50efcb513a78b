//! `petpro outbox`: what waits to be published, and publishing again what JetStream has lost.

use crate::cli::{Mode, OutboxArgs, OutboxCommand, RefillArgs};
use crate::operator::{
    Cell, Colour, Counter, Operator, Table, Unanswered, count, duration, finish, many, moment, named, print_json, rate,
};
use crate::output::say;
use serde_json::{Value, json};
use subjects::ops::{FindOutboxStatus, OutboxStatus, RefillOutbox, RefillOutcome};

/// From which age on of its oldest event an outbox looks as if nobody relayed it, in seconds.
const WORRYING_AGE: f64 = 10.0;

pub(super) async fn execute(args: &OutboxArgs) -> anyhow::Result<()> {
    let operator = Operator::connect(&args.operator).await?;
    match &args.command {
        OutboxCommand::Status { services } => status(&operator, &named(services), args.operator.json).await,
        OutboxCommand::Refill(refilling) => refill(&operator, refilling, args.operator.json).await,
    }
}

async fn status(operator: &Operator, services: &[&'static str], as_json: bool) -> anyhow::Result<()> {
    let answers = operator.ask_each(services, &FindOutboxStatus {}).await;
    if as_json {
        let by_service: serde_json::Map<String, Value> = answers
            .answered
            .iter()
            .map(|(service, status)| Ok(((*service).to_owned(), serde_json::to_value(status)?)))
            .collect::<anyhow::Result<_>>()?;
        print_json(&Value::Object(by_service))?;
        return finish(&answers.unanswered);
    }
    let mut outboxes =
        Table::new(&["SERVICE", "WAITING", "OLDEST", "RATE", "KEPT", "STREAM", "EVENTS", "SEQUENCES", "MADE"]);
    for (service, status) in &answers.answered {
        outboxes.row(row(service, status));
    }
    outboxes.print()?;
    if let ([service], [(_, status)]) = (services, answers.answered.as_slice()) {
        days(service, status)?;
    }
    let without_stream: Vec<&str> =
        answers.answered.iter().filter(|(_, status)| status.stream.is_none()).map(|(service, _)| *service).collect();
    if !without_stream.is_empty() {
        say!(
            "JetStream does not show the streams of {}: is nats-server there, and does `petpro provision` run? Nothing is \
             lost meanwhile.",
            without_stream.join(", ")
        )?;
    }
    finish(&answers.unanswered)
}

fn row(service: &str, status: &OutboxStatus) -> Vec<Cell> {
    let is_late = status.oldest_age_seconds.is_some_and(|age| age >= WORRYING_AGE);
    let colour = if is_late { Colour::Red } else { Colour::Plain };
    let kept: i64 = status.days.iter().map(|day| day.rows).sum();
    let mut cells = vec![
        Cell::text(service),
        Cell::number(count(status.unpublished)).in_colour(colour),
        Cell::number(status.oldest_age_seconds.map_or_else(|| "-".to_owned(), duration)).in_colour(colour),
        Cell::number(status.published_per_second.map_or_else(|| "-".to_owned(), rate)),
        Cell::number(count(kept)),
    ];
    match &status.stream {
        Some(stream) => cells.extend([
            Cell::text(&stream.name),
            Cell::number(count(stream.messages)),
            Cell::text(match stream.messages {
                0 => "-".to_owned(),
                _ => format!("{}–{}", stream.first_sequence, stream.last_sequence),
            }),
            Cell::text(moment(stream.incarnation)),
        ]),
        None => cells.push(Cell::text("not there").in_colour(Colour::Red)),
    }
    cells
}

/// What one outbox keeps of each day.
fn days(service: &str, status: &OutboxStatus) -> anyhow::Result<()> {
    let mut days = Table::new(&["DAY", "ROWS", "WAITING"]);
    for day in status.days.iter().filter(|day| day.rows > 0 || day.unpublished > 0) {
        let name = day.day.map_or_else(|| "other".to_owned(), |day| day.to_string());
        days.row(vec![Cell::text(name), Cell::number(count(day.rows)), Cell::number(count(day.unpublished))]);
    }
    if days.is_empty() {
        say!("\nThe outbox of {service} keeps nothing.")?;
        return Ok(());
    }
    say!("")?;
    days.print()?;
    Ok(())
}

async fn refill(operator: &Operator, args: &RefillArgs, as_json: bool) -> anyhow::Result<()> {
    let mut outcomes: Vec<(&'static str, RefillOutcome)> = Vec::new();
    let mut unanswered: Vec<Unanswered> = Vec::new();
    for service in named(&args.services) {
        match refill_one(operator, service, args).await {
            Ok(outcome) => outcomes.push((service, outcome)),
            Err(problem) => unanswered.push(problem),
        }
    }
    if as_json {
        let by_service = outcomes.iter().map(|(service, outcome)| {
            let RefillOutcome { examined, lost, put_back, .. } = outcome;
            ((*service).to_owned(), json!({ "examined": examined, "lost": lost, "putBack": put_back }))
        });
        print_json(&Value::Object(by_service.collect()))?;
        return finish(&unanswered);
    }
    let mut table =
        Table::new(&["SERVICE", "EXAMINED", if args.mode == Mode::All { "TO PUBLISH" } else { "LOST" }, "PUT BACK"]);
    for (service, outcome) in &outcomes {
        let colour = if outcome.lost > 0 { Colour::Yellow } else { Colour::Plain };
        table.row(vec![
            Cell::text(service),
            Cell::number(count(outcome.examined)),
            Cell::number(count(outcome.lost)).in_colour(colour),
            Cell::number(count(outcome.put_back)),
        ]);
    }
    table.print()?;
    let (lost, put_back): (u64, u64) =
        outcomes.iter().fold((0, 0), |(lost, back), (_, outcome)| (lost + outcome.lost, back + outcome.put_back));
    match (args.dry_run, lost, put_back) {
        (_, 0, _) => say!("Nothing is to be published again.")?,
        (true, _, _) => {
            say!("Nothing was changed. Without --dry-run, {} would be published again.", many(lost, "event"))?
        }
        (false, _, _) => {
            say!("To be published again: {}. `petpro outbox status` shows how far it is.", many(put_back, "event"))?
        }
    }
    finish(&unanswered)
}

/// Asks again until the service is through.
async fn refill_one(
    operator: &Operator,
    service: &'static str,
    args: &RefillArgs,
) -> Result<RefillOutcome, Unanswered> {
    let mut total = RefillOutcome::default();
    let mut counter = Counter::new();
    loop {
        let question = RefillOutbox {
            mode: args.mode.into(),
            since: args.since,
            dry_run: args.dry_run,
            cursor: total.next_cursor.take(),
        };
        let part = operator.ask(service, &question).await?;
        total.examined += part.examined;
        total.lost += part.lost;
        total.put_back += part.put_back;
        total.next_cursor = part.next_cursor;
        if total.next_cursor.is_none() {
            return Ok(total);
        }
        counter.at(&format!("{service}: {} examined, {} lost", count(total.examined), count(total.lost)));
    }
}
