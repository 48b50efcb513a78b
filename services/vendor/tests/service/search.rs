use crate::world::{Asker, World, customer, platform_admin};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use subjects::MembershipRole::{ClinicAdmin, ClinicStaff};
use vendor::domain::geography::distance_km;
use vendor::seed::{DemoMember, Seeded, clinic_id, demo_clinics};

const MENTENG: (f64, f64) = (-6.1950, 106.8320);

pub async fn seeded() -> (World, Asker) {
    let world = World::start().await;
    let owner = customer();
    let members = [
        DemoMember { user_id: owner.id(), role: ClinicAdmin },
        DemoMember { user_id: customer().id(), role: ClinicStaff },
    ];
    let cx = world.own_cx().await;
    let made = demo_clinics(&cx, &members).await.unwrap();
    assert_eq!((made.clinics, made.vendors_found), (20, 0));
    let rows = world.own_rows().await;
    let again = demo_clinics(&cx, &members).await.unwrap();
    assert_eq!(again, Seeded { vendors_made: 0, vendors_found: made.vendors_made, clinics: 20 });
    assert_eq!(rows, world.own_rows().await);
    (world, owner)
}

async fn names(world: &World, question: Value) -> Vec<String> {
    let page = world.ask("clinic.findAll", question).ok().await;
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn all_pages(world: &World, subject: &str, question: Value) -> Vec<Value> {
    all_pages_of(world, &Asker::Nobody, subject, question).await
}

/// All pages of a list, one after the other.
pub async fn all_pages_of(world: &World, asker: &Asker, subject: &str, mut question: Value) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let page = world.ask(subject, question.clone()).by(asker).ok().await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page.get("nextCursor") {
            Some(cursor) => question["cursor"] = cursor.clone(),
            None => return items,
        }
    }
}

#[tokio::test]
async fn clinics_are_found_by_words_with_typing_errors() {
    let (world, _owner) = seeded().await;
    for text in ["Kemang", "kemang", "KÉMANG", "kemnag raya", "satwa kemang"] {
        assert_eq!(names(&world, json!({ "text": text })).await[0], "Satwa Sehat Kemang", "{text}");
    }
    assert_eq!(names(&world, json!({ "text": "jayapura", "limit": 100 })).await.len(), 5);
    assert_eq!(names(&world, json!({ "text": "xyzzy" })).await, [""; 0]);
    assert_eq!(names(&world, json!({ "text": "%_!" })).await, [""; 0]);
    let groomers = names(&world, json!({ "text": "makassar", "kind": "groomer" })).await;
    assert_eq!(groomers.len(), 2);
    let dental = names(&world, json!({ "service": "karang gigi", "text": "jakarta", "limit": 100 })).await;
    assert!(dental.len() == 6 && dental.iter().all(|name| !name.contains("Cakar")), "{dental:?}");
    let vaccination = world.ask("service.findAll", json!({ "text": "vaksinsi kucing", "limit": 100 })).ok().await;
    let found = vaccination["items"].as_array().unwrap();
    assert!(found.iter().all(|service| service["name"] == "Vaksinasi kucing"));
    assert_eq!(found.len(), 13);
}

#[tokio::test]
async fn clinics_are_found_by_distance_and_exactly_those_within_it() {
    let (world, _owner) = seeded().await;
    let every_clinic = all_pages(&world, "clinic.findAll", json!({ "limit": 7 })).await;
    assert_eq!(every_clinic.len(), 20);
    let point = |clinic: &Value| {
        let coordinate = |name: &str| clinic["coordinates"][name].as_f64().unwrap();
        (coordinate("latitude"), coordinate("longitude"))
    };
    for radius_km in [1.0, 8.0, 12.0, 500.0] {
        let around = json!({ "latitude": MENTENG.0, "longitude": MENTENG.1, "radiusKm": radius_km, "limit": 3 });
        let found = all_pages(&world, "clinic.findAll", around).await;
        let mut expected: Vec<(f64, &Value)> = every_clinic
            .iter()
            .map(|clinic| (distance_km(MENTENG, point(clinic)), &clinic["id"]))
            .filter(|(distance, _)| *distance <= radius_km)
            .collect();
        expected.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert_eq!(found.len(), expected.len());
        for (clinic, (distance, id)) in found.iter().zip(expected) {
            assert_eq!(&clinic["id"], id);
            assert!((clinic["distanceKm"].as_f64().unwrap() - distance).abs() < 0.001);
        }
    }
    let nowhere = json!({ "latitude": 0.0, "longitude": 180.0, "radiusKm": 500 });
    assert_eq!(names(&world, nowhere).await, [""; 0]);
}

