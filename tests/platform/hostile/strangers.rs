//! Tokens that are none, ids of nothing, and what belongs to somebody else.

use super::scene::{Answer, Person, Scene, all};
use crate::samples::{Sample, routes};
use crate::world::World;
use chrono::Utc;
use identity::keys::{AUTH, EDGE, Purpose};
use identity::{AccessTokens, SigningKey, UserTokens};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use subjects::ids::VendorId;
use subjects::{Access, Role, RouteCaller, Who};

/// Removing twice is as good as once, so what was never there is gone, too.
const GONE_IS_GONE: [&str; 2] = ["calendar.remove", "hold.release"];

/// Without a token, or with one that does not hold, nothing happens, though the request has nothing else wrong with it.
pub async fn check_tokens(scene: &Scene, world: &World, bad_tokens: &[(&'static str, String)]) {
    let mut tasks = vec![];
    for sample in routes() {
        tasks.push(async move {
            let (sample, version) = scene.real(world, sample).await;
            if !sample.operation.access.is_public() && sample.rest.caller == RouteCaller::Any {
                let answer = Answer::to(scene.request(&sample, None, version)).await;
                assert_eq!((answer.status, answer.reason()), (401, "unauthenticated"), "{}", sample.name());
            }
            for (what, token) in bad_tokens {
                let answer = Answer::to(scene.request(&sample, Some(token), version)).await;
                assert_eq!(answer.status, 401, "{} with one {what}: {answer:?}", sample.name());
            }
        });
    }
    println!("{} routes refused {} bad tokens each", all(tasks).await.len(), bad_tokens.len());
}

/// Tokens that no edge must take, each with what is wrong with it.
pub async fn bad_tokens(scene: &Scene, world: &World) -> Vec<(&'static str, String)> {
    let (user, now) = (scene.user(Person::Admin), Utc::now());
    let forger = AccessTokens::new(SigningKey::generate(AUTH, Purpose::Access));
    let internal = UserTokens::new(world.stack.keys.signing_key(EDGE, Purpose::User).unwrap());
    let good = scene.token(Person::Admin);
    let (unsigned, signature) = good.rsplit_once('.').unwrap();
    let claims = unsigned.split('.').nth(1).unwrap();
    let revoked = world.sign_in("admin@petpro.example").await;
    world.expect(Method::POST, "/auth/logout", Some(&revoked), Some(json!({})), StatusCode::NO_CONTENT).await;
    world
        .until("the session is over at the edge", async || {
            world.ask(Method::GET, "/auth/me", Some(&revoked), None).await.0 == 401
        })
        .await;
    vec![
        ("expired", scene.expired_token(Person::Admin)),
        // {"alg":"none","typ":"JWT"}
        ("unsigned", format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")),
        ("without its signature", format!("{unsigned}.")),
        ("of another's claims", format!("{}.{signature}", forger.issue(&user, now).rsplit_once('.').unwrap().0)),
        ("signed by another key", forger.issue(&user, now)),
        ("for another audience", internal.issue(&user, now)),
        ("of a session that was revoked", revoked),
        ("not a token", "x".to_owned()),
        ("far too long", "x".repeat(6_000)),
    ]
}

/// An id of nothing names nothing.
pub async fn check_missing(scene: &Scene, world: &World) {
    let mut tasks = vec![];
    for sample in routes() {
        for field in sample.rest.path_fields().collect::<Vec<_>>() {
            let sample = sample.clone();
            tasks.push(async move {
                let (real, version) = scene.real(world, sample).await;
                let unknown = if field == "token" { "A".repeat(43) } else { VendorId::new().to_string() };
                let answer = scene.send(&real.with_path(field, &unknown), version).await;
                let seen = format!("{} without such a {field}: {answer:?}", real.name());
                if is_list(&real) && answer.status == 200 {
                    assert_eq!(answer.body["items"], json!([]), "{seen}");
                } else {
                    let gone_already = GONE_IS_GONE.contains(&real.operation.subject) && answer.status == 204;
                    assert!(gone_already || [403, 404].contains(&answer.status), "{seen}");
                }
            });
        }
    }
    println!("{} requests about nothing found nothing", all(tasks).await.len());
}

fn is_list(sample: &Sample) -> bool {
    sample.operation.effect.is_read() && sample.operation.subject.ends_with("findAll")
}

/// Nobody reads or changes what is not theirs, be they customer, member of another vendor or with too low a role.
pub async fn check_others(scene: &Scene, world: &World) {
    let mut tasks = vec![];
    for sample in routes().into_iter().filter(|sample| is_for_some(sample.operation.access)) {
        if is_about_the_caller(&sample) {
            continue;
        }
        tasks.push(async move {
            let (real, version) = scene.real(world, sample).await;
            for person in [Person::Nobody, Person::Rival, Person::Customer, Person::Staff, Person::Owner] {
                if may(scene, &real, person) {
                    continue;
                }
                let token = scene.token(person);
                let answer = Answer::to(scene.request(&real, Some(&token), version)).await;
                let seen = format!("{} by {person:?}: {answer:?}", real.name());
                assert!([403, 404].contains(&answer.status), "{seen}");
            }
            // A vendor of one's own in the path opens no row of another's.
            let may_do_so_at_home = ["membership.invite", "membership.findAll", "clinic.create", "clinic.findAll"];
            let is_nested = real.rest.path_fields().any(|field| field == "vendorId");
            if is_nested && !may_do_so_at_home.contains(&real.operation.subject) {
                let mixed = real.with_path("vendorId", &scene.rivals["vendor"]);
                let answer = Answer::to(scene.request(&mixed, Some(&scene.token(Person::Rival)), version)).await;
                assert!([403, 404].contains(&answer.status), "{}: {answer:?}", mixed.name());
            }
        });
    }
    let checked = all(tasks).await.len();
    assert!(checked > 25, "only {checked} routes belong to somebody");
    println!("{checked} routes let nobody else in");
}

/// Whether a route names no row of anybody's: it answers everybody about themselves, or with what is theirs.
fn is_about_the_caller(sample: &Sample) -> bool {
    const OF_ONES_OWN: [&str; 12] = [
        "profile.findOne",
        "profile.update",
        "preference.findOne",
        "preference.update",
        "address.findAll",
        "address.create",
        "pet.findAll",
        "pet.create",
        "privacy.export",
        "inventory.findAll",
        "inventory.watch",
        "membership.findAll",
    ];
    sample.rest.path_fields().next().is_none() && OF_ONES_OWN.contains(&sample.operation.subject)
}

/// Whether it depends on the row or the role whether somebody may.
fn is_for_some(access: Access) -> bool {
    let is_for_all = |who: &Who| matches!(who, Who::Public | Who::SignedIn | Who::Role(Role::Customer));
    !access.0.iter().any(is_for_all)
}

/// Whether somebody may do it with the rows, or may do more than whoever may.
fn may(scene: &Scene, sample: &Sample, person: Person) -> bool {
    let rightful = scene.rightful(sample);
    let subject = sample.operation.subject;
    let works_there = [Person::Staff, Person::Owner].contains(&person);
    // Everybody may leave; the membership here is that of the staff.
    let leaves = subject == "membership.revoke" && person == Person::Staff;
    let is_of_the_place = ["booking.", "inventory.", "reservation."].iter().any(|entity| subject.starts_with(entity));
    // Those who run the platform may do more than this, and are not among the strangers.
    person == rightful || leaves || (works_there && is_of_the_place)
}

/// What a body or a query names that is another's.
pub async fn check_names_of_others(scene: &Scene, world: &World) {
    let row = |name: &str| scene.row(&routes()[0], name).unwrap().clone();
    let mut with_hold = scene.other_slot.wish();
    with_hold["holdId"] = json!(row("hold"));
    let mut with_pet = scene.other_slot.wish();
    with_pet.as_object_mut().unwrap().remove("pet");
    with_pet["petId"] = json!(row("pet"));
    let lines = json!({ "lines": [{ "variantId": row("variant"), "clinicId": row("clinic"), "quantity": 1 }] });
    for (path, body) in [
        ("/bookings", with_hold),
        ("/bookings", with_pet),
        ("/inventory/reservations", lines),
        ("/privacy/erase", json!({ "userId": row("user") })),
        ("/bookings/calendars", json!({ "clinicId": row("clinic") })),
        ("/bookings/calendars", json!({ "clinicId": row("clinic"), "staffId": row("staff") })),
    ] {
        let request = world.http.post(world.url(path)).bearer_auth(scene.token(Person::Rival)).json(&body);
        let answer = Answer::to(request).await;
        assert!([403, 404, 409].contains(&answer.status), "{path} with {body}: {answer:?}");
    }
    // A filter on another's rows shows none of them.
    for filter in ["clinicId", "staffId"] {
        let path = format!("/bookings?{filter}={}", row(filter.trim_end_matches("Id")));
        let token = scene.token(Person::Rival);
        let seen: Value = world.expect(Method::GET, &path, Some(&token), None, StatusCode::OK).await;
        assert_eq!(seen["items"], json!([]), "{path}");
    }
    for filter in ["clinicId", "vendorId", "productId", "variantId"] {
        let path = format!("/inventory?{filter}={}", row(filter.trim_end_matches("Id")));
        let answer = Answer::to(world.http.get(world.url(&path)).bearer_auth(scene.token(Person::Rival))).await;
        let sees_none = answer.status == 200 && answer.body["items"] == json!([]);
        assert!(sees_none || [403, 404].contains(&answer.status), "{path}: {answer:?}");
    }
}
