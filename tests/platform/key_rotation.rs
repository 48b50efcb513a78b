//! Keys are changed under a running platform, and nobody notices but those who kept what is over.

use crate::world::{PATIENCE, World};
use async_nats::ConnectErrorKind;
use identity::keys::{AUTH, KeyState, KeyStore, Purpose};
use petpro::services;
use platform::nats::secured;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::Nats;

/// So long nothing is over that these tests do not end themselves.
const HOUR: u32 = 3_600;

/// A platform of three processes, which look for new keys several times a second, each for itself.
async fn watchful_world() -> World {
    let mut world = World::without_services().await;
    world.set("PETPRO_KEYS__REFRESH_MS", "200");
    world.run("auth", &["auth"]).await;
    world.run("others", &["profile", "vendor", "booking", "catalog"]).await;
    world.run("edge", &["edge"]).await;
    world.until_heard().await;
    world
}

/// `petpro keys …` against the platform, with a rotation of so many seconds each part.
fn petpro(world: &World, arguments: &[&str], overlap: u32, retirement: u32) -> String {
    let output = std::process::Command::new(PathBuf::from(env!("CARGO_BIN_EXE_petpro")))
        .args(arguments)
        .current_dir(world.folder.path())
        .envs(&world.stack.variables)
        .env("PETPRO_KEYS__REFRESH_MS", "200")
        .env("PETPRO_KEYS__ROTATION_OVERLAP_SECONDS", overlap.to_string())
        .env("PETPRO_KEYS__RETIRE_AFTER_SECONDS", retirement.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// How many keys of access tokens are in each state, as the folder has it now.
fn states(world: &World) -> BTreeMap<&'static str, usize> {
    world.stack.keys.refresh().unwrap();
    let registry = world.stack.keys.registry();
    let mut states = BTreeMap::new();
    for key in registry.keys_of(AUTH, Purpose::Access) {
        *states.entry(registry.state(key, chrono::Utc::now()).as_str()).or_default() += 1;
    }
    states
}

fn kid(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn published(world: &World) -> BTreeSet<String> {
    let url = world.url("").replace("/api/v1", "/.well-known/jwks.json");
    let set: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_taken_all_through_a_rotation_and_old_ones_refused_after_it() {
    let world = watchful_world().await;
    let slot = world.free_slot().await;
    let customer = "budi@petpro.example";
    let old = world.sign_in(customer).await;
    assert_eq!(published(&world).await, BTreeSet::from([kid(&old)]));
    let begun = petpro(&world, &["keys", "rotate"], 5, HOUR);
    assert!(begun.contains("begun: auth.access") && begun.contains("begun: edge.user"), "{begun}");

    // Whoever signs in uses the token at once: over the edge's user tokens, and over booking's service tokens for vendor.
    let (mut kids, mut were_published) = (BTreeSet::new(), BTreeSet::new());
    let (started, mut rounds) = (Instant::now(), 0);
    while !states(&world).contains_key(KeyState::Retired.as_str()) || kids.len() < 2 {
        assert!(started.elapsed() < PATIENCE, "nobody signs with the new key");
        let token = world.sign_in(customer).await;
        kids.insert(kid(&token));
        were_published.insert(published(&world).await.len());
        world.expect(Method::GET, "/bookings", Some(&token), None, StatusCode::OK).await;
        let booked = world.ask(Method::POST, "/bookings", Some(&token), Some(slot.wish())).await;
        let expected = if rounds == 0 { 201 } else { 409 };
        assert_eq!(booked.0, expected, "{}", booked.1);
        rounds += 1;
    }
    assert_eq!(kids.len(), 2, "after {rounds} rounds");
    assert!(kids.contains(&kid(&old)));
    assert!(were_published.contains(&2), "both keys are published for a while");

    world.expect(Method::GET, "/bookings", Some(&old), None, StatusCode::OK).await;

    // The same again with a shorter time: the old keys leave at once.
    petpro(&world, &["keys", "rotate"], 5, 0);
    let token = world.sign_in(customer).await;
    assert_ne!(kid(&token), kid(&old));
    world
        .until("the old token is refused", async || {
            world.expect(Method::GET, "/bookings", Some(&token), None, StatusCode::OK).await;
            let (status, answer) = world.ask(Method::GET, "/bookings", Some(&old), None).await;
            status != 200 && (status, &answer["reason"]) == (401, &json!("invalid_token"))
        })
        .await;
    world.until("one key is published", async || published(&world).await == BTreeSet::from([kid(&token)])).await;

    let tidied = petpro(&world, &["keys"], 5, 0);
    assert!(tidied.contains(&format!("auth.access {}", kid(&old))), "{tidied}");
    assert_eq!(states(&world), BTreeMap::from([("active", 1)]));
    world.expect(Method::GET, "/bookings", Some(&token), None, StatusCode::OK).await;
    world.stop().await;
}

/// The nkeys of the services' connections, by the services' names.
async fn connected(world: &World) -> BTreeMap<String, String> {
    let nats = world.stack.nats.as_ref().unwrap();
    let url = format!("{}/connz?auth=1&limit=1000", nats.monitor_url());
    let shown: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    let names = services::names();
    let connections = shown["connections"].as_array().unwrap().iter();
    let of_services = connections.filter(|connection| names.iter().any(|name| connection["name"] == *name));
    of_services
        .map(|connection| (&connection["name"], &connection["authorized_user"]))
        .map(|(name, user)| (name.as_str().unwrap().to_owned(), user.as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nkeys_are_changed_while_requests_are_answered() {
    let world = watchful_world().await;
    let before = connected(&world).await;
    assert_eq!(before.len(), services::names().len(), "{before:?}");
    let old_seed = world.stack.keys.nats_seed("booking").unwrap();

    let answered = AtomicUsize::new(0);
    let token = Mutex::new(world.sign_in("budi@petpro.example").await);
    // What may be asked again: an answer that is on its way while a connection is made anew is lost.
    let ask = async {
        loop {
            let token = token.lock().unwrap().clone();
            for path in ["/bookings", "/pets", "/clinics?limit=1", "/products?limit=1"] {
                let (status, answer) = world.ask(Method::GET, path, Some(&token), None).await;
                // A service of a single replica is away for the moment in which it connects anew.
                if status == 503 {
                    continue;
                }
                assert_eq!(status, 200, "{path}: {answer}\n{}", world.log());
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let rotate = async {
        // Those who look before NATS has been told stay with what they have.
        petpro(&world, &["keys", "rotate"], 5, HOUR);
        world
            .until("somebody has found that NATS does not know the next nkey", async || {
                world.log().contains("nats does not know the next nkey yet")
            })
            .await;
        assert_eq!(connected(&world).await, before);
        let watching = world.stack.nats.as_ref().unwrap();
        let go_over = async {
            world
                .until("every service is connected with its new nkey", async || {
                    let now = connected(&world).await;
                    now.len() == before.len() && now.iter().all(|(name, nkey)| before[name] != *nkey)
                })
                .await;
            let registry = world.stack.keys.nats_registry();
            for (name, nkey) in connected(&world).await {
                assert_eq!(registry.keys_of(&name).last().unwrap().key, nkey, "{name}");
            }
            assert!(lets_in(watching, &world.stack.keys, &old_seed).await, "whoever has not gone over yet");
            let renewed = world.sign_in("budi@petpro.example").await;
            *token.lock().unwrap() = renewed;
            let after = answered.load(Ordering::Relaxed);
            world.until("the new token is used", async || answered.load(Ordering::Relaxed) > after + 8).await;
            petpro(&world, &["keys", "rotate"], 1, 0);
            world
                .until("the old nkeys are over", async || !lets_in(watching, &world.stack.keys, &old_seed).await)
                .await;
            let after = answered.load(Ordering::Relaxed);
            world.until("requests are answered", async || answered.load(Ordering::Relaxed) > after + 20).await;
        };
        tokio::select! {
            () = go_over => {}
            () = world.stack.keep_permissions(Duration::from_millis(200)) => {}
        }
    };
    tokio::select! {
        () = rotate => {}
        () = ask => {}
    }
    world.stop().await;
}

async fn lets_in(nats: &Nats, keys: &KeyStore, seed: &SecretString) -> bool {
    for _ in 0..100 {
        let options = async_nats::ConnectOptions::with_nkey(seed.expose_secret().to_owned());
        match secured(options, keys, "booking").unwrap().connect(nats.url()).await.map_err(|error| error.kind()) {
            Ok(_) => return true,
            Err(ConnectErrorKind::AuthorizationViolation) => return false,
            // The server closes the connection at once, sometimes before its refusal was read.
            Err(ConnectErrorKind::Io) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("nats-server says neither yes nor no");
}
