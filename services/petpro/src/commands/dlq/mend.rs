//! Handling dead letters again, or giving them up.

use super::{in_words, services};
use crate::cli::DlqChoice;
use crate::operator::{
    Cell, Colour, Counter, Operator, Table, Unanswered, count, finish, many, paint, print_json, shortened,
};
use crate::output::{aside, say};
use serde_json::{Value, json};
use subjects::ops::{DropDeadLetters, DropOutcome, FailedReplay, ReplayDeadLetters, ReplayOutcome};

/// How many a service is asked to handle again in one part; it may do fewer.
const PART: u16 = 5_000;
/// How many failures are shown.
const FAILURES_SHOWN: usize = 10;
/// How much of an error is shown.
const ERROR_LENGTH: usize = 120;

pub(super) async fn replay(
    operator: &Operator,
    chosen: &DlqChoice,
    dry_run: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut outcomes: Vec<(&'static str, ReplayOutcome)> = Vec::new();
    let mut unanswered: Vec<Unanswered> = Vec::new();
    for service in services(&chosen.which) {
        match replay_one(operator, service, chosen, dry_run).await {
            Ok(outcome) => outcomes.push((service, outcome)),
            Err(problem) if problem.is_not_found() => {}
            Err(problem) => unanswered.push(problem),
        }
    }
    let failed: u64 = outcomes.iter().map(|(_, outcome)| outcome.failed).sum();
    if as_json {
        let by_service = outcomes.iter().map(|(service, outcome)| {
            let ReplayOutcome { replayed, failed, failures, left, .. } = outcome;
            let told = json!({ "replayed": replayed, "failed": failed, "failures": failures, "left": left });
            ((*service).to_owned(), told)
        });
        print_json(&json!({ "dryRun": dry_run, "services": Value::Object(by_service.collect()) }))?;
    } else {
        print_replay(&outcomes, chosen, dry_run)?;
    }
    if failed > 0 {
        for problem in &unanswered {
            aside(format_args!("petpro: {problem}\n"));
        }
        let verb = if dry_run { "would fail" } else { "failed" };
        anyhow::bail!("{} {verb} again, and will stay", many(failed, "dead letter"));
    }
    finish(&unanswered)
}

/// Asks again until all that fit were tried once.
async fn replay_one(
    operator: &Operator,
    service: &'static str,
    chosen: &DlqChoice,
    dry_run: bool,
) -> Result<ReplayOutcome, Unanswered> {
    let mut total = ReplayOutcome::default();
    let mut counter = Counter::new();
    loop {
        let question = ReplayDeadLetters {
            handler: chosen.which.handler.clone(),
            event_id: chosen.id,
            event_type: chosen.which.event_type.clone(),
            dry_run,
            limit: Some(PART),
            cursor: total.next_cursor.take(),
        };
        let part = operator.ask(service, &question).await?;
        total.replayed += part.replayed;
        total.failed += part.failed;
        let room = FAILURES_SHOWN.saturating_sub(total.failures.len());
        total.failures.extend(part.failures.into_iter().take(room));
        total.left = part.left;
        total.next_cursor = part.next_cursor;
        if total.next_cursor.is_none() {
            return Ok(total);
        }
        let (done, failed, left) = (count(total.replayed), count(total.failed), count(total.left));
        counter.at(&format!("{service}: {done} handled, {failed} failed, {left} left"));
    }
}

fn print_replay(outcomes: &[(&'static str, ReplayOutcome)], chosen: &DlqChoice, dry_run: bool) -> anyhow::Result<()> {
    let mut table = Table::new(&["SERVICE", if dry_run { "WOULD BE HANDLED" } else { "HANDLED" }, "FAILED", "LEFT"]);
    for (service, outcome) in
        outcomes.iter().filter(|(_, outcome)| outcome.replayed + outcome.failed + outcome.left > 0)
    {
        let failed = if outcome.failed > 0 { Colour::Red } else { Colour::Plain };
        table.row(vec![
            Cell::text(service),
            Cell::number(count(outcome.replayed)),
            Cell::number(count(outcome.failed)).in_colour(failed),
            Cell::number(count(outcome.left)),
        ]);
    }
    if table.is_empty() {
        say!("{}", paint(&format!("There are no such dead letters ({}).", in_words(chosen)), Colour::Green))?;
        return Ok(());
    }
    table.print()?;
    for (service, outcome) in outcomes {
        for FailedReplay { handler, event_id, error } in &outcome.failures {
            say!("  {service} {handler} {event_id}: {}", shortened(error, ERROR_LENGTH))?;
        }
    }
    if dry_run {
        say!("Nothing was changed; without --dry-run it is done.")?;
    }
    Ok(())
}

pub(super) async fn drop_letters(
    operator: &Operator,
    chosen: &DlqChoice,
    why: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut dropped: Vec<(&'static str, u64)> = Vec::new();
    let mut unanswered: Vec<Unanswered> = Vec::new();
    for service in services(&chosen.which) {
        match drop_of_one(operator, service, chosen, why).await {
            Ok(number) => dropped.push((service, number)),
            Err(problem) if problem.is_not_found() => {}
            Err(problem) => unanswered.push(problem),
        }
    }
    let sum: u64 = dropped.iter().map(|(_, number)| number).sum();
    if as_json {
        let by_service = dropped.iter().map(|(service, number)| ((*service).to_owned(), json!(number)));
        print_json(&json!({ "dropped": Value::Object(by_service.collect()) }))?;
    } else if sum > 0 {
        let parts: Vec<String> = dropped
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(service, number)| format!("{} of {service}", count(*number)))
            .collect();
        say!("Given up: {} ({}).", parts.join(", "), in_words(chosen))?;
    } else if unanswered.is_empty() {
        say!("There are no such dead letters ({}).", in_words(chosen))?;
    }
    finish(&unanswered)
}

async fn drop_of_one(
    operator: &Operator,
    service: &'static str,
    chosen: &DlqChoice,
    why: &str,
) -> Result<u64, Unanswered> {
    let question = DropDeadLetters {
        handler: chosen.which.handler.clone(),
        event_id: chosen.id,
        event_type: chosen.which.event_type.clone(),
        why: why.to_owned(),
        limit: Some(PART),
    };
    let mut sum = 0;
    let mut counter = Counter::new();
    loop {
        let DropOutcome { dropped, left } = operator.ask(service, &question).await?;
        sum += dropped;
        if left == 0 || dropped == 0 {
            return Ok(sum);
        }
        counter.at(&format!("{service}: {} given up, {} left", count(sum), count(left)));
    }
}
