//! Reservations whose time is over, and whose stock nobody wanted since. Every replica sweeps; what one works on the
//! others pass over.

use crate::app::CatalogApp;
use crate::{Cx, repo, stock_lock};
use platform::Run;
use std::time::Duration;
use store::{HasStore as _, Tx};
use subjects::catalog::CatalogError;

/// How many reservations are ended in one transaction.
const BATCH: i32 = 50;
/// How long a transaction may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sweeps every so often, until the service drains.
pub async fn run(run: Run<CatalogApp>) {
    run.every(run.app.config.expiry_interval(), "sweep expired reservations", || sweep(&run)).await;
}

/// Sweeps batch by batch until there is nothing left.
async fn sweep(run: &Run<CatalogApp>) -> Result<(), CatalogError> {
    while !run.shutdown.is_cancelled() && end_some(&run.cx("reservation.expiry", TIMEOUT)).await? {}
    Ok(())
}

/// Ends some reservations, and answers whether there were any.
async fn end_some(cx: &Cx) -> Result<bool, CatalogError> {
    cx.app.store().write(cx, |tx| async move { end_batch(&tx).await }).await
}

async fn end_batch(tx: &Tx) -> Result<bool, CatalogError> {
    let expired = repo::reservations::lock_expired(tx, BATCH).await?;
    if expired.is_empty() {
        return Ok(false);
    }
    let ledger = stock_lock::of_expired(tx, &expired).await?;
    repo::ledger::save(tx, &ledger).await?;
    Ok(true)
}
