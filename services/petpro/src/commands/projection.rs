//! `petpro projection`: read models, and building one anew.

use crate::cli::{ProjectionArgs, ProjectionCommand};
use crate::operator::{Cell, Colour, Counter, Operator, Table, ago, count, duration, finish, named, print_json};
use crate::output::say;
use serde_json::json;
use std::time::Instant;
use subjects::ops::{FindReadModels, RebuildOutcome, RebuildReadModel};

pub(super) async fn execute(args: &ProjectionArgs) -> anyhow::Result<()> {
    let operator = Operator::connect(&args.operator).await?;
    let as_json = args.operator.json;
    match &args.command {
        ProjectionCommand::List { services } => list(&operator, &named(services), as_json).await,
        ProjectionCommand::Rebuild { service, model } => {
            for service in named(std::slice::from_ref(service)) {
                rebuild(&operator, service, model, as_json).await?;
            }
            Ok(())
        }
    }
}

async fn list(operator: &Operator, services: &[&'static str], as_json: bool) -> anyhow::Result<()> {
    let answers = operator.ask_each(services, &FindReadModels {}).await;
    let mut items = Vec::new();
    let mut table = Table::new(&["SERVICE", "READ MODEL", "OWNER", "ROWS", "BUILT"]);
    for (service, page) in &answers.answered {
        for model in &page.items {
            let built = match model.built_at {
                Some(built_at) => Cell::text(ago(built_at)),
                None => Cell::text("never").in_colour(Colour::Yellow),
            };
            table.row(vec![
                Cell::text(service),
                Cell::text(&model.model),
                Cell::text(&model.owner),
                Cell::number(count(model.rows)),
                built,
            ]);
            let mut item = serde_json::to_value(model)?;
            if let Some(fields) = item.as_object_mut() {
                fields.insert("service".to_owned(), json!(service));
            }
            items.push(item);
        }
    }
    if as_json {
        print_json(&json!({ "items": items }))?;
    } else if table.is_empty() {
        say!("There are no read models.")?;
    } else {
        table.print()?;
    }
    finish(&answers.unanswered)
}

/// Asks again until the service is through. Whatever ends it, asking anew begins at the beginning and does no harm.
async fn rebuild(operator: &Operator, service: &'static str, model: &str, as_json: bool) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut total = RebuildOutcome::default();
    let mut counter = Counter::new();
    loop {
        let question = RebuildReadModel { model: model.to_owned(), cursor: total.next_cursor.take() };
        let part = operator.ask(service, &question).await?;
        total.examined += part.examined;
        total.changed += part.changed;
        total.removed += part.removed;
        total.next_cursor = part.next_cursor;
        if total.next_cursor.is_none() {
            break;
        }
        counter.at(&format!("{service} {model}: {} rows of the owner examined", count(total.examined)));
    }
    drop(counter);
    let RebuildOutcome { examined, changed, removed, .. } = total;
    if as_json {
        return print_json(&json!({
            "service": service, "model": model, "examined": examined, "changed": changed, "removed": removed,
        }));
    }
    say!(
        "{service} {model}: {} rows of the owner examined, {} changed, {} removed, in {}.",
        count(examined),
        count(changed),
        count(removed),
        duration(started.elapsed().as_secs_f64())
    )?;
    Ok(())
}
