//! A stock NestJS client and a stock NestJS microservice beside the platform: tests/nest, with packages from npm.

use crate::world::{PATIENCE, Slot, World};
use petpro::demo_users::DemoUser;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nestjs_client_asks_as_it_asks_any_nest_service() {
    let mut world = World::start().await;
    let (budi, siti) = (person("budi@petpro.example"), person("siti@petpro.example"));
    // Far enough from each other that neither takes the other's time.
    let slots: Vec<Slot> = world.free_slots(21).await.into_iter().step_by(20).collect();
    let mut nest = Nest::start(&world, "client.js").await;

    // A command creates, and every name of a question finds what it has created.
    let booking = nest.value(json!({ "cmd": "create-booking" }), slots[0].wish(), &budi).await;
    assert_eq!((&booking["status"], &booking["version"]), (&json!("pending"), &json!(1)), "{booking}");
    let this = json!({ "id": booking["id"] });
    let names = ["booking.findOne", "get-booking"];
    for pattern in names.iter().flat_map(|name| [json!(name), json!({ "cmd": name })]) {
        let found = nest.value(pattern.clone(), this.clone(), &budi).await;
        assert_eq!(found["reference"], booking["reference"], "{pattern}");
    }
    // Over HTTP it is the same booking.
    let token = world.sign_in("budi@petpro.example").await;
    let path = format!("/bookings/{}", booking["id"].as_str().unwrap());
    let over_http = world.expect(Method::GET, &path, Some(&token), None, StatusCode::OK).await;
    assert_eq!(over_http["reference"], booking["reference"]);
    // Who asks for nobody sees what is public.
    let clinics = nest.ask(json!({ "pattern": "clinic.findAll", "data": { "limit": 1 } })).await;
    assert_eq!(clinics["values"][0]["items"].as_array().map(Vec::len), Some(1), "{clinics}");

    // What is refused is thrown, with the names by which programs know it.
    let refusals = [
        (json!({ "cmd": "get-booking" }), this.clone(), Some(&siti), "not_found", "booking_not_found"),
        (json!("get-booking"), this.clone(), None, "unauthenticated", "unauthenticated"),
        (json!({ "cmd": "create-booking" }), slots[0].wish(), Some(&siti), "conflict", "slot_taken"),
        (json!("booking.cancel"), json!({ "id": "not an id" }), Some(&budi), "bad_request", "invalid_request"),
        (json!("vendor.approve"), json!({}), Some(&budi), "forbidden", "forbidden"),
    ];
    for (pattern, data, user, code, reason) in refusals {
        let answer = nest.ask(json!({ "pattern": pattern, "data": data, "user": user })).await;
        assert_eq!((&answer["error"]["code"], &answer["error"]["reason"]), (&json!(code), &json!(reason)), "{answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
    let unfit = nest.ask(json!({ "pattern": "get-booking", "data": { "id": 7 }, "user": budi })).await;
    assert_eq!(unfit["error"]["violations"][0]["pointer"], "/id", "{unfit}");

    // A change that is sent again is made once, and one that is based on an old version is not made.
    let key = json!({ "pattern": "create-booking", "data": slots[1].wish(), "user": budi, "idempotencyKey": "nest-1" });
    let (first, again) = (nest.ask(key.clone()).await, nest.ask(key).await);
    assert!(first["values"][0]["id"].is_string() && first == again, "{first} {again}");
    let notes = json!({ "id": booking["id"], "startsAt": booking["startsAt"], "notes": testkit::personal::text("by the back door") });
    for (version, code) in [(json!(7), "precondition_failed"), (Value::Null, "precondition_required")] {
        let mut change = json!({ "pattern": "booking.update", "data": notes, "user": budi });
        if !version.is_null() {
            change["ifMatch"] = version;
        }
        let answer = nest.ask(change).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }

    // A stream is an Observable of many values: what there is, and then what becomes of it. What is still on its way may be
    // told once more.
    let unpublished = "select count(*) from booking.outbox where published_at is null";
    world.until("all is published", async || world.count(unpublished).await == 0).await;
    nest.say(json!({ "pattern": "booking.watch", "data": {}, "user": budi, "each": true, "limit": 3 })).await;
    let mut told = vec![nest.line().await["value"].clone(), nest.line().await["value"].clone()];
    told.sort_by_key(|item| item["bookingId"] != booking["id"]);
    assert_eq!((&told[0]["bookingId"], &told[0]["version"]), (&booking["id"], &json!(1)), "{told:?}");
    assert_eq!(told[1]["bookingId"], first["values"][0]["id"], "{told:?}");
    let staff = world.sign_in("rina@petpro.example").await;
    world.expect(Method::POST, &format!("{path}/confirm"), Some(&staff), None, StatusCode::OK).await;
    let change = nest.line().await["value"].clone();
    assert_eq!((&change["bookingId"], &change["status"]), (&booking["id"], &json!("confirmed")), "{change}");
    assert_eq!(nest.line().await["values"].as_array().map(Vec::len), Some(3));
    let refused = nest.ask(json!({ "pattern": { "cmd": "booking.watch" }, "data": {} })).await;
    assert_eq!(refused["error"]["code"], "unauthenticated", "{refused}");

    // A token that is for nobody, and a service that is not there.
    let forged = json!({ "pattern": "booking.findAll", "data": {}, "user": { "id": "nobody", "session": "none" } });
    assert_eq!(nest.ask(forged).await["error"]["code"], "unauthenticated");
    world.terminate("all").await;
    let nobody = nest.ask(json!({ "pattern": "clinic.findAll", "data": {} })).await;
    assert_eq!(nobody["error"]["thrown"], "EmptyResponseException", "{nobody}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nestjs_microservice_hears_our_events() {
    let world = World::start().await;
    let slot = world.free_slot().await;
    let mut listener = Nest::start(&world, "listener.js").await;
    assert_eq!(listener.line().await, json!({ "listening": true }));

    let (customer, staff) = (world.sign_in("budi@petpro.example").await, world.sign_in("rina@petpro.example").await);
    let booking =
        world.expect(Method::POST, "/bookings", Some(&customer), Some(slot.wish()), StatusCode::CREATED).await;
    let path = format!("/bookings/{}/confirm", booking["id"].as_str().unwrap());
    world.expect(Method::POST, &path, Some(&staff), None, StatusCode::OK).await;
    for (version, event_type) in [(1, "booking.created"), (2, "booking.confirmed")] {
        let heard = listener.line().await;
        assert_eq!(heard["type"], event_type, "{heard}");
        assert_eq!((&heard["event"]["bookingId"], &heard["event"]["version"]), (&booking["id"], &json!(version)));
        assert!(heard["subject"].as_str().unwrap().starts_with(&format!("event.{event_type}.")), "{heard}");
        assert!(heard["id"].is_string(), "{heard}");
    }
    drop(listener);
    world.stop().await;
}

/// Somebody of the demo data, as a neighbour names them.
fn person(email: &str) -> Value {
    let user = DemoUser::by_email(email).unwrap();
    json!({ "id": user.id(), "session": subjects::ids::SessionId::new() })
}

/// A running script of tests/nest.
struct Nest {
    _process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Nest {
    async fn start(world: &World, script: &str) -> Nest {
        let (node, folder) = project().await;
        let keys = world.folder.path().join("neighbour");
        world.stack.keys.export("neighbour", &keys).unwrap();
        let mut process = Command::new(node)
            .arg(folder.join(script))
            .current_dir(folder)
            .envs(&world.stack.variables)
            .env("PETPRO_KEYS__DIR", keys)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Nest { _process: process, questions, answers }
    }

    /// The next line that the script prints.
    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.answers.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.unwrap()).unwrap()
    }

    /// What the client's Observable gives for a request: `{ values, completed }` or `{ error }`.
    async fn ask(&mut self, request: Value) -> Value {
        self.say(request).await;
        self.line().await
    }

    async fn say(&mut self, request: Value) {
        self.questions.write_all(format!("{request}\n").as_bytes()).await.unwrap();
    }

    /// The one value that a request of somebody is answered with.
    async fn value(&mut self, pattern: Value, data: Value, user: &Value) -> Value {
        let answer = self.ask(json!({ "pattern": pattern, "data": data, "user": user })).await;
        assert_eq!(answer["completed"], true, "{answer}");
        let values = answer["values"].as_array().unwrap();
        assert_eq!(values.len(), 1, "{answer}");
        values[0].clone()
    }
}

/// The `node` to run the project's scripts with, and where they are; installed at the first time.
async fn project() -> (PathBuf, PathBuf) {
    static INSTALLING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one_at_a_time = INSTALLING.lock().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/ensure-nest.sh");
    let output = Command::new(script).stderr(Stdio::inherit()).output().await.unwrap();
    assert!(output.status.success(), "the packages of tests/nest could not be installed");
    let printed = String::from_utf8(output.stdout).unwrap();
    let (node, folder) = printed.trim().split_once('\n').unwrap();
    (node.into(), folder.into())
}
