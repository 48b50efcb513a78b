//! Answers that are kept, at two edges before two replicas of the services, while what they show is changed.

use crate::world::World;
use futures::StreamExt as _;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Processes with an edge and the services behind it.
const EDGES: [&str; 2] = ["all", "edge"];
/// Processes with an edge alone.
const BARE_EDGES: [&str; 2] = ["edge", "other"];
/// How often each clinic is changed.
const CHANGES: usize = 60;
/// How often each change is read by the one who made it, at each edge.
const OWN_READS: usize = 8;

/// A clinic that is changed, and the versions that matter.
struct Subject {
    path: String,
    body: Value,
    /// The version of the last change that was answered.
    written: AtomicI64,
}

/// Reads, and what they found.
#[derive(Default)]
struct Tally {
    own_reads: AtomicUsize,
    reads: AtomicUsize,
    hits: AtomicUsize,
    /// How long after a change was answered an edge still gave what was before it.
    lags: Mutex<Vec<Duration>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_written_never_reads_what_was_before_and_soon_nobody_does() {
    let mut world = World::without_services().await;
    world.run("all", &[]).await;
    world.run("edge", &["edge", "vendor", "catalog"]).await;
    let owner = world.sign_in("dewi@petpro.example").await;
    let subjects = Arc::new(subjects(&world, &owner, 4).await);
    for edge in EDGES {
        until_kept(&world, edge, &subjects[0].path).await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let tally = Arc::new(Tally::default());
    let readers: Vec<_> = (0..4)
        .map(|number| {
            let base = world.url_at(EDGES[number % 2], "");
            let token = (number >= 2).then(|| owner.clone());
            tokio::spawn(read_on(world.http.clone(), base, token, subjects.clone(), stop.clone(), tally.clone()))
        })
        .collect();
    let bases = EDGES.map(|edge| world.url_at(edge, ""));
    let writers: Vec<_> = (0..subjects.len())
        .map(|number| {
            let (http, bases, owner) = (world.http.clone(), bases.clone(), owner.clone());
            tokio::spawn(write_on(http, bases, owner, subjects.clone(), number, tally.clone()))
        })
        .collect();

    // Redis goes and comes back while all of this is under way: no request fails, and nothing old is given.
    let share_written = async |part: usize| {
        let wanted = i64::try_from(subjects.len() * CHANGES * part / 4).unwrap();
        world
            .until("changes go on", async || {
                let written: i64 = subjects.iter().map(|subject| subject.written.load(SeqCst) - 1).sum();
                written >= wanted || writers.iter().any(tokio::task::JoinHandle::is_finished)
            })
            .await;
    };
    let redis = world.stack.redis.as_ref().unwrap();
    share_written(1).await;
    redis.kill().await.unwrap();
    share_written(2).await;
    redis.restart().await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    for subject in subjects.iter() {
        for edge in EDGES {
            world
                .until("everybody reads what is now", async || {
                    let (status, body) = read(&world, edge, &subject.path).await;
                    assert_eq!(status, 200, "{body}");
                    body["version"].as_i64() == Some(subject.written.load(SeqCst))
                })
                .await;
        }
    }
    stop.store(true, SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    tell(&tally);
    nothing_is_called_for_what_is_known(&world, &subjects).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_is_gone_everywhere_and_what_is_out_of_reach_is_marked() {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__CACHE__TTL_MS", "2000");
    world.set("PETPRO_EDGE__CACHE__STALE_MS", "6000");
    world.run("rest", &["auth", "profile", "booking", "catalog"]).await;
    world.run("vendor", &["vendor"]).await;
    world.run("edge", &["edge"]).await;
    world.run("other", &["edge"]).await;
    let admin = world.sign_in("admin@petpro.example").await;

    let (_, services) = read(&world, "edge", "/services?limit=1").await;
    let service = &services["items"][0];
    let id = |field: &str| service[field].as_str().unwrap().to_owned();
    let vendor = format!("/vendors/{}", id("vendorId"));
    let mut paths = vec![vendor.clone(), format!("/clinics/{}", id("clinicId")), format!("/services/{}", id("id"))];
    let (_, products) = read(&world, "edge", &format!("/products?vendorId={}&limit=1", id("vendorId"))).await;
    if let Some(product) = products["items"][0]["id"].as_str() {
        paths.push(format!("/products/{product}"));
    }
    println!("kept, and then gone: {} of vendor, clinic, service and product", paths.len());
    for path in &paths {
        for edge in BARE_EDGES {
            until_kept(&world, edge, path).await;
        }
    }

    // A vendor that is taken off takes with it whatever is made of it.
    let suspend = json!({ "reason": "it is a test" });
    post(&world, &format!("{vendor}/suspend"), &admin, suspend).await;
    let gone = async |path: &str| {
        for edge in BARE_EDGES {
            world.until("it is gone", async || read(&world, edge, path).await.0 == 404).await;
        }
    };
    for path in &paths {
        gone(path).await;
    }
    for _ in 0..100 {
        for path in &paths {
            for edge in BARE_EDGES {
                assert_eq!(read(&world, edge, path).await.0, 404, "{path} is back at {edge}");
            }
        }
    }
    // Whoever sees more than the public does so as before.
    let seen = world.http.get(world.url_at("edge", &vendor)).bearer_auth(&admin).send().await.unwrap();
    assert_eq!((seen.status(), cache_status(&seen)), (StatusCode::OK, "petpro; fwd=bypass".to_owned()));
    post(&world, &format!("{vendor}/approve"), &admin, json!({})).await;
    for edge in BARE_EDGES {
        until_kept(&world, edge, &vendor).await;
    }

    // The only replica is killed: what is kept serves for a while, and says so.
    world.kill("vendor").await;
    let mut marked = 0;
    let killed = Instant::now();
    world
        .until("what is too old is not given any more", async || {
            let answer = world.http.get(world.url_at("edge", &vendor)).send().await.unwrap();
            let status = answer.status();
            let is_marked = cache_status(&answer) == "petpro; hit; detail=stale";
            assert!(status == StatusCode::OK || status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
            marked += usize::from(is_marked);
            status == StatusCode::SERVICE_UNAVAILABLE
        })
        .await;
    assert!(marked > 0, "nothing was marked");
    println!("{marked} old answers were given and marked, the last within {:.1} s", killed.elapsed().as_secs_f64());
    world.run("vendor", &["vendor"]).await;
    for edge in BARE_EDGES {
        until_kept(&world, edge, &vendor).await;
    }
    world.stop().await;
}

/// Clinics of the demo's owner, and what they are changed with.
async fn subjects(world: &World, owner: &str, count: usize) -> Vec<Subject> {
    let clinics = world.expect(Method::GET, "/clinics?limit=100", Some(owner), None, StatusCode::OK).await;
    let mut subjects = Vec::new();
    for clinic in clinics["items"].as_array().unwrap() {
        let path = format!("/clinics/{}", clinic["id"].as_str().unwrap());
        let mut body = clinic.clone();
        for told in ["id", "vendorId", "kind", "distanceKm", "createdAt", "updatedAt", "version"] {
            body.as_object_mut().unwrap().remove(told);
        }
        // Whoever may not change it is refused, and it stays out.
        let version = clinic["version"].as_i64().unwrap();
        let answer = put(&world.http, &world.url(&path), owner, version, &body).await;
        if let Ok(version) = answer {
            subjects.push(Subject { path, body, written: AtomicI64::new(version) });
        }
        if subjects.len() == count {
            return subjects;
        }
    }
    assert!(!subjects.is_empty(), "no demo clinic can be changed");
    subjects
}

/// Changes a clinic. Its version then.
async fn put(http: &reqwest::Client, url: &str, token: &str, version: i64, body: &Value) -> Result<i64, String> {
    let request = http.put(url).bearer_auth(token).header("If-Match", format!("\"{version}\"")).json(body);
    let answer = request.send().await.unwrap();
    let is_done = answer.status() == StatusCode::OK;
    let body: Value = answer.json().await.unwrap();
    body["version"].as_i64().filter(|_| is_done).ok_or_else(|| body.to_string())
}

/// Changes a clinic again and again, at both edges in turn, and reads at both what it has become.
async fn write_on(
    http: reqwest::Client,
    bases: [String; 2],
    owner: String,
    subjects: Arc<Vec<Subject>>,
    number: usize,
    tally: Arc<Tally>,
) {
    let subject = &subjects[number];
    for change in 0..CHANGES {
        let mut body = subject.body.clone();
        body["description"] = json!(format!("change {change}"));
        let version = subject.written.load(SeqCst);
        let url = format!("{}{}", bases[change % 2], subject.path);
        let version = put(&http, &url, &owner, version, &body).await.unwrap();
        let written = Instant::now();
        subject.written.store(version, SeqCst);
        let at_both = bases.iter().map(|base| {
            let url = format!("{base}{}", subject.path);
            let (http, tally) = (&http, &tally);
            async move {
                for _ in 0..OWN_READS {
                    let answer = http.get(&url).header("X-Minimum-Version", version).send().await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK);
                    let seen: Value = answer.json().await.unwrap();
                    assert!(seen["version"].as_i64().unwrap() >= version, "{version} was written: {seen}");
                    tally.own_reads.fetch_add(1, SeqCst);
                }
            }
        });
        join_all(at_both).await;
        // Everybody else, who says nothing of a version. The reads above have brought the new one to the edges already,
        // where it counts as kept; every other change is looked for without them.
        if change % 2 == 0 {
            continue;
        }
        let version = put(&http, &url, &owner, version, &subject.body).await.unwrap();
        let written = Instant::now().max(written);
        subject.written.store(version, SeqCst);
        let seen_at = bases.iter().map(|base| {
            let url = format!("{base}{}", subject.path);
            let http = &http;
            async move {
                loop {
                    let seen: Value = http.get(&url).send().await.unwrap().json().await.unwrap();
                    if seen["version"].as_i64().unwrap() >= version {
                        return written.elapsed();
                    }
                }
            }
        });
        let lags = join_all(seen_at).await;
        tally.lags.lock().unwrap().extend(lags);
    }
}

/// Reads every clinic at one edge until it is over: nothing fails, and nothing goes back to what was before.
async fn read_on(
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    subjects: Arc<Vec<Subject>>,
    stop: Arc<AtomicBool>,
    tally: Arc<Tally>,
) {
    let mut last: HashMap<&str, i64> = HashMap::new();
    while !stop.load(SeqCst) {
        for subject in subjects.iter() {
            let mut request = http.get(format!("{base}{}", subject.path));
            if let Some(token) = &token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            tally.reads.fetch_add(1, SeqCst);
            tally.hits.fetch_add(usize::from(cache_status(&answer).starts_with("petpro; hit")), SeqCst);
            let seen: Value = answer.json().await.unwrap();
            let version = seen["version"].as_i64().unwrap();
            let before = last.insert(&subject.path, version).unwrap_or(version);
            assert!(version >= before, "{}: {version} after {before}", subject.path);
        }
    }
}

/// Prints how many reads there were, and how long the old was given after it had been changed.
fn tell(tally: &Tally) {
    let mut lags = tally.lags.lock().unwrap().clone();
    lags.sort();
    let at = |percent: usize| lags[(lags.len() * percent / 100).min(lags.len() - 1)].as_secs_f64() * 1_000.0;
    println!(
        "{} reads of own changes, none older; {} other reads, {} of them from what was kept",
        tally.own_reads.load(SeqCst),
        tally.reads.load(SeqCst),
        tally.hits.load(SeqCst),
    );
    println!(
        "{} times from the answer to a change until an edge shows it to all: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
        lags.len(),
        at(50),
        at(99),
        at(100),
    );
}

/// What a client has already is said without asking a service.
async fn nothing_is_called_for_what_is_known(world: &World, subjects: &[Subject]) {
    for subject in subjects {
        for edge in EDGES {
            until_kept(world, edge, &subject.path).await;
        }
    }
    let before = calls(world, "clinic-findOne").await;
    let mut unchanged = 0;
    for subject in subjects {
        let known = format!("\"{}\"", subject.written.load(SeqCst));
        for number in 0..100 {
            let url = world.url_at(EDGES[number % 2], &subject.path);
            let answer = world.http.get(url).header("If-None-Match", &known).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
            unchanged += 1;
        }
    }
    let after = calls(world, "clinic-findOne").await;
    println!("{unchanged} answers of 304 in {} calls", after - before);
    assert_eq!(after, before);
}

/// How many requests all replicas have answered at an endpoint of the vendor service.
async fn calls(world: &World, endpoint: &str) -> u64 {
    let operator = world.operator().await;
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    operator.publish_with_reply("$SRV.STATS.vendor", inbox, "".into()).await.unwrap();
    let (mut requests, mut replicas) = (0, 0);
    while replicas < EDGES.len() {
        let reply = tokio::time::timeout(crate::world::PATIENCE, replies.next()).await.unwrap().unwrap();
        let stats: Value = serde_json::from_slice(&reply.payload).unwrap();
        let endpoints = stats["endpoints"].as_array().unwrap().iter();
        requests += endpoints
            .filter(|stats| stats["name"] == endpoint)
            .map(|stats| stats["num_requests"].as_u64().unwrap())
            .sum::<u64>();
        replicas += 1;
    }
    requests
}

/// Waits until an edge answers a path from what it has kept in its own process.
async fn until_kept(world: &World, edge: &str, path: &str) {
    world
        .until("it is kept", async || {
            let answer = world.http.get(world.url_at(edge, path)).send().await.unwrap();
            answer.status() == StatusCode::OK && cache_status(&answer) == "petpro; hit"
        })
        .await;
}

async fn read(world: &World, edge: &str, path: &str) -> (u16, Value) {
    let answer = world.http.get(world.url_at(edge, path)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn post(world: &World, path: &str, token: &str, body: Value) {
    let answer = world.http.post(world.url(path)).bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}: {}", answer.text().await.unwrap());
}

fn cache_status(answer: &reqwest::Response) -> String {
    answer.headers().get("cache-status").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}
