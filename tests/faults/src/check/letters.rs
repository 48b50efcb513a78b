//! No dead letter that was not planned.

use super::violation::{EventName, Found, Violation};
use super::{NAMED, Scope};
use crate::ledger;
use sqlx::{AssertSqlSafe, FromRow as _, PgConnection, Row as _};
use subjects::catalogue::SERVICES;

/// An event was parked.
pub const UNPLANNED: &str = "a dead letter that was not planned";

/// Looks into all of them.
pub async fn none_but_planned(scope: &Scope<'_>, database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    for service in SERVICES.into_iter().chain([ledger::NAME]) {
        let query = format!(
            "select event_id as id, event_type as type, coalesce(aggregate_id, event_id) as aggregate_id,
                0::bigint as version, handler, reason, error
            from {service}.dead_letters
            where event_id <> all($1) and not ('{service}' = $2 and reason = 'behind' and aggregate_id = any($3))
            order by parked_at limit $4"
        );
        let planned = (scope.planned.all(), scope.planned.aggregates());
        let letters = sqlx::query(AssertSqlSafe(query)).bind(planned.0).bind(ledger::NAME).bind(planned.1).bind(NAMED);
        for row in letters.fetch_all(&mut *database).await? {
            let (handler, reason): (String, String) = (row.try_get("handler")?, row.try_get("reason")?);
            let error: String = row.try_get("error")?;
            let handler = Some(format!("{service}_{handler}"));
            let event = EventName::from_row(&row)?;
            found.add(Violation::of_event(UNPLANNED, event, handler, format!("{reason}: {error}")));
        }
    }
    Ok(())
}
