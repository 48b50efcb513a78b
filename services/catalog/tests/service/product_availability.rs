//! A product with its stock and its vendor, in one answer.

use crate::selling::{Seller, category};
use crate::world;
use platform::{App, Cx, Service};
use serde_json::json;
use std::time::Duration;
use subjects::ids::{InventoryId, ProductId, VendorId};
use subjects::vendor::{FindVendor, Vendor, VendorError};
use subjects::{Fallback, Fault};
use testmesh::Mesh;

#[tokio::test]
async fn without_the_vendor_the_rest_is_told_and_the_gap_is_named() {
    let mesh = world::start().await;
    let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
    let made = seller.make(&mesh, &food, json!({})).await;
    let (product_id, variant_id) = (made["id"].as_str().unwrap(), made["variants"][0]["id"].as_str().unwrap());
    let clinic_id = InventoryId::new();
    mesh.execute(&format!(
        "insert into inventory (id, variant_id, product_id, vendor_id, clinic_id, on_hand, reserved, reorder_level, version,
            updated_at)
         values (gen_random_uuid(), '{variant_id}', '{product_id}', '{}', '{clinic_id}', 5, 2, 0, 1, now())",
        seller.vendor_id
    ))
    .await;
    // The vendor service is away here.
    let told = mesh.ask("product.availability", json!({ "id": product_id })).ok().await;
    assert_eq!((&told["product"], &told["vendor"], &told["missing"]), (&made, &json!(null), &json!(["vendor"])));
    let stock = json!([{ "variantId": variant_id, "clinicId": clinic_id, "available": 3 }]);
    assert_eq!(told["stock"], stock);
    let found = mesh.ask("product.findAll", json!({ "available": true })).ok().await;
    assert_eq!(found["items"][0]["id"], product_id);
    let unknown = mesh.ask("product.availability", json!({ "id": ProductId::new() })).refusal().await;
    assert_eq!(unknown, "product_not_found");
}

/// Answers `vendor.findOne` as the vendor service does, or not in time.
struct VendorStandIn {
    vendor_id: VendorId,
    takes: Duration,
}

impl App for VendorStandIn {
    const NAME: &'static str = "vendor";
}

platform::calls!(VendorStandIn => []);

async fn find_vendor(cx: Cx<VendorStandIn>, request: FindVendor) -> Result<Vendor, VendorError> {
    tokio::time::sleep(cx.app.takes).await;
    if request.id != cx.app.vendor_id {
        return Err(VendorError::VendorNotFound);
    }
    let vendor = json!({
        "id": request.id, "name": "Toko Sari", "kind": "shop", "status": "approved", "version": 1,
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
    });
    serde_json::from_value(vendor).map_err(|error| VendorError::Fault(Fault::internal(error)))
}

#[tokio::test]
async fn what_vendor_says_is_told_unless_it_comes_too_late() {
    for (takes, missing) in [(Duration::ZERO, json!([])), (Duration::from_secs(30), json!(["vendor"]))] {
        let vendor = Service::new().on(find_vendor);
        let mesh = Mesh::of("catalog").with(catalog::service(), catalog::app).knowing(&vendor).start().await;
        let (seller, food) = (Seller::open(&mesh).await, category(&mesh, "food", json!({})).await);
        let other = Seller::open(&mesh).await;
        let (made, unknown) = (seller.make(&mesh, &food, json!({})).await, other.make(&mesh, &food, json!({})).await);
        let stand_in = VendorStandIn { vendor_id: seller.vendor_id, takes };
        let _vendor = mesh.start_another(vendor, async move |_: &_| Ok(stand_in)).await;
        let told =
            mesh.ask("product.availability", json!({ "id": made["id"] })).within(Duration::from_secs(8)).ok().await;
        assert_eq!((&told["product"], &told["missing"]), (&made, &missing));
        assert_eq!(told["vendor"]["name"] == "Toko Sari", missing == json!([]));
        let reply = mesh.ask("product.availability", json!({ "id": made["id"] })).within(Duration::from_secs(8));
        let expected = (missing != json!([])).then_some(Fallback::WithoutVendor);
        assert_eq!(reply.reply().await.unwrap().fallback, expected);
        if takes.is_zero() {
            // It is vendor's word that counts.
            let gone = mesh.ask("product.availability", json!({ "id": unknown["id"] })).refusal().await;
            assert_eq!(gone, "product_not_found");
        }
    }
}
