//! What comes with time: prices that begin to hold, and words of products whose categories have another name. Every
//! replica does it; what one works on the others pass over.

use crate::Cx;
use crate::app::CatalogApp;
use crate::repo::product_upkeep;
use platform::Run;
use std::time::Duration;
use store::HasStore as _;
use subjects::Fault;
use subjects::ids::CategoryId;

/// How many products' prices are changed in one transaction.
const PRICE_BATCH: i64 = 50;
/// How many products' words are written in one transaction.
const WORDS_BATCH: i64 = 200;
/// How long a transaction may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Looks every so often, until the service drains.
pub async fn run(run: Run<CatalogApp>) {
    run.every(run.app.config.upkeep_interval(), "keep products up", || keep_up(&run)).await;
}

async fn keep_up(run: &Run<CatalogApp>) -> Result<(), Fault> {
    while !run.shutdown.is_cancelled() && change_prices(&run.cx("product.prices", TIMEOUT)).await? {}
    for id in product_upkeep::stale_categories(run.app.store().read()).await? {
        while !run.shutdown.is_cancelled() && write_words(&run.cx("product.words", TIMEOUT), id).await? {}
    }
    Ok(())
}

/// Answers whether there may be more.
async fn change_prices(cx: &Cx) -> Result<bool, Fault> {
    let changed = cx
        .app
        .store()
        .write(cx, |tx| async move { product_upkeep::change_prices(&tx, store::now(), PRICE_BATCH).await });
    Ok(changed.await? > 0)
}

/// Answers whether there may be more.
async fn write_words(cx: &Cx, id: CategoryId) -> Result<bool, Fault> {
    let written = cx.app.store().write(cx, |tx| async move {
        let written = product_upkeep::write_words(&tx, id, store::now(), WORDS_BATCH).await?;
        if written == 0 {
            product_upkeep::words_are_written(&tx, id, store::now()).await?;
        }
        Ok::<u64, Fault>(written)
    });
    Ok(written.await? > 0)
}
