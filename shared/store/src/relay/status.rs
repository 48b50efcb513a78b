//! How the outbox is, for metrics and for operators.

use super::stream::{self, Seen};
use crate::error::Error;
use crate::query::statement;
use crate::store::Store;
use async_nats::jetstream;
use chrono::NaiveDate;
use sea_orm::{ConnectionTrait as _, FromQueryResult, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use subjects::event;
use subjects::ops::{OutboxDay, OutboxStatus, StreamStatus};
use tokio::time::timeout;

/// How long an operator waits for JetStream.
const PATIENCE: Duration = Duration::from_secs(2);

const BACKLOG: &str = "\
    select tableoid::regclass::text as partition, count(*) as unpublished,
        extract(epoch from clock_timestamp() - min(created_at))::float8 as oldest_age_seconds
    from outbox where published_at is null group by tableoid";
/// How many rows each partition has, as Postgres's statistics know it: to count them would read them all.
const DAYS: &str = "\
    select inhrelid::regclass::text as partition, greatest(pg_stat_get_live_tuples(inhrelid), 0) as rows
    from pg_inherits where inhparent = 'outbox'::regclass order by 1";
/// The last thousand at the most, so that the question stays as small as it is.
const RATE: &str = "\
    select (count(*) / greatest(extract(epoch from clock_timestamp() - min(published_at)), 0.001))::float8 as rate,
        count(*) as published
    from (
        select published_at from outbox where stream = $1 and incarnation = $2 and published_at is not null
        order by sequence desc limit 1000
    ) as recent
    where published_at > clock_timestamp() - interval '1 minute'";
const HIGHEST: &str = "\
    select sequence from outbox where stream = $1 and incarnation = $2 and published_at is not null
    order by sequence desc limit 1";

/// What waits to be published.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub unpublished: i64,
    /// None: nothing waits.
    pub oldest_age_seconds: Option<f64>,
    /// How many wait in each partition that has any.
    by_partition: BTreeMap<String, i64>,
}

#[derive(FromQueryResult)]
struct BacklogRow {
    partition: String,
    unpublished: i64,
    oldest_age_seconds: Option<f64>,
}

#[derive(FromQueryResult)]
struct DayRow {
    partition: String,
    rows: i64,
}

#[derive(FromQueryResult)]
struct RateRow {
    rate: Option<f64>,
    published: i64,
}

#[derive(FromQueryResult)]
struct SequenceRow {
    sequence: i64,
}

pub(super) async fn backlog(store: &Store) -> Result<Backlog, Error> {
    let rows = store.read().query_all_raw(statement(BACKLOG, Vec::new())).await?;
    let mut backlog = Backlog::default();
    for row in &rows {
        let row = BacklogRow::from_query_result(row, "")?;
        backlog.unpublished += row.unpublished;
        backlog.oldest_age_seconds = match (backlog.oldest_age_seconds, row.oldest_age_seconds) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        backlog.by_partition.insert(row.partition, row.unpublished);
    }
    Ok(backlog)
}

/// What waits, what is kept of each day, and what JetStream says of the stream.
pub async fn status(store: &Store, jetstream: &jetstream::Context) -> Result<OutboxStatus, Error> {
    let name = event::stream_name(store.inner().service);
    let backlog = backlog(store).await?;
    let seen = timeout(PATIENCE, stream::look(jetstream, &name)).await.ok().and_then(Result::ok);
    let mut status = OutboxStatus {
        unpublished: backlog.unpublished,
        oldest_age_seconds: backlog.oldest_age_seconds,
        days: days(store, &backlog).await?,
        ..OutboxStatus::default()
    };
    if let Some(Seen { keeper, first_sequence, last_sequence, messages, .. }) = seen {
        let place: Vec<Value> = vec![keeper.stream.as_str().into(), keeper.incarnation.into()];
        let recent = store.read().query_one_raw(statement(RATE, place.clone())).await?;
        if let Some(recent) = recent {
            let recent = RateRow::from_query_result(&recent, "")?;
            status.published_per_second = if recent.published == 0 { Some(0.0) } else { recent.rate };
        }
        let highest = store.read().query_one_raw(statement(HIGHEST, place)).await?;
        let highest = highest.map(|row| SequenceRow::from_query_result(&row, "")).transpose()?;
        status.highest_noted = highest.map(|row| row.sequence);
        status.stream = Some(StreamStatus {
            name: keeper.stream,
            incarnation: keeper.incarnation,
            first_sequence: u64::try_from(first_sequence).unwrap_or(0),
            last_sequence: u64::try_from(last_sequence).unwrap_or(0),
            messages: u64::try_from(messages).unwrap_or(0),
        });
    }
    Ok(status)
}

/// The days of which something is kept, and what belongs to none.
async fn days(store: &Store, backlog: &Backlog) -> Result<Vec<OutboxDay>, Error> {
    let mut days = Vec::new();
    for row in store.read().query_all_raw(statement(DAYS, Vec::new())).await? {
        let DayRow { partition, rows } = DayRow::from_query_result(&row, "")?;
        let unpublished = backlog.by_partition.get(&partition).copied().unwrap_or(0);
        // The statistics are a little behind.
        let rows = rows.max(unpublished);
        if rows > 0 {
            days.push(OutboxDay { day: day_of(&partition), rows, unpublished });
        }
    }
    days.sort_by_key(|day| (day.day.is_none(), day.day));
    Ok(days)
}

/// Of `outbox_20260131`. None: of no day.
fn day_of(partition: &str) -> Option<NaiveDate> {
    let (_, day) = partition.rsplit_once('_')?;
    NaiveDate::parse_from_str(day, "%Y%m%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_tells_its_day() {
        assert_eq!(day_of("outbox_20260131"), NaiveDate::from_ymd_opt(2026, 1, 31));
        assert_eq!(day_of("outbox_other_days"), None);
        assert_eq!(day_of("outbox"), None);
    }
}
