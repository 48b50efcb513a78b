//! Preferences.

use crate::world;
use serde_json::json;
use testmesh::{Asker, customer};

#[tokio::test]
async fn preferences_have_defaults_and_change_one_by_one() {
    let mesh = world::start().await;
    let sari = customer();
    let defaults = mesh.ask("preference.findOne", json!({})).by(&sari).ok().await;
    assert_eq!(
        defaults,
        json!({
            "language": "id",
            "timeZone": "Asia/Jakarta",
            "channels": { "email": true, "push": true, "sms": false, "whatsapp": false },
            "version": 1,
        })
    );
    let change = |body, version| mesh.ask("preference.update", body).by(&sari).based_on(version);
    let chosen =
        json!({ "language": "en", "channels": { "whatsapp": true }, "quietHours": { "from": "22:00", "to": "06:30" } });
    let changed = change(chosen, 1).ok().await;
    assert_eq!(changed["channels"], json!({ "email": true, "push": true, "sms": false, "whatsapp": true }));
    assert_eq!((&changed["language"], &changed["timeZone"]), (&json!("en"), &json!("Asia/Jakarta")));
    assert_eq!(changed["quietHours"], json!({ "from": "22:00", "to": "06:30" }));

    assert_eq!(change(json!({ "language": "id" }), 1).refusal().await, "version_mismatch");
    let moved = change(json!({ "timeZone": "Asia/Jayapura", "quietHours": null }), 2).ok().await;
    assert_eq!((&moved["timeZone"], &moved["quietHours"]), (&json!("Asia/Jayapura"), &json!(null)));
    assert_eq!(mesh.ask("preference.findOne", json!({})).by(&sari).ok().await, moved);
    // Somebody else's are their own.
    assert_eq!(mesh.ask("preference.findOne", json!({})).by(&customer()).ok().await, defaults);
    assert_eq!(mesh.ask("preference.findOne", json!({})).by(&Asker::Nobody).refusal().await, "unauthenticated");
}
