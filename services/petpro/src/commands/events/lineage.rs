//! All that followed from a request.

use super::gather::effects;
use super::tree::{Gathered, Node, forest};
use crate::operator::{Operator, Unanswered, count, finish, print_json};
use crate::output::say;
use anyhow::bail;
use serde_json::json;
use subjects::catalogue;
use subjects::ids::EventId;
use subjects::ops::{FindEvent, FindLineage, ToldEvent};

/// How many events of each service are asked for.
const LIMIT: u16 = 1_000;

pub(super) async fn lineage(operator: &Operator, id: &str, as_json: bool) -> anyhow::Result<()> {
    let mut unanswered: Vec<Unanswered> = Vec::new();
    let correlation_id = correlation_of(operator, id).await;
    let question = FindLineage { correlation_id: correlation_id.clone(), limit: Some(LIMIT) };
    let answers = operator.ask_each(&catalogue::SERVICES, &question).await;
    unanswered.extend(answers.unanswered);
    let has_more = answers.answered.iter().any(|(_, lineage)| lineage.has_more);
    let mut told: Vec<(&'static str, ToldEvent)> = answers
        .answered
        .into_iter()
        .flat_map(|(service, lineage)| lineage.events.into_iter().map(move |event| (service, event)))
        .collect();
    told.sort_by_key(|(_, event)| (event.created_at, event.id));
    if told.is_empty() && unanswered.is_empty() {
        bail!(
            "no service keeps events of {id}: it is neither an event nor the x-correlation-id of a request that told any, in the last week"
        );
    }
    let ids: Vec<EventId> = told.iter().map(|(_, event)| event.id).collect();
    let mut silent: Vec<Unanswered> = Vec::new();
    let by_service = effects(operator, &ids, &mut silent).await;
    // Who has not answered once is named once.
    silent.retain(|problem| !unanswered.iter().any(|known| known.service == problem.service));
    unanswered.extend(silent);
    let roots = forest(Gathered { told, by_service });
    if as_json {
        let roots = roots.iter().map(Node::to_json).collect::<Vec<_>>();
        print_json(&json!({ "correlationId": correlation_id, "roots": roots, "hasMore": has_more }))?;
        return finish(&unanswered);
    }
    say!("request {correlation_id}")?;
    for line in super::tree::lines(&roots) {
        say!("{line}")?;
    }
    if has_more {
        say!("There is more than {} events of a service; the first ones are shown.", count(LIMIT))?;
    }
    finish(&unanswered)
}

/// The correlation id of an event, or what was given where it names none.
async fn correlation_of(operator: &Operator, id: &str) -> String {
    let Ok(event_id) = id.parse::<EventId>() else { return id.to_owned() };
    let answers = operator.ask_each(&catalogue::SERVICES, &FindEvent { id: event_id }).await;
    let of_event = answers.answered.iter().find_map(|(_, details)| {
        let told = details.told.as_ref().and_then(|told| told.correlation_id.clone());
        told.or_else(|| details.dead_letters.iter().find_map(|letter| letter.correlation_id.clone()))
    });
    of_event.unwrap_or_else(|| id.to_owned())
}
