//! Each event took effect exactly once in every consumer.

use super::consumers::{self, Consumer};
use super::violation::{EventName, Found, Violation};
use super::{NAMED, Scope};
use sqlx::{AssertSqlSafe, FromRow as _, PgConnection, Row as _};

/// An event had no effect.
pub const LOST: &str = "an effect was lost";
/// An event had its effect more than once.
pub const DOUBLED: &str = "an effect was doubled";
/// An event of an aggregate had its effect before an earlier one.
pub const OUT_OF_ORDER: &str = "effects are out of order";
/// An event that nobody told had an effect.
pub const UNTOLD: &str = "an effect of an event that was never told";
/// A consumer has not dealt with an event.
pub const UNHEARD: &str = "an event was not dealt with";

/// The ledger has written each event down once in each of its handlers.
pub async fn once_in_the_ledger(
    scope: &Scope<'_>,
    database: &mut PgConnection,
    found: &mut Found,
) -> anyhow::Result<()> {
    for consumer in consumers::all().into_iter().filter(|consumer| consumer.service == crate::ledger::NAME) {
        let source = consumer.source;
        let query = format!(
            "select event.id, event.type, event.aggregate_id, event.version, count(effect.position) as effects
            from {source}.outbox as event
            left join ledger.effects as effect on effect.event_id = event.id and effect.handler = $1
            where event.type = any($2) and event.id >= $3 and event.id <> all($4)
                and not (event.aggregate_id = any($5) and exists (
                    select from ledger.dead_letters as letter
                    where letter.handler = $1 and letter.event_id = event.id and letter.reason = 'behind'))
            group by event.id, event.type, event.aggregate_id, event.version
            having count(effect.position) <> 1 order by event.id limit $6"
        );
        let rows = sqlx::query(AssertSqlSafe(query))
            .bind(consumer.handler)
            .bind(&consumer.event_types)
            .bind(scope.since)
            .bind(scope.planned.all())
            .bind(scope.planned.aggregates())
            .bind(NAMED)
            .fetch_all(&mut *database)
            .await?;
        for row in rows {
            let effects: i64 = row.try_get("effects")?;
            let (rule, detail) =
                if effects == 0 { (LOST, String::new()) } else { (DOUBLED, format!("{effects} times")) };
            let event = EventName::from_row(&row)?;
            found.add(Violation::of_event(rule, event, Some(consumer.name.clone()), detail));
        }
        untold(scope, database, &consumer, found).await?;
    }
    let effects = sqlx::query_scalar("select count(*) from ledger.effects where event_id >= $1").bind(scope.since);
    found.examined("effects in the ledger", effects.fetch_one(&mut *database).await?);
    Ok(())
}

async fn untold(
    scope: &Scope<'_>,
    database: &mut PgConnection,
    consumer: &Consumer,
    found: &mut Found,
) -> anyhow::Result<()> {
    let source = consumer.source;
    let query = format!(
        "select event_id as id, event_type as type, aggregate_id, version from ledger.effects as effect
        where handler = $1 and event_id >= $2 and event_id <> all($3)
            and not exists (select from {source}.outbox where id = effect.event_id)
        limit $4"
    );
    let rows: Vec<EventName> = sqlx::query_as(AssertSqlSafe(query))
        .bind(consumer.handler)
        .bind(scope.since)
        .bind(scope.planned.all())
        .bind(NAMED)
        .fetch_all(&mut *database)
        .await?;
    for event in rows {
        found.add(Violation::of_event(UNTOLD, event, Some(consumer.name.clone()), String::new()));
    }
    Ok(())
}

/// Handlers that asked for order had it.
pub async fn in_order_in_the_ledger(
    scope: &Scope<'_>,
    database: &mut PgConnection,
    found: &mut Found,
) -> anyhow::Result<()> {
    let ordered = consumers::all().into_iter().filter(|consumer| consumer.ordered);
    for consumer in ordered.filter(|consumer| consumer.service == crate::ledger::NAME) {
        let rows = sqlx::query(
            "select * from (
                select event_id as id, event_type as type, aggregate_id, version,
                    lag(version) over (partition by aggregate_id order by position) as before
                from ledger.effects where handler = $1 and event_id >= $2
            ) as effect where before > version order by id limit $3",
        )
        .bind(consumer.handler)
        .bind(scope.since)
        .bind(NAMED)
        .fetch_all(&mut *database)
        .await?;
        for row in rows {
            let before: i64 = row.try_get("before")?;
            let (event, detail) = (EventName::from_row(&row)?, format!("after version {before}"));
            found.add(Violation::of_event(OUT_OF_ORDER, event, Some(consumer.name.clone()), detail));
        }
    }
    Ok(())
}

/// Every consumer of the platform has a row in its inbox for each event that it takes; the ledger's are known by their
/// effects.
pub async fn in_every_inbox(scope: &Scope<'_>, database: &mut PgConnection, found: &mut Found) -> anyhow::Result<()> {
    for consumer in consumers::all().into_iter().filter(|consumer| consumer.service != crate::ledger::NAME) {
        let (source, service) = (consumer.source, consumer.service);
        let query = format!(
            "select event.id, event.type, event.aggregate_id, event.version from {source}.outbox as event
            where event.type = any($2) and event.id >= $3 and event.id <> all($4)
                and not exists (select from {service}.inbox where handler = $1 and event_id = event.id)
            order by event.id limit $5"
        );
        let rows: Vec<EventName> = sqlx::query_as(AssertSqlSafe(query))
            .bind(consumer.handler)
            .bind(&consumer.event_types)
            .bind(scope.since)
            .bind(scope.planned.all())
            .bind(NAMED)
            .fetch_all(&mut *database)
            .await?;
        for event in rows {
            found.add(Violation::of_event(UNHEARD, event, Some(consumer.name.clone()), String::new()));
        }
        let handled = format!("select count(*) from {service}.inbox where handler = $1 and event_id >= $2");
        let handled = sqlx::query_scalar(AssertSqlSafe(handled)).bind(consumer.handler).bind(scope.since);
        found.examined("events handled", handled.fetch_one(&mut *database).await?);
    }
    Ok(())
}
