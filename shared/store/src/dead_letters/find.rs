//! Dead letters, shown.

use super::letter::{COLUMNS, Letter};
use super::selection::Selection;
use crate::cursor;
use crate::error::Error;
use crate::query::Query;
use crate::store::Store;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait as _;
use subjects::Page;
use subjects::ops::{DeadLetter, DeadLetterDetails, FindDeadLetter, FindDeadLetters, OpsError};
use uuid::Uuid;

/// Where a list of dead letters goes on: after the one with this place in it.
pub(super) type Key = (DateTime<Utc>, String, Uuid);

/// A page of dead letters, those that were parked first before the others.
///
/// # Errors
/// A cursor of another list; the database's.
pub async fn find_all(store: &Store, request: &FindDeadLetters) -> Result<Page<DeadLetter>, OpsError> {
    let FindDeadLetters { handler, event_type, reason, limit, cursor } = request;
    let (limit, after) = (cursor::limit(*limit), cursor::decode::<Key>(cursor.as_deref())?);
    let selection = Selection {
        handler: handler.as_deref(),
        event_type: event_type.as_deref(),
        reason: *reason,
        ..Selection::default()
    };
    let mut query = Query::new("select ");
    query.sql(COLUMNS).sql(" from dead_letters where true");
    selection.narrow(&mut query);
    go_on_after(&mut query, after.as_ref());
    query.sql(" order by parked_at, handler, event_id limit ").value(i64::from(limit) + 1);
    let letters = read_all(store, query).await?;
    let key = |letter: &Letter| (letter.parked_at, letter.handler.clone(), letter.event_id);
    Ok(cursor::page(letters, limit, key).map(|letter| letter.told(store.inner().service)))
}

/// A dead letter with all that is kept of it.
///
/// # Errors
/// `dead_letter_not_found`; the database's.
pub async fn find_one(store: &Store, request: &FindDeadLetter) -> Result<DeadLetterDetails, OpsError> {
    let FindDeadLetter { event_id, handler } = request;
    let selection = Selection { handler: handler.as_deref(), event_id: Some(*event_id), ..Selection::default() };
    let mut query = Query::new("select ");
    query.sql(COLUMNS).sql(" from dead_letters where true");
    selection.narrow(&mut query);
    query.sql(" order by handler limit 1");
    let letter = read_all(store, query).await?.into_iter().next().ok_or(OpsError::DeadLetterNotFound)?;
    let told = letter.told(store.inner().service);
    // What is not JSON, for which it may be a dead letter, is told in base64.
    let body = serde_json::from_slice(&letter.body).ok();
    let body_base64 = body.is_none().then(|| STANDARD.encode(&letter.body));
    let headers = letter.headers.into_iter().map(|(name, values)| (name, values.join(", "))).collect();
    let Letter { stream, incarnation, sequence, subject, .. } = letter;
    Ok(DeadLetterDetails { letter: told, stream, incarnation, sequence, subject, headers, body, body_base64 })
}

/// Leaves out all up to a place in the list.
pub(super) fn go_on_after(query: &mut Query, after: Option<&Key>) {
    if let Some((parked_at, handler, event_id)) = after {
        query.sql(" and (parked_at, handler, event_id) > (").value(*parked_at).sql(", ").value(handler.as_str());
        query.sql(", ").value(*event_id).sql(")");
    }
}

async fn read_all(store: &Store, query: Query) -> Result<Vec<Letter>, Error> {
    let rows = store.read().query_all_raw(query.statement()).await?;
    rows.iter().map(Letter::read).collect()
}
