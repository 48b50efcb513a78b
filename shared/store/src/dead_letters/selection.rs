//! Which dead letters are meant.

use crate::error::Error;
use crate::query::Query;
use sea_orm::ConnectionTrait;
use subjects::ids::EventId;
use subjects::ops::DeadLetterReason;

/// Those for which all that is given holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selection<'a> {
    pub handler: Option<&'a str>,
    pub event_id: Option<EventId>,
    pub event_type: Option<&'a str>,
    pub reason: Option<DeadLetterReason>,
}

impl Selection<'_> {
    /// Adds its conditions to a query that has a `where` and a condition already.
    pub(super) fn narrow(&self, query: &mut Query) {
        if let Some(handler) = self.handler {
            query.sql(" and handler = ").value(handler);
        }
        if let Some(event_id) = self.event_id {
            query.sql(" and event_id = ").value(event_id.0);
        }
        if let Some(event_type) = self.event_type {
            query.sql(" and event_type = ").value(event_type);
        }
        if let Some(reason) = self.reason {
            query.sql(" and reason = ").value(reason.as_str());
        }
    }

    /// How many there are.
    pub(super) async fn count(&self, database: &impl ConnectionTrait) -> Result<u64, Error> {
        let mut query = Query::new("select count(*) as letters from dead_letters where true");
        self.narrow(&mut query);
        let row = database.query_one_raw(query.statement()).await?;
        let letters: i64 = row.map(|row| row.try_get("", "letters")).transpose()?.unwrap_or_default();
        Ok(u64::try_from(letters).unwrap_or(0))
    }
}
