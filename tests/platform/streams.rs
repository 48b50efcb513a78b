//! Streams of events while replicas are killed and replaced, while their client is away, and over a restart of
//! everything: every version of every booking comes once, in order.

use crate::world::{Slot, World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How many bookings change all the time.
const BOOKINGS: usize = 4;

/// What a client has heard so far.
#[derive(Default)]
struct Heard {
    /// The versions of each booking, in the order in which they came.
    versions: BTreeMap<String, Vec<i64>>,
    resets: usize,
    connections: usize,
    last_id: Option<String>,
    ends: Vec<String>,
}

impl Heard {
    fn hear(&mut self, block: &str) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        if let Some(id) = field("id: ") {
            self.last_id = Some(id.to_owned());
        }
        let Some(data) = field("data: ") else { return };
        let data: Value = serde_json::from_str(data).unwrap();
        match field("event: ").unwrap_or_default() {
            "reset" => {
                self.resets += 1;
                self.versions.clear();
            }
            "snapshot" | "change" => {
                let (id, version) = (data["bookingId"].as_str().unwrap(), data["version"].as_i64().unwrap());
                let versions = self.versions.entry(id.to_owned()).or_default();
                if let Some(before) = versions.last() {
                    assert_eq!(version, before + 1, "after {before} of {id} came {version}");
                }
                versions.push(version);
            }
            "end" => self.ends.push(data.to_string()),
            _ => {}
        }
    }

    fn events(&self) -> usize {
        self.versions.values().map(Vec::len).sum()
    }
}

