//! Every acknowledged write is in Postgres, with exactly its event.

use super::violation::{Found, Violation};
use super::{NAMED, Scope};
use crate::load::Written;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What was acknowledged is not there.
pub const WRITE_LOST: &str = "an acknowledged write was lost";
/// What was acknowledged was not told, or more than once.
pub const NOT_TOLD_ONCE: &str = "an acknowledged write was not told exactly once";

/// What shows that a write is there, by the type of its event: a query with the ids as `$1` and the versions as `$2`
/// that answers those that are missing.
const SHOWN_BY: [(&str, &str); 5] = [
    (
        "booking.created",
        "select id from unnest($1::uuid[], $2::bigint[]) as written(id, version)
        where not exists (select from booking.bookings where id = written.id) limit $3",
    ),
    (
        "booking.confirmed",
        "select id from unnest($1::uuid[], $2::bigint[]) as written(id, version)
        where not exists (select from booking.booking_changes where booking_id = written.id and kind = 'confirmed')
        limit $3",
    ),
    (
        "booking.cancelled",
        "select id from unnest($1::uuid[], $2::bigint[]) as written(id, version)
        where not exists (select from booking.bookings where id = written.id and status = 'cancelled') limit $3",
    ),
    (
        "inventory.changed",
        "select id from unnest($1::uuid[], $2::bigint[]) as written(id, version)
        where not exists (select from catalog.stock_movements
            where inventory_id = written.id and stock_movements.version = written.version) limit $3",
    ),
    (
        "user.registered",
        "select id from unnest($1::uuid[], $2::bigint[]) as written(id, version)
        where not exists (select from auth.users where id = written.id) limit $3",
    ),
];

/// What was acknowledged is in its table.
pub async fn all_are_there(scope: &Scope<'_>, database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    let written = scope.record.written();
    found.examined("acknowledged writes", i64::try_from(written.len())?);
    for (event_type, query) in SHOWN_BY {
        let (ids, versions) = columns(written.iter().filter(|write| write.event_type == event_type));
        let missing: Vec<Uuid> =
            sqlx::query_scalar(query).bind(ids).bind(versions).bind(NAMED).fetch_all(&mut *database).await?;
        for id in missing {
            found.add(Violation::of(WRITE_LOST, format!("{event_type} of {id} was acknowledged, and is not there")));
        }
    }
    Ok(())
}

/// Each has one event of its type, and of its version where that was answered.
pub async fn told_once(scope: &Scope<'_>, database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    let written = scope.record.written();
    let kinds: BTreeSet<(&str, &str)> = written.iter().map(|write| (write.service, write.event_type)).collect();
    for (service, event_type) in kinds {
        let (ids, versions) = columns(written.iter().filter(|write| write.event_type == event_type));
        let query = format!(
            "select written.id, count(event.id) from unnest($1::uuid[], $2::bigint[]) as written(id, version)
            left join (select * from {service}.outbox where type = $3) as event
                on event.aggregate_id = written.id and event.version = coalesce(written.version, event.version)
            group by written.id, written.version having count(event.id) <> 1 limit $4"
        );
        let wrong: Vec<(Uuid, i64)> = sqlx::query_as(AssertSqlSafe(query))
            .bind(ids)
            .bind(versions)
            .bind(event_type)
            .bind(NAMED)
            .fetch_all(&mut *database)
            .await?;
        for (id, events) in wrong {
            let detail = format!("{event_type} of {id} has {events} events");
            found.add(Violation::of(NOT_TOLD_ONCE, detail));
        }
    }
    Ok(())
}

fn columns<'a>(written: impl Iterator<Item = &'a Written>) -> (Vec<Uuid>, Vec<Option<i64>>) {
    written.map(|write| (write.aggregate_id, write.version)).unzip()
}
