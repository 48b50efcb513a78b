use crate::business::{Business, new_clinic};
use crate::world::{Asker, World, customer};
use serde_json::{Value, json};

#[tokio::test]
async fn an_invitation_gives_rights_once_it_is_accepted_until_it_is_revoked() {
    let world = World::start().await;
    let mut events = world.listen().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, invited, vendor_id, membership_id, .. } = &business;
    let reads = async |asker: &Asker| world.ask("vendor.findOne", json!({ "id": vendor_id })).by(asker).send().await;
    let membership = json!({ "vendorId": vendor_id, "id": membership_id });
    let founder = events.next("membership.changed").await;
    assert_eq!((&founder["role"], &founder["active"]), (&json!("clinic_admin"), &json!(true)));
    assert_eq!(events.next("membership.changed").await["active"], false);
    assert!(reads(invited).await.is_err());

    let again = json!({ "vendorId": vendor_id, "userId": invited.id(), "role": "clinic_admin" });
    assert_eq!(world.ask("membership.invite", again).by(owner).refusal().await, "already_member");
    for other in [owner, &customer()] {
        let accept = world.ask("membership.accept", membership.clone()).by(other);
        assert_eq!(accept.refusal().await, "membership_not_found");
    }
    let mine = world.ask("membership.findAll", json!({})).by(invited).ok().await;
    assert_eq!(mine["items"][0]["status"], "invited");

    let accepted = world.ask("membership.accept", membership.clone()).by(invited).ok().await;
    assert_eq!((&accepted["status"], &accepted["version"]), (&json!("active"), &json!(2)));
    assert_eq!(world.ask("membership.accept", membership.clone()).by(invited).ok().await, accepted);
    assert_eq!(events.next("membership.changed").await["active"], true);
    assert!(reads(invited).await.is_ok());

    world.ask("membership.revoke", membership.clone()).by(owner).ok().await;
    world.ask("membership.revoke", membership.clone()).by(owner).ok().await;
    let revoked = events.next("membership.revoked").await;
    assert_eq!((&revoked["active"], &revoked["version"]), (&json!(false), &json!(3)));
    assert!(reads(invited).await.is_err());
    assert_eq!(world.ask("membership.accept", membership).by(invited).refusal().await, "invitation_not_open");
    // And invited again.
    let again = json!({ "vendorId": vendor_id, "userId": invited.id(), "role": "clinic_staff" });
    world.ask("membership.invite", again).by(owner).ok().await;
}

#[tokio::test]
async fn somebody_always_runs_the_vendor() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, invited, vendor_id, membership_id, .. } = &business;
    let members = world.ask("membership.findAll", json!({ "vendorId": vendor_id })).by(owner).ok().await;
    let own_id = &members["items"][0]["id"];
    let leave = |id: &Value| world.ask("membership.revoke", json!({ "vendorId": vendor_id, "id": id }));
    assert_eq!(leave(own_id).by(owner).refusal().await, "last_admin");
    let step_down = json!({ "vendorId": vendor_id, "id": own_id, "role": "clinic_staff" });
    let step_down = || world.ask("membership.update", step_down.clone()).by(owner).based_on(1);
    assert_eq!(step_down().refusal().await, "last_admin");

    // Two administrators take it from each other at the same time.
    let promote = json!({ "vendorId": vendor_id, "id": membership_id, "role": "clinic_admin" });
    world.ask("membership.update", promote).by(owner).based_on(1).ok().await;
    assert_eq!(leave(own_id).by(owner).refusal().await, "last_admin");
    world.ask("membership.accept", json!({ "vendorId": vendor_id, "id": membership_id })).by(invited).ok().await;
    let both = futures::future::join(leave(own_id).by(invited).send(), leave(membership_id).by(owner).send()).await;
    let successes = [both.0.is_ok(), both.1.is_ok()].into_iter().filter(|ok| *ok).count();
    assert_eq!(successes, 1);
    let admins = "select count(*)::text from memberships where status = 'active' and role = 'clinic_admin'";
    assert_eq!(world.query(admins).await, "1");
}

#[tokio::test]
async fn an_admin_of_one_clinic_gives_no_more_than_they_have() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, vendor_id, clinic_id, .. } = &business;
    let other_clinic = world.ask("clinic.create", new_clinic(vendor_id, "Second")).by(owner).ok().await["id"].clone();
    let invite = |asker: &Asker, clinic_id: Option<&Value>| {
        let mut body = json!({ "vendorId": vendor_id, "userId": customer().id(), "role": "clinic_admin" });
        if let Some(clinic_id) = clinic_id {
            body["clinicId"] = clinic_id.clone();
        }
        world.ask("membership.invite", body).by(asker)
    };
    let local_admin = customer();
    let body =
        json!({ "vendorId": vendor_id, "userId": local_admin.id(), "role": "clinic_admin", "clinicId": clinic_id });
    let invitation = world.ask("membership.invite", body).by(owner).ok().await;
    let accept = json!({ "vendorId": vendor_id, "id": invitation["id"] });
    world.ask("membership.accept", accept).by(&local_admin).ok().await;

    invite(&local_admin, Some(clinic_id)).ok().await;
    assert_eq!(invite(&local_admin, None).refusal().await, "forbidden");
    assert_eq!(invite(&local_admin, Some(&other_clinic)).refusal().await, "forbidden");
    let wider = json!({ "vendorId": vendor_id, "id": invitation["id"], "role": "clinic_admin" });
    assert_eq!(world.ask("membership.update", wider).by(&local_admin).based_on(2).refusal().await, "forbidden");
    let seen = world.ask("membership.findAll", json!({ "vendorId": vendor_id })).by(&local_admin).ok().await;
    let clinics: Vec<&Value> = seen["items"].as_array().unwrap().iter().map(|item| &item["clinicId"]).collect();
    assert_eq!(clinics, [clinic_id, clinic_id]);
}
