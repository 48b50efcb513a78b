//! Dead letters, handled again.

use super::find::{Key, go_on_after};
use super::replay_one::{Ending, Letter, replay_one};
use super::selection::Selection;
use crate::cursor;
use crate::error::Error;
use crate::query::Query;
use crate::store::{HasStore, Store};
use futures::{StreamExt as _, stream};
use platform::{Audited, Cx};
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use subjects::ids::EventId;
use subjects::ops::{FailedReplay, OpsError, ReplayDeadLetters, ReplayOutcome};
use tokio::time::Instant;

/// How many are replayed when it is not said.
const LIMIT: u16 = 500;
/// How many are looked up at a time.
const PAGE: u16 = 64;
/// How many are replayed at a time: a part of the connections, of which requests have need, too.
const PARALLEL: usize = 4;
/// After how long no more are begun.
const TIME: Duration = Duration::from_secs(4);
/// How many failures are told.
const MAX_FAILURES: usize = 10;

/// Has dead letters handled again, those that were parked first before the others, and those of an ordered handler in
/// the order of their aggregate: behind one that fails, no later one of its aggregate is tried. Each is handled and
/// ceases to be a dead letter in one transaction, so that two who replay the same ones have each effect once. The first
/// of these transactions has the entry of the audit log.
///
/// # Errors
/// A cursor of another list; the database's.
pub async fn replay<A: HasStore>(cx: &Cx<A>, request: &ReplayDeadLetters) -> Result<ReplayOutcome, OpsError> {
    let ReplayDeadLetters { handler: _, event_id: _, event_type: _, dry_run, limit, cursor } = request;
    let (store, selection) = (cx.app.store(), selection(request));
    let mut after = cursor::decode::<Key>(cursor.as_deref())?;
    let mut to_go = limit.unwrap_or(LIMIT);
    let mut outcome = ReplayOutcome::default();
    let until = Instant::now() + TIME;
    loop {
        let page = next_page(store, &selection, after.as_ref(), to_go.min(PAGE)).await?;
        let Some(last) = page.last() else {
            after = None;
            break;
        };
        after = Some(last.key.clone());
        to_go = to_go.saturating_sub(u16::try_from(page.len()).unwrap_or(u16::MAX));
        for (letter, ending) in replay_page(store, page, *dry_run, cx.audited()).await {
            note(&mut outcome, &letter, ending?);
        }
        if to_go == 0 || Instant::now() >= until {
            break;
        }
    }
    outcome.left = selection.count(store.read()).await?;
    // Whoever has come to the end by exactly so many need not ask again.
    outcome.next_cursor = after.filter(|_| outcome.left > 0).map(|key| cursor::encode(&key));
    Ok(outcome)
}

/// How many dead letters are meant, from the first page to the last.
///
/// # Errors
/// The database's.
pub(crate) async fn meant(store: &Store, request: &ReplayDeadLetters) -> Result<u64, Error> {
    selection(request).count(store.read()).await
}

fn selection(request: &ReplayDeadLetters) -> Selection<'_> {
    Selection {
        handler: request.handler.as_deref(),
        event_id: request.event_id,
        event_type: request.event_type.as_deref(),
        ..Selection::default()
    }
}

async fn next_page(
    store: &Store,
    selection: &Selection<'_>,
    after: Option<&Key>,
    limit: u16,
) -> Result<Vec<Letter>, Error> {
    let mut query = Query::new("select parked_at, handler, event_id, aggregate_id from dead_letters where true");
    selection.narrow(&mut query);
    go_on_after(&mut query, after);
    query.sql(" order by parked_at, handler, event_id limit ").value(i64::from(limit));
    let rows = store.read().query_all_raw(query.statement()).await?;
    let read = rows.iter().map(|row| {
        let key = (row.try_get("", "parked_at")?, row.try_get("", "handler")?, row.try_get("", "event_id")?);
        Ok(Letter { key, aggregate_id: row.try_get("", "aggregate_id")? })
    });
    read.collect()
}

/// Those that have an order among themselves go one after the other.
async fn replay_page(
    store: &Store,
    page: Vec<Letter>,
    dry_run: bool,
    audited: Option<&Audited>,
) -> Vec<(Letter, Result<Ending, OpsError>)> {
    let mut lanes: Vec<Vec<Letter>> = Vec::new();
    for letter in page {
        let handler = store.inner().handlers.find(&letter.key.1);
        let is_ordered = handler.is_some_and(|handler| handler.declaration.ordered);
        let same = |lane: &&mut Vec<Letter>| lane.first().is_some_and(|first| first.is_of_the_same_aggregate(&letter));
        match lanes.iter_mut().find(|lane| is_ordered && same(lane)) {
            Some(lane) => lane.push(letter),
            None => lanes.push(vec![letter]),
        }
    }
    let replaying = stream::iter(lanes).map(|lane| async move {
        let mut endings = Vec::with_capacity(lane.len());
        for letter in lane {
            let ending = replay_one(store, &letter, dry_run, audited).await.map_err(OpsError::from);
            endings.push((letter, ending));
        }
        endings
    });
    let lanes: Vec<_> = replaying.buffer_unordered(PARALLEL).collect().await;
    lanes.into_iter().flatten().collect()
}

fn note(outcome: &mut ReplayOutcome, letter: &Letter, ending: Ending) {
    let (_, handler, event_id) = &letter.key;
    match ending {
        Ending::Replayed => outcome.replayed += 1,
        // Somebody else has it, or has had it; or its turn comes after one that has failed.
        Ending::NotNow => {}
        Ending::Failed(error) => {
            outcome.failed += 1;
            if outcome.failures.len() < MAX_FAILURES {
                let failure = FailedReplay { handler: handler.clone(), event_id: EventId(*event_id), error };
                outcome.failures.push(failure);
            }
        }
    }
}
