//! Putting back: a published row waits again, under the id that it has, because its stream has lost the event.

use super::places::{Keeper, Place};
use super::session::{Session, TIMEOUT};
use crate::planted::{self, Planted};
use crate::within::within;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many rows a statement puts back at the most, so that none takes long.
const PART: usize = 5_000;

/// A statement that puts back those of the chosen rows that are published.
macro_rules! put_back {
    ($chosen:literal) => {
        concat!(
            "update outbox set published_at = null, stream = null, incarnation = null, sequence = null from (",
            $chosen,
            ") as lost where outbox.id = lost.id and outbox.published_at is not null"
        )
    };
}

/// Two ranges, in the order of the indexes over the places, so that these alone find the rows: usually there are none,
/// among all that was published in a week.
const OF_OTHER_INCARNATIONS: &str = put_back!(
    "(select id from outbox where stream = $1 and incarnation < $2 and published_at is not null
      order by stream, incarnation, sequence limit 5000)
     union all
     (select id from outbox where stream = $1 and incarnation > $2 and published_at is not null
      order by stream, incarnation, sequence limit 5000)"
);
const ABOVE: &str = put_back!(
    "select id from outbox where stream = $1 and incarnation = $2 and sequence > $3 and published_at is not null
     order by sequence limit 5000"
);
const FROM_ON: &str = put_back!(
    "select id from outbox
     where stream = $1 and incarnation = $2 and sequence >= $3 and id <> all($4) and published_at is not null
     order by sequence limit 5000"
);
/// Instead of [`FROM_ON`], for a mistake that is planted: the places are free, and nothing waits.
const FORGET_FROM_ON: &str = "\
    update outbox set sequence = -sequence
    where stream = $1 and incarnation = $2 and sequence >= $3 and id <> all($4) and published_at is not null";
/// Only where the row is still noted there.
const EXACTLY: &str = "\
    update outbox set published_at = null, stream = null, incarnation = null, sequence = null
    from unnest($3::uuid[], $4::bigint[]) as lost(id, sequence)
    where outbox.id = lost.id and outbox.sequence = lost.sequence and outbox.stream = $1 and outbox.incarnation = $2
        and outbox.published_at is not null";
const BY_ID: &str = put_back!("select unnest($1::uuid[]) as id");

const OTHER_INCARNATIONS: &str = "\
    select count(*) from outbox where stream = $1 and incarnation <> $2 and published_at is not null";
/// Events that were told since a time. Ids begin with the time too, by another clock.
const TOLD_SINCE: &str = "\
    select id from outbox
    where id >= first_id_at(greatest($1 - interval '1 hour', 'epoch')) and id > $2 and created_at >= $1 and published_at is not null
    order by id limit $3";

/// Puts back what stands from a sequence on, but for some ids: stream, incarnation, sequence, ids. Some thousand rows.
pub(super) fn from_on() -> &'static str {
    if planted::is(Planted::NoRefill) { FORGET_FROM_ON } else { FROM_ON }
}

impl Session {
    /// Puts back all events that another stream of the name keeps, or kept, and answers how many. In several statements,
    /// all of which must be through before anything else is published, so that events of an aggregate stay in order.
    pub(super) async fn put_back_of_other_incarnations(&mut self, keeper: &Keeper) -> anyhow::Result<u64> {
        let mut put_back = 0;
        while !planted::is(Planted::NoRefill) {
            let query = sqlx::query(OF_OTHER_INCARNATIONS).bind(&keeper.stream).bind(keeper.incarnation);
            let updating = query.execute(&mut self.connection);
            let rows = within(TIMEOUT, updating, "putting back what an earlier stream kept").await?.rows_affected();
            put_back += rows;
            if rows == 0 {
                break;
            }
        }
        Ok(put_back)
    }

    /// Puts back all events above a sequence, likewise.
    pub(super) async fn put_back_above(&mut self, keeper: &Keeper, sequence: i64) -> anyhow::Result<u64> {
        let mut put_back = 0;
        while !planted::is(Planted::NoRefill) {
            let query = sqlx::query(ABOVE).bind(&keeper.stream).bind(keeper.incarnation).bind(sequence);
            let updating = query.execute(&mut self.connection);
            let rows = within(TIMEOUT, updating, "putting back what the stream has lost").await?.rows_affected();
            put_back += rows;
            if rows == 0 {
                break;
            }
        }
        Ok(put_back)
    }

    /// Puts back these rows where they are still noted there.
    pub(super) async fn put_back_exactly(&mut self, keeper: &Keeper, lost: &[Place]) -> anyhow::Result<u64> {
        let mut put_back = 0;
        for part in lost.chunks(PART).filter(|_| !planted::is(Planted::NoRefill)) {
            let (ids, sequences): (Vec<Uuid>, Vec<i64>) = part.iter().map(|place| (place.id, place.sequence)).unzip();
            let query = sqlx::query(EXACTLY).bind(&keeper.stream).bind(keeper.incarnation).bind(ids).bind(sequences);
            let updating = query.execute(&mut self.connection);
            put_back += within(TIMEOUT, updating, "putting back what the stream has lost").await?.rows_affected();
        }
        Ok(put_back)
    }

    /// Puts back these rows, wherever they are noted.
    pub(super) async fn put_back_by_id(&mut self, ids: &[Uuid]) -> anyhow::Result<u64> {
        let updating = sqlx::query(BY_ID).bind(ids).execute(&mut self.connection);
        Ok(within(TIMEOUT, updating, "putting back what was asked for").await?.rows_affected())
    }

    /// How many rows are noted at another stream of the name.
    pub(super) async fn of_other_incarnations(&mut self, keeper: &Keeper) -> anyhow::Result<u64> {
        let query = sqlx::query_scalar(OTHER_INCARNATIONS).bind(&keeper.stream).bind(keeper.incarnation);
        let count: i64 = query.fetch_one(&mut self.connection).await.context("counting what an earlier stream kept")?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Published events that were told since a time, after an id, in the order of ids: some thousand at the most. An
    /// answer of fewer than [`Session::PART`] is the last.
    pub(super) async fn published_since(&mut self, since: DateTime<Utc>, after: Uuid) -> anyhow::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar(TOLD_SINCE).bind(since).bind(after).bind(i64::try_from(Session::PART)?);
        within(TIMEOUT, query.fetch_all(&mut self.connection), "reading what was told").await
    }

    /// How many rows are put back with one statement at the most.
    pub(super) const PART: usize = PART;
}
