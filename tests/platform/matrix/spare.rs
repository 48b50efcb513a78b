//! Rows to be removed by the second who may.

use super::{Caller, Line};
use crate::hostile::scene::{Person, Scene};
use crate::samples::Sample;
use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Rows by their entity, each like the one that the first removes.
pub struct Spares(BTreeMap<&'static str, String>);

/// Makes them, and one more thing: somebody who runs another clinic of the vendor.
pub async fn make(scene: &Scene, world: &World) -> Spares {
    let owner = scene.token(Person::Owner);
    let made = async |path: &str, body: Value| {
        let row = world.expect(Method::POST, path, Some(&owner), Some(body), StatusCode::CREATED).await;
        row["id"].as_str().unwrap().to_owned()
    };
    let row = |name: &str| scene.named(name).to_owned();
    let branch = json!({
        "vendorId": row("vendor"),
        "name": "Cabang",
        "address": { "street": "Jl. Cabang 1", "city": "Bandung", "country": "ID" },
        "timeZone": "Asia/Jakarta",
    });
    let clinic = made("/clinics", branch).await;
    let members = format!("/vendors/{}/members", row("vendor"));
    let branch_admin = json!({ "userId": scene.user(Person::Branch).id, "role": "clinic_admin", "clinicId": clinic });
    let membership = made(&members, branch_admin).await;
    let accept = format!("{members}/{membership}/accept");
    let token = scene.token(Person::Branch);
    world.expect(Method::POST, &accept, Some(&token), Some(json!({})), StatusCode::OK).await;

    let nobody = json!({ "userId": scene.user(Person::Nobody).id, "role": "clinic_staff" });
    let service = json!({
        "name": "Cadangan",
        "durationMinutes": 30,
        "price": { "amount": 100_000, "currency": "IDR" },
    });
    let product = json!({
        "vendorId": row("vendor"),
        "categoryId": row("category"),
        "name": "Cadangan",
        "description": "Cadangan",
        "variants": [{ "sku": "CAD-1", "prices": [{ "price": { "amount": 50_000, "currency": "IDR" } }] }],
    });
    let at_clinic = |what: &str| format!("/clinics/{}/{what}", row("clinic"));
    let rows = BTreeMap::from([
        ("membership", made(&members, nobody).await),
        ("service", made(&at_clinic("services"), service).await),
        ("staff", made(&at_clinic("staff"), json!({ "displayName": "Cadangan" })).await),
        ("product", made("/products", product).await),
        ("vendor", scene.rivals["vendor"].clone()),
        ("clinic", clinic),
    ]);
    world.until_heard().await;
    Spares(rows)
}

impl Spares {
    /// What an admin removes: the members have removed theirs.
    pub fn for_removal(&self, line: &Line, caller: Caller) -> Option<Sample> {
        let is_removal = line.sample.rest.method == subjects::Method::Delete;
        let entity = line.sample.operation.subject.split('.').next()?;
        let id = self.0.get(entity).filter(|_| is_removal && caller == Caller::User(Person::Admin))?;
        Some(line.sample.with_path("id", id))
    }
}
