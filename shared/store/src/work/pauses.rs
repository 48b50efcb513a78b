//! Handlers that take no events because an operator says so.

use crate::clock;
use crate::error::Error;
use crate::query::statement;
use crate::store::Store;
use sea_orm::ConnectionTrait as _;
use std::collections::BTreeSet;
use subjects::ops::{OpsError, PauseConsumer, ResumeConsumer};
use tokio::sync::watch;

/// Who is paused, as last looked up. None: it was not looked up yet, and nobody takes events.
#[derive(Default)]
pub(crate) struct Pauses(watch::Sender<Option<BTreeSet<String>>>);

impl Pauses {
    /// Looks up who is paused.
    pub(super) async fn look(&self, store: &Store) -> Result<(), Error> {
        let rows = store.read().query_all_raw(statement("select handler from paused_handlers", Vec::new())).await?;
        let mut paused = BTreeSet::new();
        for row in rows {
            paused.insert(row.try_get::<String>("", "handler")?);
        }
        self.0.send_if_modified(|known| {
            let is_new = known.as_ref() != Some(&paused);
            *known = Some(paused);
            is_new
        });
        Ok(())
    }

    pub(super) async fn until_running(&self, handler: &str) {
        self.until(|paused| paused.is_some_and(|paused| !paused.contains(handler))).await;
    }

    pub(super) async fn until_paused(&self, handler: &str) {
        self.until(|paused| paused.is_some_and(|paused| paused.contains(handler))).await;
    }

    async fn until(&self, condition: impl Fn(Option<&BTreeSet<String>>) -> bool) {
        let mut pauses = self.0.subscribe();
        if pauses.wait_for(|paused| condition(paused.as_ref())).await.is_err() {
            // Its sender is gone, and all that could still be waited for with it.
            std::future::pending::<()>().await;
        }
    }
}

/// Has a handler take no more events, in all replicas.
///
/// # Errors
/// `handler_not_found`; the database's.
pub async fn pause(store: &Store, request: &PauseConsumer) -> Result<(), OpsError> {
    let PauseConsumer { handler, reason } = request;
    check_handler(store, handler)?;
    let sql = "insert into paused_handlers (handler, paused_at, reason) values ($1, $2, $3) \
               on conflict (handler) do update set reason = excluded.reason";
    let values = vec![handler.as_str().into(), clock::now().into(), reason.as_str().into()];
    store.read().execute_raw(statement(sql, values)).await.map_err(Error::from)?;
    tracing::warn!(handler, reason, "a consumer is paused");
    store.inner().handlers.pauses.look(store).await?;
    Ok(())
}

/// Has a handler take events again.
///
/// # Errors
/// `handler_not_found`; the database's.
pub async fn resume(store: &Store, request: &ResumeConsumer) -> Result<(), OpsError> {
    let handler = &request.handler;
    check_handler(store, handler)?;
    let sql = "delete from paused_handlers where handler = $1";
    store.read().execute_raw(statement(sql, vec![handler.as_str().into()])).await.map_err(Error::from)?;
    tracing::warn!(handler, "a consumer is resumed");
    store.inner().handlers.pauses.look(store).await?;
    Ok(())
}

fn check_handler(store: &Store, handler: &str) -> Result<(), OpsError> {
    match store.inner().handlers.find(handler) {
        Some(_) => Ok(()),
        None => Err(OpsError::HandlerNotFound),
    }
}
