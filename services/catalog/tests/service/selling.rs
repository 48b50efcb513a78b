//! A vendor that is open for business and the people around it, for tests of products.

use crate::stock::employ;
use serde_json::{Value, json};
use subjects::MembershipRole;
use subjects::ids::VendorId;
use subjects::vendor::{VendorApproved, VendorKind, VendorState, VendorStatus, VendorSuspended};
use testmesh::{Asker, Mesh, customer, platform_admin};

/// A vendor with somebody who runs it.
pub struct Seller {
    /// The vendor.
    pub vendor_id: VendorId,
    /// Who runs it.
    pub owner: Asker,
}

impl Seller {
    /// A vendor that is open for business.
    pub async fn open(mesh: &Mesh) -> Seller {
        let seller = Seller { vendor_id: VendorId::new(), owner: customer() };
        tell_status(mesh, seller.vendor_id, VendorStatus::Approved, 1).await;
        employ(mesh, &seller.owner, seller.vendor_id, None, MembershipRole::ClinicAdmin).await;
        seller
    }

    /// Makes a product with changes to what [`Seller::product`] would be.
    pub async fn make(&self, mesh: &Mesh, category: &Value, changes: Value) -> Value {
        mesh.ask("product.create", self.product(category, changes)).by(&self.owner).ok().await
    }

    /// A product as it is asked for, with changes.
    pub fn product(&self, category: &Value, changes: Value) -> Value {
        let sku = format!("sku-{}", VendorId::new());
        let mut product = json!({
            "vendorId": self.vendor_id,
            "categoryId": category["id"],
            "name": "Makanan kucing",
            "description": "Makanan kering untuk kucing dewasa",
            "variants": [{ "sku": sku, "prices": [{ "price": rupiah(50_000) }] }],
        });
        merge(&mut product, changes);
        product
    }
}

/// Tells where a vendor stands, and waits until it is heard.
pub async fn tell_status(mesh: &Mesh, vendor_id: VendorId, status: VendorStatus, version: i64) {
    let state = VendorState { vendor_id, kind: VendorKind::Shop, status, removed: false, version };
    match status {
        VendorStatus::Approved => mesh.tell(&VendorApproved(state)).await,
        _ => mesh.tell(&VendorSuspended(state)).await,
    }
    let heard = format!("select count(*) from vendors where id = '{vendor_id}' and version >= {version}");
    mesh.until_query(&heard, 1).await;
}

/// An amount of money.
pub fn rupiah(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "IDR" })
}

/// Makes a category.
pub async fn category(mesh: &Mesh, slug: &str, changes: Value) -> Value {
    let mut category = json!({ "name": slug, "slug": slug });
    merge(&mut category, changes);
    mesh.ask("category.create", category).by(&platform_admin()).ok().await
}

/// Puts the fields of one object over those of another.
pub fn merge(object: &mut Value, changes: Value) {
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
}
