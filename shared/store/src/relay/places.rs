//! Where JetStream keeps what was published: stream, incarnation and sequence, which no two events share.
//!
//! A day's partition sees to it among its own rows. Between days the relay does: it writes alone, and knows the highest
//! sequence that a row has.

use super::put_back;
use super::session::{Session, TIMEOUT};
use crate::within::within;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, FromRow, Row as _};
use uuid::Uuid;

/// An event that JetStream has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub id: Uuid,
    pub sequence: i64,
}

/// A row and the sequence that it is noted at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub id: Uuid,
    pub sequence: i64,
    pub published_at: DateTime<Utc>,
}

impl<'r> FromRow<'r, PgRow> for Place {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Place> {
        Ok(Place {
            id: row.try_get("id")?,
            sequence: row.try_get("sequence")?,
            published_at: row.try_get("published_at")?,
        })
    }
}

/// Written without `published_at is null`: where the statistics know of no such row, Postgres would look for these first, and
/// read all that waits for each batch, rather than for the ids.
const NOTE_PUBLISHED: &str = "\
    update outbox set published_at = clock_timestamp(), stream = $1, incarnation = $2, sequence = acknowledged.sequence
    from unnest($3::uuid[], $4::bigint[]) as acknowledged(id, sequence)
    where outbox.id = acknowledged.id and coalesce(outbox.published_at, 'infinity') = 'infinity'";

const LOWEST_TAKEN: &str = "\
    select min(sequence) from outbox
    where stream = $1 and incarnation = $2 and sequence = any($4) and id <> all($3) and published_at is not null";

const HIGHEST: &str = "\
    select sequence from outbox where stream = $1 and incarnation = $2 and published_at is not null
    order by sequence desc limit 1";

const AT_OR_BELOW: &str = "\
    select id, sequence, published_at from outbox
    where stream = $1 and incarnation = $2 and sequence between 1 and $3 and published_at is not null
    order by sequence desc limit 1";

const BETWEEN: &str = "\
    select id, sequence, published_at from outbox
    where stream = $1 and incarnation = $2 and sequence between $3 and $4 and published_at is not null
    order by sequence limit $5";

const LOWEST: &str = "\
    select sequence from outbox
    where stream = $1 and incarnation = $2 and sequence > 0 and published_at is not null order by sequence limit 1";

/// One stream of one name: a stream that was deleted and made again is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keeper {
    pub stream: String,
    pub incarnation: DateTime<Utc>,
}

impl Session {
    /// The highest sequence that a row is noted at, 0 where there is none.
    pub(super) async fn highest(&mut self, keeper: &Keeper) -> anyhow::Result<i64> {
        self.one_sequence(HIGHEST, keeper, "looking for the highest place").await
    }

    /// The lowest sequence that a row is noted at, 0 where there is none.
    pub(super) async fn lowest(&mut self, keeper: &Keeper) -> anyhow::Result<i64> {
        self.one_sequence(LOWEST, keeper, "looking for the lowest place").await
    }

    async fn one_sequence(&mut self, sql: &'static str, keeper: &Keeper, what: &'static str) -> anyhow::Result<i64> {
        let query = sqlx::query_scalar(sql).bind(&keeper.stream).bind(keeper.incarnation);
        let sequence: Option<i64> = within(TIMEOUT, query.fetch_optional(&mut self.connection), what).await?;
        Ok(sequence.unwrap_or(0))
    }

    /// The row that is noted at this sequence, or the next one below it.
    pub(super) async fn at_or_below(&mut self, keeper: &Keeper, sequence: i64) -> anyhow::Result<Option<Place>> {
        let query = sqlx::query_as(AT_OR_BELOW).bind(&keeper.stream).bind(keeper.incarnation).bind(sequence);
        within(TIMEOUT, query.fetch_optional(&mut self.connection), "choosing a row").await
    }

    /// The rows that are noted from one sequence to another, the lowest first, so many at the most.
    pub(super) async fn between(
        &mut self,
        keeper: &Keeper,
        first: i64,
        last: i64,
        limit: i64,
    ) -> anyhow::Result<Vec<Place>> {
        let query = sqlx::query_as(BETWEEN).bind(&keeper.stream).bind(keeper.incarnation).bind(first).bind(last);
        within(TIMEOUT, query.bind(limit).fetch_all(&mut self.connection), "reading what is noted").await
    }

    /// The lowest of these places that another row has.
    pub(super) async fn lowest_taken(
        &mut self,
        keeper: &Keeper,
        acknowledged: &[Acknowledged],
    ) -> anyhow::Result<Option<i64>> {
        let (ids, sequences) = columns(acknowledged);
        let query = sqlx::query_scalar(LOWEST_TAKEN).bind(&keeper.stream).bind(keeper.incarnation);
        let asking = query.bind(ids).bind(sequences).fetch_one(&mut self.connection);
        within(TIMEOUT, asking, "looking for who has these places").await
    }

    /// Stores where JetStream keeps the events. False, and nothing stored: another row of the day has such a place.
    pub(super) async fn note_published(
        &mut self,
        keeper: &Keeper,
        acknowledged: &[Acknowledged],
    ) -> anyhow::Result<bool> {
        let query = note(keeper, acknowledged).execute(&mut self.connection);
        match tokio::time::timeout(TIMEOUT, query).await.context("noting what was published takes too long")? {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.constraint().is_some_and(is_of_places) => Ok(false),
            Err(error) => Err(error).context("noting what was published"),
        }
    }

    /// Likewise, where other rows have such places, of which `lowest` is the first: a stream gives a place only once, so
    /// it has lost what it had from there on. Those events wait to be published again, but for these. Answers how many.
    pub(super) async fn note_in_place_of_lost(
        &mut self,
        keeper: &Keeper,
        acknowledged: &[Acknowledged],
        lowest: i64,
    ) -> anyhow::Result<u64> {
        let noting = async {
            let mut transaction = self.connection.begin().await?;
            let mut put_back = 0;
            loop {
                let (ids, _) = columns(acknowledged);
                let query = sqlx::query(put_back::from_on()).bind(&keeper.stream).bind(keeper.incarnation);
                let rows = query.bind(lowest).bind(ids).execute(&mut *transaction).await?.rows_affected();
                put_back += rows;
                if rows == 0 {
                    break;
                }
            }
            note(keeper, acknowledged).execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok::<u64, sqlx::Error>(put_back)
        };
        noting.await.context("noting what was published in place of lost events")
    }
}

/// `outbox_<day>_position_key`, `outbox_other_days_position_key`.
fn is_of_places(constraint: &str) -> bool {
    constraint.starts_with("outbox_") && constraint.ends_with("_position_key")
}

fn note<'q>(keeper: &'q Keeper, acknowledged: &[Acknowledged]) -> Query<'q, sqlx::Postgres, PgArguments> {
    let (ids, sequences) = columns(acknowledged);
    sqlx::query(NOTE_PUBLISHED).bind(&keeper.stream).bind(keeper.incarnation).bind(ids).bind(sequences)
}

fn columns(acknowledged: &[Acknowledged]) -> (Vec<Uuid>, Vec<i64>) {
    acknowledged.iter().map(|event| (event.id, event.sequence)).unzip()
}
