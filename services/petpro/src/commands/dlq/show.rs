//! Looking at dead letters.

use super::services;
use crate::cli::DlqFilter;
use crate::operator::{
    Cell, Colour, Operator, Table, Unanswered, age, ago, count, finish, moment, paint, print_json, shortened,
};
use crate::output::say;
use serde_json::json;
use subjects::ids::EventId;
use subjects::ops::{DeadLetter, DeadLetterDetails, DeadLetterReason, FindDeadLetter, FindDeadLetters};

/// How much of an error a list shows.
const ERROR_LENGTH: usize = 80;
/// How many a service is asked for at once.
const PAGE: u16 = 100;

pub(super) async fn list(
    operator: &Operator,
    which: &DlqFilter,
    reason: Option<DeadLetterReason>,
    limit: usize,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut letters: Vec<DeadLetter> = Vec::new();
    let mut unanswered: Vec<Unanswered> = Vec::new();
    let mut there_are_more = false;
    let question = FindDeadLetters {
        handler: which.handler.clone(),
        event_type: which.event_type.clone(),
        reason,
        limit: Some(PAGE),
        cursor: None,
    };
    for service in services(which) {
        let mut question = question.clone();
        loop {
            if letters.len() >= limit {
                // Whether the rest is empty is not worth a question.
                there_are_more = true;
                break;
            }
            match operator.ask(service, &question).await {
                Ok(page) => {
                    letters.extend(page.items);
                    question.cursor = page.next_cursor;
                }
                Err(problem) => {
                    unanswered.push(problem);
                    break;
                }
            }
            if question.cursor.is_none() {
                break;
            }
        }
    }
    letters.sort_by_key(|letter| letter.parked_at);
    there_are_more |= letters.len() > limit;
    letters.truncate(limit);
    if as_json {
        print_json(&json!({ "items": letters, "hasMore": there_are_more }))?;
        return finish(&unanswered);
    }
    if letters.is_empty() && unanswered.is_empty() {
        say!("{}", paint("There are no such dead letters.", Colour::Green))?;
    } else if !letters.is_empty() {
        table(&letters).print()?;
    }
    if there_are_more {
        say!(
            "There may be more: `petpro consumers list` has their numbers, --limit shows more than {}.",
            count(limit as u64)
        )?;
    }
    finish(&unanswered)
}

/// The letters as a table.
fn table(letters: &[DeadLetter]) -> Table {
    let mut table = Table::new(&["SERVICE", "HANDLER", "TYPE", "EVENT", "REASON", "ATTEMPTS", "FOR", "ERROR"]);
    for letter in letters {
        table.row(vec![
            Cell::text(&letter.service),
            Cell::text(&letter.handler),
            Cell::text(&letter.event_type),
            Cell::text(letter.event_id),
            Cell::text(letter.reason).in_colour(colour(letter.reason)),
            Cell::number(letter.attempts),
            Cell::number(age(letter.parked_at)),
            Cell::text(shortened(&letter.error, ERROR_LENGTH)),
        ]);
    }
    table
}

/// What waits behind another one is not itself the trouble.
fn colour(reason: DeadLetterReason) -> Colour {
    if reason == DeadLetterReason::Behind { Colour::Dim } else { Colour::Red }
}

pub(super) async fn one(operator: &Operator, id: EventId, which: &DlqFilter, as_json: bool) -> anyhow::Result<()> {
    let question = FindDeadLetter { event_id: id, handler: which.handler.clone() };
    let answers = operator.ask_each(&services(which), &question).await;
    let unanswered: Vec<Unanswered> =
        answers.unanswered.into_iter().filter(|problem| !problem.is_not_found()).collect();
    if answers.answered.is_empty() && unanswered.is_empty() {
        anyhow::bail!("{id} is no dead letter; `petpro events show {id}` says who has handled it");
    }
    if as_json {
        let items: Vec<&DeadLetterDetails> = answers.answered.iter().map(|(_, details)| details).collect();
        print_json(&json!({ "items": items }))?;
        return finish(&unanswered);
    }
    for (index, (_, details)) in answers.answered.iter().enumerate() {
        if index > 0 {
            say!("")?;
        }
        print(details)?;
    }
    finish(&unanswered)
}

fn print(details: &DeadLetterDetails) -> anyhow::Result<()> {
    let DeadLetterDetails { letter, stream, incarnation, sequence, subject, headers, body, body_base64 } = details;
    let head = format!("{} could not be handled by {} of {}", letter.event_type, letter.handler, letter.service);
    say!("{}", paint(&head, Colour::Bold))?;
    say!("  event        {}", letter.event_id)?;
    if let Some(aggregate_id) = letter.aggregate_id {
        say!("  aggregate    {aggregate_id}")?;
    }
    say!("  reason       {}: {}", paint(letter.reason.as_str(), colour(letter.reason)), meaning(letter.reason))?;
    say!("  error        {}", letter.error)?;
    say!("  attempts     {}", letter.attempts)?;
    say!("  parked       {} ({})", moment(letter.parked_at), ago(letter.parked_at))?;
    say!("  place        {stream} {sequence}, subject {subject}, of the stream made {}", moment(*incarnation))?;
    if let Some(correlation_id) = &letter.correlation_id {
        say!("  correlation  {correlation_id}")?;
    }
    if let Some(traceparent) = &letter.traceparent {
        say!("  trace        {traceparent}")?;
    }
    say!("  headers")?;
    for (name, value) in headers {
        say!("    {name}: {value}")?;
    }
    match (body, body_base64) {
        (Some(body), _) => say!("  body\n{}", indented(&serde_json::to_string_pretty(body)?))?,
        (None, Some(base64)) => say!("  body, which is not JSON, in base64\n    {base64}")?,
        (None, None) => say!("  body         empty")?,
    }
    let dry_run = format!(
        "petpro dlq replay {} --service {} --handler {} --dry-run",
        letter.event_id, letter.service, letter.handler
    );
    say!("\n{}", paint(&format!("Would it be handled now? {dry_run}"), Colour::Dim))?;
    Ok(())
}

/// The reason in a sentence.
const fn meaning(reason: DeadLetterReason) -> &'static str {
    match reason {
        DeadLetterReason::Unreadable => "it cannot be read",
        DeadLetterReason::Refused => "the handler has refused it",
        DeadLetterReason::Exhausted => "every attempt has failed",
        DeadLetterReason::Behind => "an earlier event of the same aggregate is a dead letter",
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
