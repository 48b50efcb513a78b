//! `inventory.watch`.

use crate::stock_access::Reach;
use crate::{CatalogApp, Cx, convert_stock, repo};
use platform::streams::Watch;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::HasStore as _;
use subjects::Fault;
use subjects::catalog::{CatalogError, InventoryItem, InventoryState, WatchInventory};
use subjects::ids::{ClinicId, InventoryId, VendorId};
use uuid::Uuid;

/// The stock where the caller works, as far as it is asked for. Asked at every lease: whoever works elsewhere by then is
/// told anew what there is.
pub async fn inventory(cx: Cx, request: WatchInventory) -> Result<Watch<InventoryItem>, CatalogError> {
    let place = request.clinic_id.map(Uuid::from).or(request.vendor_id.map(Uuid::from));
    if let Some(place) = place {
        cx.concerns(place);
    }
    let reach = Arc::new(Reach::of_user(cx.app.store().read(), cx.caller()).await?);
    let (app, request) = (cx.app.clone(), Arc::new(request));
    let page = {
        let (reach, request) = (reach.clone(), request.clone());
        move |after, limit| read_page(app.clone(), reach.clone(), request.clone(), after, limit)
    };
    let scope = (places(&reach), request.clone());
    let admits = move |item: &InventoryItem| reach.covers(item.0.vendor_id, item.0.clinic_id) && request.asks_for(item);
    Ok(Watch::new(page, admits).of_scope(&scope))
}

/// Where the caller may see stock, in a fixed order. None: everywhere.
fn places(reach: &Reach) -> Option<BTreeSet<(VendorId, Option<ClinicId>)>> {
    match reach {
        Reach::Everywhere => None,
        Reach::Places(held) => Some(held.iter().map(|held| (held.vendor_id, held.clinic_id)).collect()),
    }
}

async fn read_page(
    app: Arc<CatalogApp>,
    reach: Arc<Reach>,
    request: Arc<WatchInventory>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<InventoryItem>, Fault> {
    let after = after.map(InventoryId);
    let rows = repo::inventory::page_of_watched(app.store().read(), &reach, &request, after, limit).await?;
    Ok(rows.iter().map(|row| InventoryItem(InventoryState::from(&convert_stock::inventory(row)))).collect())
}
