//! Everything in the outboxes has gone out, and nothing was told twice.

use super::NAMED;
use super::violation::{EventName, Found, Violation};
use sqlx::{AssertSqlSafe, PgConnection};
use subjects::catalogue::SERVICES;

/// A row waits to be published.
pub const UNPUBLISHED: &str = "an event was not published";
/// The same change was told by two events.
pub const TOLD_TWICE: &str = "a change was told twice";

/// No row is unpublished.
pub async fn all_published(database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    for service in SERVICES {
        let query = format!(
            "select id, type, aggregate_id, version from {service}.outbox where published_at is null
            order by id limit $1"
        );
        let rows: Vec<EventName> = sqlx::query_as(AssertSqlSafe(query)).bind(NAMED).fetch_all(&mut *database).await?;
        for event in rows {
            found.add(Violation::of_event(UNPUBLISHED, event, None, String::new()));
        }
        let all = format!("select count(*) from {service}.outbox");
        found.examined("events", sqlx::query_scalar(AssertSqlSafe(all)).fetch_one(&mut *database).await?);
    }
    Ok(())
}

/// An aggregate has one event of a type and version at the most.
pub async fn none_told_twice(database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    for service in SERVICES {
        let query = format!(
            "select (array_agg(id order by id))[2] as id, type, aggregate_id, version from {service}.outbox
            group by type, aggregate_id, version having count(*) > 1 limit $1"
        );
        let rows: Vec<EventName> = sqlx::query_as(AssertSqlSafe(query)).bind(NAMED).fetch_all(&mut *database).await?;
        for event in rows {
            found.add(Violation::of_event(TOLD_TWICE, event, None, String::new()));
        }
    }
    Ok(())
}
