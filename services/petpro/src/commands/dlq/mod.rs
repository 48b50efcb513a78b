//! `petpro dlq`: dead letters.

mod mend;
mod show;

use crate::cli::{DlqArgs, DlqChoice, DlqCommand, DlqFilter};
use crate::operator::{Operator, named};

pub(super) async fn execute(args: &DlqArgs) -> anyhow::Result<()> {
    let operator = Operator::connect(&args.operator).await?;
    let as_json = args.operator.json;
    match &args.command {
        DlqCommand::List { which, reason, limit } => show::list(&operator, which, *reason, *limit, as_json).await,
        DlqCommand::Show { id, which } => show::one(&operator, *id, which, as_json).await,
        DlqCommand::Replay { chosen, dry_run } => mend::replay(&operator, chosen, *dry_run, as_json).await,
        DlqCommand::Drop { chosen, why } => mend::drop_letters(&operator, chosen, why, as_json).await,
    }
}

/// The services that a filter leaves.
fn services(filter: &DlqFilter) -> Vec<&'static str> {
    named(filter.service.as_slice())
}

/// The choice in words, for messages.
fn in_words(chosen: &DlqChoice) -> String {
    let mut words = Vec::new();
    words.extend(chosen.id.map(|id| format!("event {id}")));
    words.extend(chosen.which.service.as_ref().map(|service| format!("service {service}")));
    words.extend(chosen.which.handler.as_ref().map(|handler| format!("handler {handler}")));
    words.extend(chosen.which.event_type.as_ref().map(|event_type| format!("type {event_type}")));
    if words.is_empty() { "all services".to_owned() } else { words.join(", ") }
}