#[tokio::test]
async fn every_order_has_pages_without_gap_or_repeat() {
    let (world, _owner) = seeded().await;
    for question in [
        json!({ "sort": "name" }),
        json!({ "text": "klinik hewan", "sort": "relevance" }),
        json!({ "text": "raya", "latitude": MENTENG.0, "longitude": MENTENG.1, "radiusKm": 500 }),
    ] {
        let ids = |items: &[Value]| items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
        let mut whole = question.clone();
        whole["limit"] = json!(100);
        let mut small = question.clone();
        small["limit"] = json!(2);
        let (whole, small) =
            (all_pages(&world, "clinic.findAll", whole).await, all_pages(&world, "clinic.findAll", small).await);
        assert!(whole.len() > 2, "{question}");
        assert_eq!(ids(&whole), ids(&small));
    }
    for subject in ["vendor.findAll", "service.findAll", "staff.findAll"] {
        let whole = all_pages(&world, subject, json!({ "limit": 100 })).await;
        let small = all_pages(&world, subject, json!({ "limit": 3 })).await;
        let ids: BTreeSet<String> = whole.iter().map(|item| item["id"].to_string()).collect();
        assert_eq!((ids.len(), &whole), (whole.len(), &small), "{subject}");
    }
    let by_name = world.ask("clinic.findAll", json!({ "limit": 2 })).ok().await;
    let other_order = json!({ "text": "raya", "cursor": by_name["nextCursor"] });
    let fault = world.ask("clinic.findAll", other_order).send().await.unwrap_err();
    assert_eq!(fault.violations[0].pointer, "/cursor");
}

#[tokio::test]
async fn the_demo_is_told_whole_and_can_be_booked() {
    let (world, owner) = seeded().await;
    let repeated = "select count(*)::text from (select from outbox group by split_part(type, '.', 1), aggregate_id, \
                    version having count(*) > 1) as repeated";
    assert_eq!(world.query(repeated).await, "0");
    let told = "select count(distinct aggregate_id)::text from outbox where type = 'vendor.approved'";
    assert_eq!(world.query(told).await, world.query("select count(*)::text from vendors").await);

    // At night it is open past midnight, and the clinic that never closes has no seam.
    let ask = async |name: &str| {
        let body = json!({ "clinicId": clinic_id(name), "from": "2026-03-02", "to": "2026-03-04" });
        world.ask("vendor.availability", body).by(&Asker::Service("booking")).ok().await["staff"].clone()
    };
    let always = ask("Satwa Sehat 24 Jam Tebet").await;
    assert!(always.as_array().unwrap().iter().all(|staff| staff["open"].as_array().unwrap().len() == 1));
    let late = ask("Sahabat Bulu Cikini").await;
    let evenings: Vec<usize> =
        late.as_array().unwrap().iter().map(|staff| staff["open"].as_array().unwrap().len()).collect();
    assert!(evenings.iter().all(|count| *count >= 3), "{late}");

    let own = world.ask("membership.findAll", json!({ "limit": 100 })).by(&owner).ok().await;
    assert_eq!(own["items"].as_array().unwrap().len(), 9);
    let vendors = world.ask("vendor.findAll", json!({ "status": "draft" })).by(&platform_admin()).ok().await;
    assert_eq!(vendors["items"], json!([]));
}
