//! Entries of the audit log: a table of each service's schema, to which its role can add and which it can read, and no more
//! than that. See `migrations/sql/audit_log.up.sql`.

use crate::error::Error;
use crate::query::{Query, statement};
use crate::store::HasStore;
use crate::work::{chain, is_passing};
use chrono::DateTime;
use garde::Validate;
use platform::{AuditRow, Cx, Run};
use sea_orm::{ConnectionTrait, QueryResult};
use serde::Deserialize;
use std::time::Duration;
use subjects::audit::{AuditEntry, AuditFilter, AuditOutcome, AuditQuestion};
use subjects::ids::{AuditEntryId, SessionId, UserId};
use subjects::time::Instant;
use subjects::{Fault, NoError};
use uuid::Uuid;

/// The service that collects what all keep.
const COLLECTOR: &str = "auth";
/// How many rows are written with one statement.
const BATCH: usize = 100;
/// After how long it is tried again to write.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The section `audit`: the audit log.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// For how many days entries are kept. What is younger than 90 days the database itself does not let a service drop.
    #[garde(range(min = 90, max = 3_650))]
    pub keep_days: i32,
}

impl Default for AuditConfig {
    fn default() -> AuditConfig {
        AuditConfig { keep_days: 400 }
    }
}

const INSERT: &str = "\
    insert into audit_entries (id, operation, outcome, reason, actor_id, session_id, subject_id, via, signed_by, network,
        correlation_id, details)
    select id, operation, outcome, reason, actor_id, session_id, subject_id, via, signed_by, network, correlation_id,
        details
    from jsonb_to_recordset($1::jsonb) as kept(id uuid, operation text, outcome text, reason text, actor_id uuid,
        session_id uuid, subject_id uuid, via text, signed_by text, network text, correlation_id text, details jsonb)
    on conflict do nothing";

const COLUMNS: &str = "\
    id, operation, outcome, reason, actor_id, session_id, subject_id, via, signed_by, network, correlation_id, details";

/// Writes rows down. One that is there already stays as it is: a request that was done is done, though its caller may not
/// have been told in time.
pub(crate) async fn insert(db: &impl ConnectionTrait, rows: &[AuditRow]) -> Result<(), Fault> {
    let rows = serde_json::to_string(rows).map_err(Fault::internal)?;
    db.execute_raw(statement(INSERT, vec![rows.into()])).await.map_err(Error::from)?;
    Ok(())
}

/// Writes down what no transaction has, until the service drains and nothing is left. While the database is away rows wait.
pub(crate) async fn write_down<A: HasStore>(run: Run<A>) {
    let (queue, shutdown) = (&run.audit, &run.shutdown);
    loop {
        let rows = queue.take(BATCH);
        if rows.is_empty() {
            if shutdown.is_cancelled() {
                return;
            }
            tokio::select! {
                () = queue.filled() => {}
                () = shutdown.cancelled() => {}
            }
            continue;
        }
        let Err(fault) = insert(run.app.store().read(), &rows).await else { continue };
        let error = chain(&fault);
        tracing::warn!(service = A::NAME, error, "the audit log could not be written");
        if !is_passing(&fault) || shutdown.is_cancelled() {
            queue.lose(&rows);
            continue;
        }
        queue.put_back(rows);
        tokio::select! {
            () = tokio::time::sleep(RETRY_PAUSE) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// The handler of the question for the entries that the service keeps; only for the service that collects them.
///
/// # Errors
/// Forbidden; the database's.
pub async fn entries<A: HasStore, Q: AuditQuestion>(cx: Cx<A>, question: Q) -> Result<Vec<AuditEntry>, NoError> {
    if cx.caller().trusted_service() != Some(COLLECTOR) {
        return Err(Fault::forbidden().into());
    }
    let (filter, before, limit) = question.into_parts();
    Ok(find(cx.app.store().read(), A::NAME, &filter, before, limit).await.map_err(Fault::from)?)
}

/// The entries that a service keeps, the latest first.
///
/// # Errors
/// The database's.
pub async fn find(
    db: &impl ConnectionTrait,
    service: &'static str,
    filter: &AuditFilter,
    before: Option<AuditEntryId>,
    limit: u16,
) -> Result<Vec<AuditEntry>, Error> {
    let AuditFilter { actor_id, subject_id, operation, outcome, from, until } = filter;
    let mut query = Query::new("select ");
    query.sql(COLUMNS).sql(" from audit_entries where true");
    if let Some(actor_id) = actor_id {
        query.sql(" and actor_id = ").value(*actor_id);
    }
    if let Some(subject_id) = subject_id {
        query.sql(" and subject_id = ").value(*subject_id);
    }
    if let Some(operation) = operation {
        query.sql(" and operation = ").value(operation.as_str());
    }
    if let Some(outcome) = outcome {
        query.sql(" and outcome = ").value(outcome.as_str());
    }
    if let Some(from) = from {
        query.sql(" and id >= ").value(first_id_at(*from));
    }
    if let Some(until) = until {
        query.sql(" and id < ").value(first_id_at(*until));
    }
    if let Some(before) = before {
        query.sql(" and id < ").value(before);
    }
    query.sql(" order by id desc limit ").value(i64::from(limit));
    let rows = db.query_all_raw(query.statement()).await?;
    rows.iter().map(|row| read(row, service)).collect()
}

fn read(row: &QueryResult, service: &'static str) -> Result<AuditEntry, Error> {
    let id: AuditEntryId = row.try_get("", "id")?;
    let actor_id: Option<UserId> = row.try_get("", "actor_id")?;
    let session_id: Option<SessionId> = row.try_get("", "session_id")?;
    let outcome: AuditOutcome = row.try_get("", "outcome")?;
    Ok(AuditEntry {
        id,
        at: time_of(id),
        service: service.to_owned(),
        operation: row.try_get("", "operation")?,
        outcome,
        reason: row.try_get("", "reason")?,
        actor_id,
        session_id,
        subject_id: row.try_get("", "subject_id")?,
        via: row.try_get("", "via")?,
        signed_by: row.try_get("", "signed_by")?,
        network: row.try_get("", "network")?,
        correlation_id: row.try_get("", "correlation_id")?,
        details: row.try_get("", "details")?,
    })
}

/// The lowest id that can be made at a time: ids are of version 7, which begin with the milliseconds.
fn first_id_at(time: Instant) -> Uuid {
    Uuid::from_u128(u128::try_from(time.timestamp_millis()).unwrap_or(0) << 80)
}

fn time_of(id: AuditEntryId) -> Instant {
    let milliseconds = i64::try_from(id.0.as_u128() >> 80).unwrap_or(0);
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_entry_stands_in_its_id() {
        let id = AuditEntryId::new();
        let time = time_of(id);
        assert!(first_id_at(time) <= id.0 && id.0 < first_id_at(time + chrono::TimeDelta::milliseconds(1)));
    }

    #[test]
    fn nobody_can_ask_for_less_than_the_database_keeps() {
        assert!(AuditConfig::default().validate().is_ok());
        assert!(AuditConfig { keep_days: 89 }.validate().is_err());
    }
}
