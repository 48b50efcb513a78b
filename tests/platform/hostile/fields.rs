//! Every field of every route with what it cannot be, and with what it can be but nobody would send.

use super::scene::{Scene, all};
use crate::samples::{Sample, routes};
use crate::world::World;
use platform::validate::{RequestSchema, UnknownFields};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What every field is set to.
fn bad_values() -> Vec<Value> {
    let texts = [
        "",
        "\u{0}",
        "🐾\u{202e}é\u{0}",
        "\u{feff}\u{200d}\u{10ffff}",
        "%_\\'\";--",
        "9999-12-31",
        "-0001-01-01",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        // {}, [], null
        "e30",
        "W10",
        "bnVsbA",
    ];
    let mut values: Vec<Value> = texts.into_iter().map(Value::from).collect();
    values.extend([
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(65_535),
        json!(i64::MAX),
        json!(1e300),
        json!("a".repeat(5_000)),
        json!("é".repeat(100)),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({ "colour": "blue" }),
    ]);
    values
}

/// A route with everything that can be wrong with it.
struct Spoiled {
    sample: Sample,
    version: Option<i64>,
    schema: RequestSchema,
    /// The schema takes them; what the service makes of them is its affair.
    odd: Vec<Sample>,
    /// The schema refuses them.
    bad: Vec<Sample>,
}

impl Spoiled {
    async fn of(scene: &Scene, world: &World, sample: Sample) -> Spoiled {
        let (sample, version) = scene.real(world, sample).await;
        let schema = RequestSchema::of(&sample.operation).unwrap();
        let mut spoiled = Spoiled { version, schema, odd: vec![], bad: vec![], sample };
        let sample = spoiled.sample.clone();
        for field in sample.fields() {
            spoiled.add(sample.without(&field));
            for value in bad_values() {
                sample.with(&field, value).into_iter().for_each(|other| spoiled.add(other));
            }
        }
        for field in sample.inner_fields() {
            bad_values().into_iter().for_each(|value| spoiled.add(sample.with_inner(&field, value)));
        }
        spoiled.add(sample.with_extra("colour~/é"));
        spoiled.add(sample.with_extra("fields[]"));
        spoiled
    }

    fn add(&mut self, other: Sample) {
        if self.violations(&other).is_empty() {
            self.odd.push(other);
        } else {
            self.bad.push(other);
        }
    }

    /// The JSON Pointers of all that is wrong with a sample.
    fn violations(&self, sample: &Sample) -> Vec<String> {
        let violations = self.schema.violations(&sample.message(), UnknownFields::Refuse);
        violations.into_iter().map(|violation| violation.pointer).collect()
    }
}

async fn spoiled_routes(scene: &Scene, world: &World) -> Vec<Spoiled> {
    all(routes().into_iter().map(|sample| Spoiled::of(scene, world, sample)).collect()).await
}

/// What a field cannot be is refused, with every violation named.
pub async fn check_bad(scene: &Scene, world: &World) {
    let routes = spoiled_routes(scene, world).await;
    let mut tasks = vec![];
    for spoiled in &routes {
        for bad in &spoiled.bad {
            tasks.push(async move {
                let answer = scene.send(bad, spoiled.version).await;
                let seen = format!("{}: {:.300} got {answer:?}", bad.name(), bad.message());
                assert_eq!(answer.status, 400, "{seen}");
                for pointer in spoiled.violations(bad) {
                    assert!(answer.pointers().contains(&pointer.as_str()), "{seen} does not name {pointer}");
                }
            });
        }
    }
    let sent = all(tasks).await.len();
    assert!(sent > 3_000, "only {sent} bad requests");
    println!("{sent} bad requests were refused with their violations named");
}

/// What the schema takes is taken or refused by the service, but never breaks anything.
pub async fn check_odd(scene: &Scene, world: &World) {
    let mut routes = spoiled_routes(scene, world).await;
    // What ends a row for the others comes last.
    let ends = |spoiled: &Spoiled| ["vendor.suspend", "booking.cancel"].contains(&spoiled.sample.operation.subject);
    let last: Vec<Spoiled> = routes.extract_if(.., |spoiled| ends(spoiled)).collect();
    let mut total = BTreeMap::<u16, usize>::new();
    for routes in [routes, last] {
        for (status, count) in
            all(routes.iter().map(|spoiled| send_odd(scene, world, spoiled)).collect()).await.concat()
        {
            *total.entry(status).or_default() += count;
        }
    }
    println!("odd requests were answered {total:?}");
    assert!(total.values().sum::<usize>() > 500, "{total:?}");
}

/// Operations with a rule on several fields, which belongs to none of them.
const WHOLE_RULES: [&str; 2] = ["availability.findAll", "clinic.findAll"];

/// Sends the odd ones of a route, each on the version that the one before it has left.
async fn send_odd(scene: &Scene, world: &World, spoiled: &Spoiled) -> Vec<(u16, usize)> {
    let mut version = spoiled.version;
    let mut statuses = BTreeMap::new();
    for odd in &spoiled.odd {
        let mut answer = scene.send(odd, version).await;
        if answer.status == 412 {
            // Another route changes the same row.
            version = scene.real(world, spoiled.sample.clone()).await.1;
            answer = scene.send(odd, version).await;
        }
        let may_be_wrong_as_a_whole = WHOLE_RULES.contains(&spoiled.sample.operation.subject);
        let names_a_field = answer.reason() != "invalid_request" || !answer.pointers().contains(&"");
        assert!(names_a_field || may_be_wrong_as_a_whole, "{}: {answer:?}", spoiled.sample.name());
        version = version.map(|version| answer.body["version"].as_i64().unwrap_or(version));
        *statuses.entry(answer.status).or_default() += 1;
    }
    println!("{}: {statuses:?}", spoiled.sample.name());
    statuses.into_iter().collect()
}

/// Ids in paths are ids, and a query is no body.
pub async fn check_paths(scene: &Scene) {
    let mut tasks = vec![];
    for sample in routes() {
        tasks.push(expect_named(scene, sample.with_other_kind_of_input(), None));
        for field in sample.rest.path_fields() {
            for bad in ["seven", "%00", "..%2f..%2fetc", "%F0%9F%90%BE", "-1", "'%20or%201=1--", "%ff"] {
                tasks.push(expect_named(scene, sample.with_path(field, bad), Some(field)));
            }
        }
    }
    println!("{} requests with malformed paths were refused", all(tasks).await.len());
}

/// Such a sample is refused, and a field that is in question named.
async fn expect_named(scene: &Scene, bad: Sample, field: Option<&str>) {
    let answer = scene.send(&bad, None).await;
    assert_eq!(answer.status, 400, "{}: {answer:?}", bad.name());
    let is_named = field.is_none_or(|field| answer.pointers().contains(&format!("/{field}").as_str()));
    assert!(is_named || answer.reason() != "invalid_request", "{}: {answer:?}", bad.name());
}