/// A client that comes back whenever it loses its stream, as browsers do.
struct Client {
    heard: Arc<Mutex<Heard>>,
    /// Where the edge is now.
    url: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Client {
    fn open(url: String, token: String, heard: Arc<Mutex<Heard>>) -> Client {
        let url = Arc::new(Mutex::new(url));
        let reading = tokio::spawn(read(url.clone(), token, heard.clone()));
        Client { heard, url, reading }
    }

    /// Waits for some more events than there are now.
    async fn hears(&self, world: &World, more: usize) {
        let wanted = self.heard.lock().unwrap().events() + more;
        world
            .until("the client hears of changes", async || {
                assert!(!self.reading.is_finished(), "the client has stopped");
                self.heard.lock().unwrap().events() >= wanted
            })
            .await;
    }

    /// Goes away; what it has heard stays.
    async fn leave(self) -> Arc<Mutex<Heard>> {
        self.reading.abort();
        let _cancelled = self.reading.await;
        self.heard
    }
}

async fn read(url: Arc<Mutex<String>>, token: String, heard: Arc<Mutex<Heard>>) {
    let http = reqwest::Client::builder().build().unwrap();
    loop {
        let at = url.lock().unwrap().clone();
        let mut request = http.get(at).bearer_auth(&token).header("accept", "text/event-stream");
        if let Some(id) = &heard.lock().unwrap().last_id {
            request = request.header("last-event-id", id);
        }
        if let Ok(mut response) = request.send().await {
            let status = response.status();
            if status == StatusCode::OK {
                heard.lock().unwrap().connections += 1;
                let mut text = String::new();
                while let Ok(Some(bytes)) = response.chunk().await {
                    text.push_str(std::str::from_utf8(&bytes).unwrap());
                    while let Some((block, rest)) = text.split_once("\n\n") {
                        heard.lock().unwrap().hear(block);
                        text = rest.to_owned();
                    }
                }
            } else {
                assert!(status.is_server_error(), "{status}: {}", response.text().await.unwrap_or_default());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Changes bookings one after the other until it is told to stop.
struct Driver {
    stop: Arc<AtomicBool>,
    changes: Arc<AtomicU64>,
    running: JoinHandle<()>,
}

impl Driver {
    fn start(world: &World, token: &str, bookings: &[(String, Slot)]) -> Driver {
        let (stop, changes) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (http, url, token) = (world.http.clone(), world.url("/bookings"), token.to_owned());
        let (bookings, stops, counted) = (bookings.to_vec(), stop.clone(), changes.clone());
        let running = tokio::spawn(async move {
            while !stops.load(Ordering::Relaxed) {
                for (id, slot) in &bookings {
                    let at = format!("{url}/{id}");
                    // Whatever is refused or fails while replicas are killed is tried again with the version of then.
                    let Ok(answer) = http.get(&at).bearer_auth(&token).send().await else { continue };
                    let Ok(booking) = answer.json::<Value>().await else { continue };
                    let Some(version) = booking["version"].as_i64() else { continue };
                    let body = json!({ "startsAt": slot.starts_at, "staffId": slot.staff, "notes": Uuid::now_v7() });
                    let request = http.put(&at).bearer_auth(&token).header("if-match", format!("\"{version}\""));
                    if request.json(&body).send().await.is_ok_and(|answer| answer.status().is_success()) {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        Driver { stop, changes, running }
    }

    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.running.await.unwrap();
        self.changes.load(Ordering::Relaxed)
    }
}

/// The versions in the histories of some bookings.
async fn histories(world: &World) -> BTreeMap<String, Vec<i64>> {
    let query = "select booking_id::text, version from booking.booking_changes order by booking_id, version";
    let rows: Vec<(String, i64)> = sqlx::query_as(query).fetch_all(&mut world.database().await).await.unwrap();
    let mut histories: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (id, version) in rows {
        histories.entry(id).or_default().push(version);
    }
    histories
}

/// Waits until the client has heard all that the histories hold, and that nothing is missing from its first version on.
async fn has_heard_all(world: &World, heard: &Mutex<Heard>) {
    world
        .until("the client has heard all", async || {
            let histories = histories(world).await;
            let heard = heard.lock().unwrap();
            histories.iter().all(|(id, versions)| heard.versions.get(id).and_then(|it| it.last()) == versions.last())
        })
        .await;
    let (histories, heard) = (histories(world).await, heard.lock().unwrap());
    assert_eq!(heard.versions.keys().collect::<BTreeSet<_>>(), histories.keys().collect());
    for (id, versions) in &heard.versions {
        assert!(histories[id].ends_with(versions), "{id}: {versions:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_on_over_kills_a_rolling_restart_a_pause_and_a_restart_of_everything() {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__STREAMS__SETTLE_MS", "3000");
    world.run("edge", &["auth", "profile", "vendor", "catalog", "edge"]).await;
    world.run("one", &["booking"]).await;
    world.run("two", &["booking"]).await;
    world.until_heard().await;
    let token = world.sign_in("budi@petpro.example").await;
    let mut bookings = vec![];
    // Slots overlap the ones beside them.
    for slot in world.free_slots(BOOKINGS * 10).await.into_iter().step_by(10) {
        let path = "/bookings";
        let made = world.expect(Method::POST, path, Some(&token), Some(slot.wish()), StatusCode::CREATED).await;
        bookings.push((made["id"].as_str().unwrap().to_owned(), slot));
    }

    // Somebody else's stream has nothing of it.
    let other = world.sign_in("siti@petpro.example").await;
    let foreign = Client::open(world.url("/bookings/watch"), other, Arc::default());
    let client = Client::open(world.url("/bookings/watch"), token.clone(), Arc::default());
    client.hears(&world, BOOKINGS).await;
    let driver = Driver::start(&world, &token, &bookings);
    client.hears(&world, 20).await;

    // A replica dies, and another comes in its place: it may be the one that told the client, or not.
    for (dies, comes) in [("one", "three"), ("two", "four")] {
        world.kill(dies).await;
        world.run(comes, &["booking"]).await;
        client.hears(&world, 20).await;
    }
    // All replicas are replaced.
    for (leaves, comes) in [("three", "five"), ("four", "six")] {
        world.run(comes, &["booking"]).await;
        world.terminate(leaves).await;
        client.hears(&world, 20).await;
    }
    {
        let heard = client.heard.lock().unwrap();
        assert_eq!((heard.connections, heard.resets), (1, 1), "the client has noticed something");
    }

    // The client goes away, with a place that has settled, and comes back.
    tokio::time::sleep(Duration::from_secs(3)).await;
    client.hears(&world, 20).await;
    let heard = client.leave().await;
    let missed = driver.changes.load(Ordering::Relaxed) + 30;
    world.until("much has changed", async || driver.changes.load(Ordering::Relaxed) >= missed).await;
    let client = Client::open(world.url("/bookings/watch"), token.clone(), heard);
    client.hears(&world, 50).await;
    assert_eq!(client.heard.lock().unwrap().resets, 1);

    // Everything is started anew, after a crash of all services and of NATS; the client keeps trying.
    let changes = driver.stop().await;
    has_heard_all(&world, &client.heard).await;
    for name in ["edge", "five", "six"] {
        world.kill(name).await;
    }
    world.stack.nats.as_ref().unwrap().kill().await.unwrap();
    world.stack.nats.as_ref().unwrap().restart().await.unwrap();
    world.run("edge", &["auth", "profile", "vendor", "catalog", "edge"]).await;
    world.run("seven", &["booking"]).await;
    *client.url.lock().unwrap() = world.url("/bookings/watch");
    let driver = Driver::start(&world, &token, &bookings);
    client.hears(&world, 30).await;
    let changes = changes + driver.stop().await;
    has_heard_all(&world, &client.heard).await;

    let heard = client.leave().await;
    {
        let heard = heard.lock().unwrap();
        println!(
            "{} events over {changes} changes, {} connections, {} resets",
            heard.events(),
            heard.connections,
            heard.resets
        );
        assert_eq!((heard.resets, &heard.ends), (1, &vec![]));
    }
    let foreign = foreign.leave().await;
    assert_eq!(foreign.lock().unwrap().events(), 0);
    world.stop().await;
}
