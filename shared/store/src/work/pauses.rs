//! Handlers that take no events because an operator says so.

use crate::clock;
use crate::error::Error;
use crate::query::statement;
use crate::store::{HasStore, Store};
use platform::Cx;
use sea_orm::{ConnectionTrait as _, Value};
use std::collections::BTreeSet;
use subjects::Fault;
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
pub async fn pause<A: HasStore>(cx: &Cx<A>, request: &PauseConsumer) -> Result<(), OpsError> {
    let (store, PauseConsumer { handler, reason }) = (cx.app.store(), request);
    check_handler(store, handler)?;
    let sql = "insert into paused_handlers (handler, paused_at, reason) values ($1, $2, $3) \
               on conflict (handler) do update set reason = excluded.reason";
    execute(cx, sql, vec![handler.as_str().into(), clock::now().into(), reason.as_str().into()]).await?;
    tracing::warn!(handler, reason, "a consumer is paused");
    store.inner().handlers.pauses.look(store).await?;
    Ok(())
}

/// Has a handler take events again.
///
/// # Errors
/// `handler_not_found`; the database's.
pub async fn resume<A: HasStore>(cx: &Cx<A>, request: &ResumeConsumer) -> Result<(), OpsError> {
    let (store, handler) = (cx.app.store(), &request.handler);
    check_handler(store, handler)?;
    execute(cx, "delete from paused_handlers where handler = $1", vec![handler.as_str().into()]).await?;
    tracing::warn!(handler, "a consumer is resumed");
    store.inner().handlers.pauses.look(store).await?;
    Ok(())
}

async fn execute<A: HasStore>(cx: &Cx<A>, sql: &str, values: Vec<Value>) -> Result<(), Fault> {
    let statement = &statement(sql, values);
    let executing = cx.app.store().write(cx, |tx| async move {
        tx.execute_raw(statement.clone()).await.map_err(Error::from)?;
        Ok(())
    });
    executing.await
}

fn check_handler(store: &Store, handler: &str) -> Result<(), OpsError> {
    match store.inner().handlers.find(handler) {
        Some(_) => Ok(()),
        None => Err(OpsError::HandlerNotFound),
    }
}
