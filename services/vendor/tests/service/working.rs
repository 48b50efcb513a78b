//! Staff who work at several clinics, and not always.

use crate::business::{Business, new_clinic, usual_week};
use crate::world::{Asker, World};
use serde_json::{Value, json};

/// An open business with a second clinic, in another zone, and a staff member who works at both.
struct TwoClinics {
    business: Business,
    makassar_id: Value,
}

impl TwoClinics {
    async fn open(world: &World) -> TwoClinics {
        let business = Business::open(world, "Klinik Sari").await;
        let mut second = new_clinic(&business.vendor_id, "Klinik Sari Makassar");
        second["timeZone"] = json!("Asia/Makassar");
        let makassar_id = world.ask("clinic.create", second).by(&business.owner).ok().await["id"].clone();
        let hours = json!({ "clinicId": makassar_id, "weekly": usual_week() });
        world.ask("hours.update", hours).by(&business.owner).based_on(1).ok().await;
        TwoClinics { business, makassar_id }
    }

    /// Mondays in Jakarta, Tuesdays in Makassar.
    fn week(&self) -> Value {
        json!([
            { "day": "monday", "opens": "08:00", "closes": "12:00", "clinicId": self.business.clinic_id },
            { "day": "tuesday", "opens": "09:00", "closes": "15:00", "clinicId": self.makassar_id },
        ])
    }

    fn change(&self, clinic_ids: &[&Value], week: &Value, exceptions: &Value) -> Value {
        json!({
            "id": self.business.staff_id, "displayName": testmesh::personal::text("Anindya Putri"), "active": true, "clinicIds": clinic_ids,
            "serviceIds": [self.business.service_id], "hours": week, "exceptions": exceptions,
        })
    }
}

/// When the only staff member works at a clinic from 2 March 2026, a Monday, to the Tuesday of the next week.
async fn works(world: &World, clinic_id: &Value) -> Value {
    let body = json!({ "clinicId": clinic_id, "from": "2026-03-02", "to": "2026-03-10" });
    world.ask("vendor.availability", body).by(&Asker::Service("booking")).ok().await["staff"][0]["open"].clone()
}

#[tokio::test]
async fn each_clinic_has_its_days_of_the_week_and_leave_holds_at_all_of_them() {
    let world = World::start().await;
    let place = TwoClinics::open(&world).await;
    let (jakarta_id, makassar_id, owner) = (&place.business.clinic_id, &place.makassar_id, &place.business.owner);
    let mut events = world.listen().await;

    let change = place.change(&[jakarta_id, makassar_id], &place.week(), &json!([]));
    let member = world.ask("staff.update", change).by(owner).based_on(1).ok().await;
    assert_eq!(member["hours"], place.week());
    let open = |from: &str, to: &str| json!({ "from": from, "to": to });
    let mondays =
        [open("2026-03-02T01:00:00Z", "2026-03-02T05:00:00Z"), open("2026-03-09T01:00:00Z", "2026-03-09T05:00:00Z")];
    let tuesdays =
        [open("2026-03-03T01:00:00Z", "2026-03-03T07:00:00Z"), open("2026-03-10T01:00:00Z", "2026-03-10T07:00:00Z")];
    assert_eq!(works(&world, jakarta_id).await, json!(mondays));
    assert_eq!(works(&world, makassar_id).await, json!(tuesdays));
    let told = events.next("staff.updated").await;
    assert_eq!((&told["hours"], &told["exceptions"]), (&place.week(), &json!([])));

    // On leave on a Monday, and on a Tuesday wherever they are wanted, by the clocks of the place.
    let tuesday_hour = json!({ "date": "2026-03-03", "intervals": [{ "opens": "10:00", "closes": "11:00" }] });
    let exceptions = json!([{ "date": "2026-03-09", "intervals": [] }, tuesday_hour]);
    let change = place.change(&[jakarta_id, makassar_id], &place.week(), &exceptions);
    let member = world.ask("staff.update", change).by(owner).based_on(2).ok().await;
    let in_order = json!([tuesday_hour, { "date": "2026-03-09", "intervals": [] }]);
    assert_eq!(member["exceptions"], in_order);
    let shown = world.ask("staff.findOne", json!({ "id": member["id"] })).by(owner).ok().await;
    assert_eq!(shown, member);
    let hour_in_jakarta = open("2026-03-03T03:00:00Z", "2026-03-03T04:00:00Z");
    let hour_in_makassar = open("2026-03-03T02:00:00Z", "2026-03-03T03:00:00Z");
    assert_eq!(works(&world, jakarta_id).await, json!([mondays[0], hour_in_jakarta]));
    assert_eq!(works(&world, makassar_id).await, json!([hour_in_makassar, tuesdays[1]]));
    let told = events.next("staff.updated").await;
    assert_eq!((&told["exceptions"], &told["version"]), (&in_order, &json!(3)));
}

