//! A refill that an operator asks for. Any replica does it, whichever relays: rows are only put back, and the relay
//! publishes what waits.

use super::audit::audit;
use super::metrics::Sign;
use super::places::Place;
use super::session::Session;
use super::stream;
use crate::store::Store;
use async_nats::jetstream;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use subjects::ops::{RefillMode, RefillOutbox, RefillOutcome};
use subjects::{Fault, Violation, event};
use tokio::time::Instant;
use uuid::Uuid;

/// How long one part may take before it ends, where it can end.
const PART: Duration = Duration::from_secs(3);
/// After how many milliseconds trying again makes sense when Postgres or JetStream is away.
const RETRY_AFTER_MS: u64 = 1_000;

/// Puts back what was asked for, or only counts it.
///
/// # Errors
/// The cursor is not one of ours; the database, or for `lost` JetStream, is away.
pub async fn refill(
    store: &Store,
    jetstream: &jetstream::Context,
    asked: &RefillOutbox,
) -> Result<RefillOutcome, Fault> {
    let outcome = match asked.mode {
        RefillMode::Lost => {
            let from = asked.cursor.as_deref().map_or(Ok(None), |cursor| read(cursor).map(Some))?;
            refill_lost(store, jetstream, from, asked.dry_run).await
        }
        RefillMode::All => {
            let after = asked.cursor.as_deref().map_or(Ok(Uuid::nil()), read)?;
            // Ids begin with a time, and none can be before 1970; the question looks an hour back.
            let since = asked.since.unwrap_or(DateTime::UNIX_EPOCH + TimeDelta::days(1));
            refill_all(store, since, after, asked.dry_run).await
        }
    };
    let outcome = outcome.map_err(|error| Fault::unavailable(RETRY_AFTER_MS).with_source(error))?;
    if outcome.put_back > 0 {
        let (service, events) = (store.inner().service, outcome.put_back);
        tracing::warn!(service, events, mode = ?asked.mode, "an operator has events published again");
        store.inner().metrics.relay.put_back(Sign::Operator, outcome.put_back);
        store.inner().outbox_filled.notify_one();
    }
    Ok(outcome)
}

/// The stream is read from `from` on, and what it does not have is put back; before that, what another stream of the name
/// kept.
async fn refill_lost(
    store: &Store,
    jetstream: &jetstream::Context,
    from: Option<i64>,
    dry_run: bool,
) -> anyhow::Result<RefillOutcome> {
    let give_up = Instant::now() + PART;
    let mut session = Session::connect(store, "refill").await?;
    let seen = stream::look(jetstream, &event::stream_name(store.inner().service)).await?;
    let keeper = &seen.keeper;
    let mut outcome = RefillOutcome::default();
    if from.is_none() {
        let of_others = session.of_other_incarnations(keeper).await?;
        outcome.examined += of_others;
        outcome.lost += of_others;
        if !dry_run && of_others > 0 {
            outcome.put_back += session.put_back_of_other_incarnations(keeper).await?;
        }
    }
    let mut examined = audit(&mut session, jetstream, &seen, from.unwrap_or(1), Some(give_up)).await?;
    if examined.next.is_none() {
        let behind_the_end = behind_the_end(&mut session, jetstream, &seen).await?;
        examined.rows += u64::try_from(behind_the_end.len())?;
        examined.lost.extend(behind_the_end);
    }
    outcome.examined += examined.rows;
    outcome.lost += u64::try_from(examined.lost.len())?;
    if !dry_run {
        outcome.put_back += session.put_back_exactly(keeper, &examined.lost).await?;
    }
    outcome.next_cursor = examined.next.map(|next| next.to_string());
    Ok(outcome)
}

/// Rows that are noted where the stream has not come to. The relay goes on at the same time: so the rows are read first,
/// and the stream is looked at then.
async fn behind_the_end(
    session: &mut Session,
    jetstream: &jetstream::Context,
    seen: &stream::Seen,
) -> anyhow::Result<Vec<Place>> {
    let limit = i64::try_from(Session::PART)?;
    let mut places = session.between(&seen.keeper, seen.last_sequence + 1, i64::MAX, limit).await?;
    let now = stream::look(jetstream, &seen.keeper.stream).await?;
    anyhow::ensure!(now.keeper == seen.keeper, "the stream was made anew in the meantime");
    places.retain(|place| place.sequence > now.last_sequence);
    Ok(places)
}

/// All events that were told since a time, in the order of their ids, so that what is older is published first.
async fn refill_all(
    store: &Store,
    since: DateTime<Utc>,
    mut after: Uuid,
    dry_run: bool,
) -> anyhow::Result<RefillOutcome> {
    let give_up = Instant::now() + PART;
    let mut session = Session::connect(store, "refill").await?;
    let mut outcome = RefillOutcome::default();
    loop {
        let ids = session.published_since(since, after).await?;
        let count = u64::try_from(ids.len())?;
        outcome.examined += count;
        outcome.lost += count;
        if !dry_run {
            outcome.put_back += session.put_back_by_id(&ids).await?;
        }
        match ids.last() {
            Some(last) if ids.len() == Session::PART => after = *last,
            _ => return Ok(outcome),
        }
        if Instant::now() >= give_up {
            outcome.next_cursor = Some(after.to_string());
            return Ok(outcome);
        }
    }
}

fn read<T: std::str::FromStr>(cursor: &str) -> Result<T, Fault> {
    let refused = || Fault::invalid(vec![Violation::new("/cursor", "is not one that was given for this mode")]);
    cursor.parse().map_err(|_| refused())
}
