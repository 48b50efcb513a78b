//! Rows to be removed by the second and third who may.

use super::{Caller, Line};
use crate::hostile::scene::{Person, Scene};
use crate::samples::Sample;
use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Rows by their entity, each like the one that the first removes.
type Rows = BTreeMap<&'static str, String>;

/// For an admin, and for somebody who has every permission.
pub struct Spares([Rows; 2]);

/// Makes them, and one more thing: somebody who runs another clinic of the vendor.
pub async fn make(scene: &Scene, world: &World) -> Spares {
    let owner = scene.token(Person::Owner);
    let made = async |path: &str, body: Value| {
        let row = world.expect(Method::POST, path, Some(&owner), Some(body), StatusCode::CREATED).await;
        row["id"].as_str().unwrap().to_owned()
    };
    let row = |name: &str| scene.named(name).to_owned();
    let clinic = made("/clinics", clinic_called(scene, "Cabang")).await;
    let members = format!("/vendors/{}/members", row("vendor"));
    let branch_admin = json!({ "userId": scene.user(Person::Branch).id, "role": "clinic_admin", "clinicId": clinic });
    let membership = made(&members, branch_admin).await;
    let accept = format!("{members}/{membership}/accept");
    let token = scene.token(Person::Branch);
    world.expect(Method::POST, &accept, Some(&token), Some(json!({})), StatusCode::OK).await;

    let of_admin = made_for(scene, world, Person::Admin, scene.rivals["vendor"].clone(), clinic).await;
    let rival = scene.token(Person::Rival);
    let vendor = json!({ "name": "Saingan Kedua", "kind": "clinic" });
    let vendor = world.expect(Method::POST, "/vendors", Some(&rival), Some(vendor), StatusCode::CREATED).await;
    let clinic = made("/clinics", clinic_called(scene, "Cabang Kedua")).await;
    let vendor = vendor["id"].as_str().unwrap().to_owned();
    let of_clerk = made_for(scene, world, Person::Clerk, vendor, clinic).await;
    world.until_heard().await;
    Spares([of_admin, of_clerk])
}

fn clinic_called(scene: &Scene, name: &str) -> Value {
    json!({
        "vendorId": scene.named("vendor"),
        "name": name,
        "address": { "street": "Jl. Cabang 1", "city": "Bandung", "country": "ID" },
        "timeZone": "Asia/Jakarta",
    })
}

async fn made_for(scene: &Scene, world: &World, person: Person, vendor: String, clinic: String) -> Rows {
    let owner = scene.token(Person::Owner);
    let made = async |path: &str, body: Value| {
        let row = world.expect(Method::POST, path, Some(&owner), Some(body), StatusCode::CREATED).await;
        row["id"].as_str().unwrap().to_owned()
    };
    let row = |name: &str| scene.named(name).to_owned();
    let members = format!("/vendors/{}/members", row("vendor"));
    let invited = if person == Person::Admin { Person::Nobody } else { Person::Idler };
    let nobody = json!({ "userId": scene.user(invited).id, "role": "clinic_staff" });
    let service = json!({
        "name": format!("Cadangan {person:?}"),
        "durationMinutes": 30,
        "price": { "amount": 100_000, "currency": "IDR" },
    });
    let product = json!({
        "vendorId": row("vendor"),
        "categoryId": row("category"),
        "name": "Cadangan",
        "description": "Cadangan",
        "variants": [{ "sku": if person == Person::Admin { "CAD-1" } else { "CAD-2" }, "prices": [{ "price": { "amount": 50_000, "currency": "IDR" } }] }],
    });
    let at_clinic = |what: &str| format!("/clinics/{}/{what}", row("clinic"));
    BTreeMap::from([
        ("membership", made(&members, nobody).await),
        ("service", made(&at_clinic("services"), service).await),
        ("staff", made(&at_clinic("staff"), json!({ "displayName": "Cadangan" })).await),
        ("product", made("/products", product).await),
        ("vendor", vendor),
        ("clinic", clinic),
    ])
}

impl Spares {
    /// What those remove who may by permission: the members have removed theirs.
    pub fn for_removal(&self, line: &Line, caller: Caller) -> Option<Sample> {
        let is_removal = line.sample.rest.method == subjects::Method::Delete;
        let entity = line.sample.operation.subject.split('.').next()?;
        let [of_admin, of_clerk] = &self.0;
        let rows = match caller {
            Caller::User(Person::Admin) if is_removal => of_admin,
            Caller::User(Person::Clerk) if is_removal => of_clerk,
            _ => return None,
        };
        let id = rows.get(entity)?;
        Some(line.sample.with_path("id", id))
    }
}
