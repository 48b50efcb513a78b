//! The dead letters that some events are.

use super::letter::{COLUMNS, Letter};
use crate::error::Error;
use crate::query::{Query, id_list};
use crate::store::Store;
use sea_orm::ConnectionTrait as _;
use subjects::ids::EventId;
use subjects::ops::DeadLetter;

/// Which of these events are dead letters, and of which handlers.
///
/// # Errors
/// The database's.
pub(crate) async fn of_events(store: &Store, ids: &[EventId]) -> Result<Vec<DeadLetter>, Error> {
    let mut query = Query::new("select ");
    query.sql(COLUMNS).sql(" from dead_letters where event_id = any(string_to_array(").value(id_list(ids));
    query.sql(", ',')::uuid[]) order by parked_at, handler, event_id");
    let rows = store.read().query_all_raw(query.statement()).await?;
    let told = rows.iter().map(|row| Letter::read(row).map(|letter| letter.told(store.inner().service)));
    told.collect()
}
