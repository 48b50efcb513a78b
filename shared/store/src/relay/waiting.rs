//! What waits to be published, in the order in which it is published.

use super::session::{Session, TIMEOUT};
use crate::within::within;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An event that waits to be published.
#[derive(Debug)]
pub(super) struct Waiting {
    pub id: Uuid,
    pub event_type: String,
    pub aggregate_id: Uuid,
    pub headers: BTreeMap<String, String>,
    /// JSON.
    pub body: String,
    pub created_at: DateTime<Utc>,
    /// How many rows were looked at together with this one.
    looked_at: i64,
}

impl<'r> FromRow<'r, PgRow> for Waiting {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Waiting> {
        let Json(headers) = row.try_get("headers")?;
        Ok(Waiting {
            id: row.try_get("id")?,
            event_type: row.try_get("type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            headers,
            body: row.try_get("body")?,
            created_at: row.try_get("created_at")?,
            looked_at: row.try_get("looked_at")?,
        })
    }
}

/// How many events a batch holds at the most.
const BATCH: usize = 512;
/// How many rows are looked at with one question: more than a batch, since an aggregate may have several.
const WINDOW: i64 = 1_024;
/// How many questions are asked for a batch at the most; the next one goes on from there.
const MAX_WINDOWS: usize = 16;

/// The first unpublished event of each aggregate among the next so many unpublished rows: one an aggregate, so that the
/// next one goes out when this one is acknowledged. Versions decide about the order within an aggregate, since ids of
/// several replicas follow several clocks.
///
/// The rows are read from one index a day, which are merged: a question costs a step in each of them and the rows of the
/// window. To step from aggregate to aggregate would cost a step in each day's index for each aggregate.
const NEXT_WINDOW: &str = "\
    select id, type, aggregate_id, headers, body::text as body, created_at, looked_at
    from (
        select *, row_number() over (partition by aggregate_id order by version, id) as turn,
            count(*) over () as looked_at
        from (
            select * from outbox where published_at is null and aggregate_id >= $1
            order by aggregate_id, version, id limit 1024
        ) as waiting
    ) as counted
    where turn = 1 order by aggregate_id";

impl Session {
    /// Empty: nothing waits but events of the aggregates that are `resting`, or there is [more](Session::has_more).
    ///
    /// The aggregates come in turn: one with many events takes up one place like all others.
    pub(super) async fn next_batch(&mut self, resting: &[Uuid]) -> anyhow::Result<Vec<Waiting>> {
        let begins_in_between = !self.next_aggregate.is_nil();
        let mut batch = self.batch_from_here(resting).await?;
        if batch.is_empty() && begins_in_between && !self.has_more() {
            batch = self.batch_from_here(resting).await?;
        }
        Ok(batch)
    }

    /// Whether there may be more behind the last batch.
    pub(super) fn has_more(&self) -> bool {
        !self.next_aggregate.is_nil()
    }

    async fn batch_from_here(&mut self, resting: &[Uuid]) -> anyhow::Result<Vec<Waiting>> {
        let mut batch: Vec<Waiting> = Vec::with_capacity(BATCH);
        for _ in 0..MAX_WINDOWS {
            let query = sqlx::query_as(NEXT_WINDOW).bind(self.next_aggregate);
            let reading = query.fetch_all(&mut self.connection);
            let window: Vec<Waiting> = within(TIMEOUT, reading, "reading the outbox").await?;
            let was_last = window.first().is_none_or(|first| first.looked_at < WINDOW);
            let mut last_aggregate = Uuid::nil();
            for waiting in window {
                if batch.len() == BATCH {
                    self.next_aggregate = after(last_aggregate);
                    return Ok(batch);
                }
                last_aggregate = waiting.aggregate_id;
                if !resting.contains(&waiting.aggregate_id) {
                    batch.push(waiting);
                }
            }
            if was_last {
                self.next_aggregate = Uuid::nil();
                return Ok(batch);
            }
            self.next_aggregate = after(last_aggregate);
        }
        Ok(batch)
    }
}

/// The id behind this one. Behind the highest one it begins anew.
fn after(aggregate: Uuid) -> Uuid {
    Uuid::from_u128(aggregate.as_u128().wrapping_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_for_a_window() {
        assert!(NEXT_WINDOW.contains(&format!("limit {WINDOW}\n")));
    }

    #[test]
    fn behind_the_last_aggregate_comes_the_first() {
        assert_eq!(after(Uuid::nil()), Uuid::from_u128(1));
        assert_eq!(after(Uuid::max()), Uuid::nil());
    }
}
