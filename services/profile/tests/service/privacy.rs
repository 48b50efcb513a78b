//! Requests for privacy: exports, and the saga of an erasure. The other services are stood in for: each keeps one row of
//! everybody and counts how often it was asked to erase it. What the real ones do is seen in their own tests.

use crate::household::address;
use platform::{App, Cx, Service, Setup};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use subjects::ids::UserId;
use subjects::privacy::{
    ErasePersonFromAuth, ErasePersonFromBooking, ErasePersonFromCatalog, ErasePersonFromVendor, Erasure,
    ExportPersonOfAuth, ExportPersonOfBooking, ExportPersonOfCatalog, ExportPersonOfVendor, PersonPage, PersonRow,
};
use subjects::{Fault, NoError};
use testmesh::{Asker, Mesh, customer, platform_admin};

/// The other services.
#[derive(Default)]
struct Others {
    /// Who was asked to erase, in order.
    erased: Mutex<Vec<&'static str>>,
    booking_is_away: AtomicBool,
}

impl Others {
    fn erasures(&self, service: &str) -> usize {
        self.erased.lock().unwrap().iter().filter(|asked| **asked == service).count()
    }

    fn export(&self, service: &str, user_id: UserId) -> PersonPage {
        let data = json!({ "keptBy": format!("{service}unik"), "of": user_id });
        PersonPage { rows: vec![PersonRow { kind: "row".to_owned(), data }], next_cursor: None }
    }

    fn erase(&self, service: &'static str) -> Result<Erasure, NoError> {
        if service == "booking" && self.booking_is_away.load(SeqCst) {
            return Err(Fault::unavailable(0).into());
        }
        self.erased.lock().unwrap().push(service);
        Ok(Erasure { complete: true })
    }
}

macro_rules! seats {
    ($( $seat:ident: $service:literal, $export:ident, $erase:ident; )+) => { $(
        mod $seat {
            use super::*;

            pub struct Seat(pub Arc<Others>);

            impl App for Seat {
                const NAME: &'static str = $service;
            }
            platform::calls!(Seat => []);

            pub fn service() -> Service<Seat> {
                Service::new().on(export).on(erase)
            }

            async fn export(cx: Cx<Seat>, request: $export) -> Result<PersonPage, NoError> {
                Ok(cx.app.0.export($service, request.user_id))
            }

            async fn erase(cx: Cx<Seat>, _request: $erase) -> Result<Erasure, NoError> {
                cx.app.0.erase($service)
            }
        }
    )+ };
}

seats! {
    auth: "auth", ExportPersonOfAuth, ErasePersonFromAuth;
    vendor: "vendor", ExportPersonOfVendor, ErasePersonFromVendor;
    booking: "booking", ExportPersonOfBooking, ErasePersonFromBooking;
    catalog: "catalog", ExportPersonOfCatalog, ErasePersonFromCatalog;
}

/// A mesh in which an erasure settles only when a test says that the time has come.
async fn start() -> (Mesh, Arc<Others>) {
    let others = Arc::new(Others::default());
    let [one, two, three, four] = std::array::from_fn(|_| others.clone());
    let settings = "[profile]\nprivacy_interval_ms = 20\nprivacy_lease_ms = 500\nprivacy_settling_ms = 3600000\n";
    let mesh = Mesh::of("profile")
        .with(profile::service(), profile::app)
        .with(auth::service(), async move |_: &Setup| anyhow::Ok(auth::Seat(one)))
        .with(vendor::service(), async move |_: &Setup| anyhow::Ok(vendor::Seat(two)))
        .with(booking::service(), async move |_: &Setup| anyhow::Ok(booking::Seat(three)))
        .with(catalog::service(), async move |_: &Setup| anyhow::Ok(catalog::Seat(four)));
    (mesh.settings(settings).start().await, others)
}

async fn until_status(mesh: &Mesh, id: &Value, status: &str) {
    let id = id.as_str().unwrap();
    mesh.until_query(&format!("select status from privacy_requests where id = '{id}'"), status).await;
}

/// Has an export made, and answers its id.
async fn export(mesh: &Mesh, person: &Asker) -> Value {
    let id = mesh.ask("privacy.export", json!({})).by(person).ok().await["id"].clone();
    until_status(mesh, &id, "done").await;
    id
}

async fn read(mesh: &Mesh, person: &Asker, id: &Value) -> String {
    let (mut text, mut question) = (String::new(), json!({ "id": id }));
    loop {
        let part = mesh.ask("privacy.readExport", question.clone()).by(person).ok().await;
        text.push_str(&part.to_string());
        match part.get("nextCursor") {
            Some(cursor) => question["cursor"] = cursor.clone(),
            None => return text,
        }
    }
}

async fn begin_to_erase(mesh: &Mesh, person: &Asker) -> Value {
    mesh.ask("privacy.erase", json!({ "userId": person.id() })).by(person).ok().await["id"].clone()
}

/// Lets the time pass after which no token holds any more.
async fn settle(mesh: &Mesh, id: &Value) {
    until_status(mesh, id, "settling").await;
    mesh.execute("update privacy_requests set due_at = clock_timestamp() where status = 'settling'").await;
    until_status(mesh, id, "done").await;
}