#[tokio::test]
async fn nobody_works_at_a_clinic_that_is_not_theirs() {
    let world = World::start().await;
    let place = TwoClinics::open(&world).await;
    let other = Business::open(&world, "Other").await;
    let owner = &place.business.owner;
    let jakarta_id = &place.business.clinic_id;
    let monday_at =
        |clinic_id: &Value| json!([{ "day": "monday", "opens": "08:00", "closes": "09:00", "clinicId": clinic_id }]);
    for elsewhere in [&place.makassar_id, &other.clinic_id] {
        let change = place.change(&[jakarta_id], &monday_at(elsewhere), &json!([]));
        assert_eq!(world.ask("staff.update", change).by(owner).based_on(1).refusal().await, "unknown_clinic");
        let new = json!({ "clinicId": jakarta_id, "displayName": "Bagas", "hours": monday_at(elsewhere) });
        assert_eq!(world.ask("staff.create", new).by(owner).refusal().await, "unknown_clinic");
    }
    let new = json!({ "clinicId": jakarta_id, "displayName": "Bagas", "hours": monday_at(jakarta_id) });
    world.ask("staff.create", new).by(owner).ok().await;
}

#[tokio::test]
async fn a_week_forgets_a_clinic_that_is_removed() {
    let world = World::start().await;
    let place = TwoClinics::open(&world).await;
    let (jakarta_id, makassar_id, owner) = (&place.business.clinic_id, &place.makassar_id, &place.business.owner);
    let (monday, tuesday) = (&place.week()[0], &place.week()[1]);
    let leave = json!([{ "date": "2026-03-09", "intervals": [] }]);
    let works_at_both = async |week: Value| {
        let new = json!({ "clinicId": jakarta_id, "displayName": "Bagas" });
        let id = world.ask("staff.create", new).by(owner).ok().await["id"].clone();
        let mut change = place.change(&[jakarta_id, makassar_id], &week, &leave);
        change["id"] = id.clone();
        world.ask("staff.update", change).by(owner).based_on(1).ok().await;
        id
    };
    let both = works_at_both(json!([monday, tuesday])).await;
    let only_makassar = works_at_both(json!([tuesday])).await;

    let mut events = world.listen().await;
    world.ask("clinic.remove", json!({ "id": makassar_id })).by(owner).ok().await;
    let mut told = [events.next("staff.updated").await, events.next("staff.updated").await];
    told.sort_by_key(|state| state["staffId"].to_string());
    // A week without an interval is not the same as none: they do not work in Jakarta instead.
    for (id, week, state) in [(&both, json!([monday]), &told[0]), (&only_makassar, json!([]), &told[1])] {
        let member = world.ask("staff.findOne", json!({ "id": id })).by(owner).ok().await;
        assert_eq!((&member["clinicIds"], &member["version"]), (&json!([jakarta_id]), &json!(3)));
        assert_eq!((&member["hours"], &member["exceptions"]), (&week, &leave));
        assert_eq!((&state["staffId"], &state["hours"], &state["exceptions"]), (id, &week, &leave));
    }
}