#[tokio::test]
async fn an_export_is_its_owners_alone_and_the_next_one_takes_its_place() {
    let (mesh, _others) = start().await;
    let (sari, other) = (customer(), customer());
    mesh.ask("profile.update", json!({ "displayName": "Sariunik" })).by(&sari).based_on(1).ok().await;
    let kept = export(&mesh, &other).await;
    let first = export(&mesh, &sari).await;
    let text = read(&mesh, &sari, &first).await;
    for planted in ["authunik", "vendorunik", "bookingunik", "catalogunik", "Sariunik"] {
        assert!(text.contains(planted), "{planted}: {text}");
    }
    assert!(!text.contains(&other.id().to_string()), "{text}");
    assert!(!mesh.all_rows().await.contains("authunik"), "it is stored in the clear");
    for stranger in [&other, &platform_admin()] {
        let refused = mesh.ask("privacy.readExport", json!({ "id": first })).by(stranger).refusal().await;
        assert!(["privacy_request_not_found", "forbidden"].contains(&refused.as_str()), "{refused}");
    }

    // What is kept does not grow with how often somebody asks what it is.
    let mut last = first.clone();
    for _ in 0..3 {
        last = export(&mesh, &sari).await;
    }
    assert_eq!(
        mesh.ask("privacy.readExport", json!({ "id": first })).by(&sari).refusal().await,
        "privacy_request_not_found"
    );
    assert!(read(&mesh, &sari, &last).await.contains("Sariunik"));
    let of_sari = format!("privacy_requests where user_id = '{}'", sari.id());
    assert_eq!(mesh.number(&format!("select count(*) from {of_sari}")).await, 1);
    let whose = format!("select count(*) from privacy_parts where request_id not in (select id from {of_sari})");
    assert!(mesh.number(&whose).await > 0, "the other's is gone as well");
    assert!(read(&mesh, &other, &kept).await.contains("authunik"));
}

#[tokio::test]
async fn a_service_that_came_after_the_request_is_asked_as_well() {
    let (mesh, others) = start().await;
    let sari = customer();
    others.booking_is_away.store(true, SeqCst);
    let id = begin_to_erase(&mesh, &sari).await;
    let catalog_is_through_and_booking_is_away = "select count(*) from privacy_requests
        where steps @> '[{\"service\": \"catalog\", \"done\": true}]'
            and steps @> '[{\"service\": \"booking\", \"lastFailure\": \"unavailable\"}]'";
    mesh.until_query(catalog_is_through_and_booking_is_away, 1).await;
    // As a release has made it that knew nothing of catalog.
    mesh.execute(
        "update privacy_requests set version = version + 1, steps =
            (select jsonb_agg(step) from jsonb_array_elements(steps) as step where step ->> 'service' <> 'catalog')",
    )
    .await;
    let before = others.erasures("catalog");
    others.booking_is_away.store(false, SeqCst);
    settle(&mesh, &id).await;
    assert!(others.erasures("catalog") > before, "catalog was not asked");
    let told = mesh.ask("privacy.findOne", json!({ "id": id })).by(&platform_admin()).ok().await;
    assert!(told["steps"].as_array().unwrap().iter().all(|step| step["done"] == true), "{told}");
    // Whoever is asked first has been asked twice, and so has everybody after them.
    for service in ["auth", "vendor", "booking"] {
        assert!(others.erasures(service) >= 2, "{service}");
    }
    assert_eq!(mesh.told("privacy.erased").await, 1);
}

#[tokio::test]
async fn what_is_written_while_an_erasure_settles_is_erased_as_well() {
    let (mesh, others) = start().await;
    let sari = customer();
    mesh.ask("address.create", address("Rumahunik")).by(&sari).under_key("one").ok().await;
    export(&mesh, &sari).await;
    let id = begin_to_erase(&mesh, &sari).await;
    until_status(&mesh, &id, "settling").await;
    let first_round: Vec<&str> = others.erased.lock().unwrap().clone();
    assert_eq!(first_round, ["auth", "vendor", "booking", "catalog"]);
    assert!(!mesh.all_rows().await.contains("Rumahunik"));
    assert_eq!(mesh.number("select count(*) from privacy_requests where kind = 'export'").await, 0);

    // Their token still holds.
    assert_eq!(begin_to_erase(&mesh, &sari).await, id, "it is the same one");
    mesh.ask("address.create", address("Kantorunik")).by(&sari).under_key("two").ok().await;
    mesh.ask("privacy.export", json!({})).by(&sari).under_key("three").ok().await;
    settle(&mesh, &id).await;
    let rows = mesh.all_rows().await;
    assert!(!rows.contains("Kantorunik") && !rows.contains("authunik"), "{rows}");
    assert_eq!(mesh.number("select count(*) from privacy_requests where kind = 'export'").await, 0);
    assert_eq!(mesh.told("privacy.erase_requested").await, 1);
    assert_eq!(mesh.told("privacy.erased").await, 1);
}
