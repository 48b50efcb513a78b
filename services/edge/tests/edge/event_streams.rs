//! Streams of events over HTTP: what there is and what changes, to whom, and how a stream goes on or ends.

use crate::documented;
use crate::stack::start_edge;
use crate::tiny_booking::{self, TinyBooking};
use identity::{AccessTokens, KeyStore, Purpose, User};
use platform::nats::NatsConfig;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{AuditQueue, Settings, permissions, provision};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use subjects::auth::{RevokedSession, SessionRevoked};
use subjects::ids::{SessionId, UserId};
use subjects::{Event as _, Role};
use testkit::{Leaks, Nats, NatsOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The auth service's identity, without the service.
struct SilentAuth;
impl platform::App for SilentAuth {
    const NAME: &'static str = "auth";
}
platform::calls!(SilentAuth => []);

/// One nats-server, one tiny booking service and one edge.
struct World {
    /// First, so that it looks while the rest is there.
    _leaks: Leaks,
    address: SocketAddr,
    host: Host,
    edge: Running,
    booking: Running,
    /// What booking has for the audit log.
    log: AuditQueue,
    rows: tiny_booking::Rows,
    publisher: Setup,
    auth: Setup,
    keys: KeyStore,
    _nats: Nats,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start(more_settings: impl FnOnce(Settings) -> Settings) -> World {
        let folder = tempfile::tempdir().unwrap();
        KeyStore::create_missing(folder.path(), &["auth", "profile", "vendor", "booking", "catalog", "edge"]).unwrap();
        let keys = KeyStore::open(folder.path()).unwrap();
        let declarations = [
            platform::Service::<SilentAuth>::new().publishes_events().declaration(),
            tiny_booking::service().declaration(),
            edge::service().declaration(),
        ];
        let public_keys = keys.nats_public_keys();
        let accounts =
            permissions::render(&permissions::permissions(&declarations), |identity| public_keys[identity].clone());
        let nats = Nats::start(NatsOptions { accounts, tls: Some(keys.nats_server_dir()), ..NatsOptions::default() })
            .await
            .unwrap();
        let settings = Settings::from_toml("")
            .set("nats.url", nats.url())
            .set("nats.stream_bytes", 64 << 20)
            .set("keys.dir", folder.path())
            .set("keys.allow_plain", true)
            .set("edge.listen", "127.0.0.1:0")
            .set("edge.leave_after_ms", 1)
            .set("edge.streams.settle_ms", 0)
            .set("edge.streams.keep_alive_ms", 200)
            .set("edge.limits_profile", "wide")
            .set("edge.shedding.times_slower", 1_000_000.0);
        let host = Host::new(more_settings(settings)).unwrap();
        let config: NatsConfig = host.settings.section("nats").unwrap();
        let (provisioner, _) =
            platform::nats::connect(&config, "provision", &keys, host.metrics.clone()).await.unwrap();
        provision::provision(&async_nats::jetstream::new(provisioner), &config, &[]).await.unwrap();
        let rows = tiny_booking::Rows::default();
        let setup = Setup::connect(&host, "booking").await.unwrap();
        let log = setup.audit.clone();
        let booking = runtime::start(setup, tiny_booking::service(), TinyBooking { rows: rows.clone() }).await.unwrap();
        let (edge, address) = start_edge(&host).await;
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        World {
            _leaks: leaks,
            publisher: Setup::connect(&host, "booking").await.unwrap(),
            auth: Setup::connect(&host, "auth").await.unwrap(),
            address,
            host,
            edge,
            booking,
            log,
            rows,
            keys,
            _nats: nats,
            _folder: folder,
        }
    }

    fn user(&self) -> (User, String) {
        self.somebody(Role::Customer)
    }

    fn somebody(&self, role: Role) -> (User, String) {
        let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![role] };
        let tokens = AccessTokens::new(self.keys.signing_key("auth", Purpose::Access).unwrap());
        let token = tokens.issue(&user, chrono::Utc::now());
        (user, token)
    }

    async fn change(&self, state: &mut subjects::booking::BookingState) {
        state.version += 1;
        tiny_booking::tell(&self.publisher, &self.rows, state).await;
    }

    fn request(&self, token: &str, from: Option<&str>) -> reqwest::RequestBuilder {
        let request = reqwest::Client::new().get(format!("http://{}/api/v1/bookings/watch", self.address));
        let request = request.bearer_auth(token).header("accept", "text/event-stream");
        from.into_iter().fold(request, |request, from| request.header("last-event-id", from))
    }

    async fn open(&self, token: &str, from: Option<&str>) -> Stream {
        let response = self.request(token, from).send().await.unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        documented::check(&reqwest::Method::GET, "/api/v1/bookings/watch", 200, response.headers(), b"");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers().get("content-encoding").is_none());
        Stream { response, text: String::new() }
    }
}

/// One event as a browser would see it.
#[derive(Debug, Default, PartialEq)]
struct Event {
    name: String,
    id: Option<String>,
    data: String,
}

impl Event {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// A stream that is read as it comes.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    /// The next block; None: the stream has ended as it should.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let bytes = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event that a browser would tell of.
    async fn event(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let Some(data) = field("data: ") {
                return Some(Event { name: field("event: ").unwrap_or_default(), id: field("id: "), data });
            }
        }
    }

    async fn named(&mut self, name: &str) -> Event {
        loop {
            let event = self.event().await.unwrap();
            if event.name == name {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn a_client_hears_its_own_and_goes_on_from_its_last_event() {
    let world = World::start(|settings| settings).await;
    let ((user, token), (other, _)) = (world.user(), world.user());
    let mut own = tiny_booking::row(&world.rows, user.id);
    let mut foreign = tiny_booking::row(&world.rows, other.id);
    let mut stream = world.open(&token, None).await;
    assert_eq!(stream.block().await.unwrap(), "retry: 2000");
    let names = [stream.event().await.unwrap(), stream.event().await.unwrap(), stream.event().await.unwrap()];
    assert_eq!(names.each_ref().map(|event| event.name.as_str()), ["reset", "snapshot", "ready"]);
    assert_eq!(names[1].json()["bookingId"], own.booking_id.to_string());
    // Whoever loses the stream here has forgotten what it knew, and does not go on from where it was before.
    let forgotten = names[0].id.clone().unwrap();
    assert!(forgotten.ends_with("-00000000000000000000000000000000"), "{forgotten}");
    assert_eq!(world.open(&token, Some(&forgotten)).await.event().await.unwrap().name, "reset");

    let mut last = String::new();
    for _ in 0..3 {
        world.change(&mut foreign).await;
        world.change(&mut own).await;
        let event = stream.event().await.unwrap();
        assert_eq!((event.name.as_str(), &event.json()["version"]), ("change", &own.version.into()));
        last = event.id.unwrap();
    }
    drop(stream);
    for _ in 0..3 {
        world.change(&mut own).await;
    }
    let mut resumed = world.open(&token, Some(&last)).await;
    for version in 5..8 {
        let event = resumed.event().await.unwrap();
        assert_eq!((event.name.as_str(), &event.json()["version"]), ("change", &version.into()));
    }
    // A place that nobody knows any more.
    let mut fresh = world.open(&token, Some("1-1")).await;
    assert_eq!(fresh.event().await.unwrap().name, "reset");
    assert_eq!(fresh.named("snapshot").await.json()["version"], 7);
}

#[tokio::test]
async fn whoever_sees_everything_is_in_the_audit_log_with_where_they_are_also_when_they_come_back() {
    let world = World::start(|settings| settings).await;
    let (admin, token) = world.somebody(Role::PlatformAdmin);
    for last in [None, Some("1-1")] {
        world.open(&token, last).await.named("ready").await;
        let kept = world.log.take(usize::MAX);
        assert_eq!(kept.len(), 1, "{last:?}: {kept:?}");
        let row = &kept[0];
        assert_eq!((row.operation, row.actor_id), ("booking.watch", Some(admin.id)));
        assert_eq!((row.network.as_deref(), row.via.as_deref()), (Some("127.0.0.0/24"), Some("edge")));
    }
    let (_, customer) = world.user();
    world.open(&customer, None).await.named("ready").await;
    assert_eq!(world.log.take(usize::MAX), []);
}

#[tokio::test]
async fn an_idle_stream_gives_signs_of_life_with_its_place() {
    let world = World::start(|settings| settings).await;
    let (user, token) = world.user();
    tiny_booking::row(&world.rows, user.id);
    let mut stream = world.open(&token, None).await;
    let ready = stream.named("ready").await;
    let mut comments = vec![];
    while comments.len() < 3 {
        comments.push(stream.block().await.unwrap());
    }
    assert!(comments.iter().all(|comment| comment.starts_with(": alive\nid: ")), "{comments:?}");
    assert!(ready.id.unwrap().starts_with(comments[2].strip_prefix(": alive\nid: ").unwrap()));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_streamed() {
    let world = World::start(|settings| settings.set("edge.streams.per_user", 2)).await;
    let (_, token) = world.user();
    let status = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        documented::check(&reqwest::Method::GET, "/api/v1/bookings/watch", status, &headers, body.as_bytes());
        (status, serde_json::from_str::<Value>(&body).unwrap()["reason"].as_str().unwrap().to_owned())
    };
    for place in ["x", "1", "1-2-3", "1-2,3-4", "99999999999999999999999-1"] {
        assert_eq!(status(world.request(&token, Some(place))).await.0, 400, "{place}");
    }
    assert_eq!(status(world.request(&token, None).query(&[("clinicId", "x")])).await.0, 400);
    assert_eq!(status(world.request(&token, None).query(&[("fields", "id")])).await.0, 400);
    assert_eq!(status(world.request("nobody", None)).await.0, 401);
    let url = format!("http://{}/api/v1/bookings/watch", world.address);
    let not_acceptable = reqwest::Client::new().get(&url).bearer_auth(&token).header("accept", "application/json");
    assert_eq!(status(not_acceptable).await.0, 406);
    let head = reqwest::Client::new().head(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));

    let (one, _two) = (world.open(&token, None).await, world.open(&token, None).await);
    assert_eq!(status(world.request(&token, None)).await, (429, "too_many_streams".to_owned()));
    let (_, another) = world.user();
    world.open(&another, None).await;
    // A place is given back when its client is gone.
    drop(one);
    while world.request(&token, None).send().await.unwrap().status() != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_ended_session_ends_its_streams_and_a_leaving_edge_all() {
    let world = World::start(|settings| settings).await;
    let ((user, token), (_, staying)) = (world.user(), world.user());
    let mut state = tiny_booking::row(&world.rows, user.id);
    let mut ended = world.open(&token, None).await;
    ended.named("ready").await;
    let mut stays = world.open(&staying, None).await;
    stays.named("ready").await;
    let revoked = SessionRevoked(RevokedSession {
        session_id: user.session,
        user_id: user.id,
        version: 2,
        revoked_at: chrono::Utc::now(),
        expires_at: chrono::Utc::now() + chrono::TimeDelta::hours(1),
    });
    let subject = subjects::event::subject(SessionRevoked::TYPE, user.session.into());
    let body = serde_json::to_vec(&revoked).unwrap();
    world.auth.jetstream.publish(subject, body.into()).await.unwrap().await.unwrap();
    // Until the edge has heard of it.
    while world.request(&token, None).send().await.unwrap().status() != 401 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Enough for the lease's credit to end.
    for _ in 0..300 {
        world.change(&mut state).await;
    }
    let end = ended.named("end").await;
    assert_eq!(end.json(), serde_json::json!({ "code": "unauthenticated", "reason": "invalid_token" }));
    assert_eq!(ended.event().await, None);

    world.edge.drain().await.unwrap();
    assert_eq!(stays.event().await, None);
    world.booking.drain().await.unwrap();
    drop(world.host);
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_little_and_is_told_anew() {
    let patient =
        |settings: Settings| settings.set("streams.kept_events", 500).set("edge.connections.write_timeout_ms", 600_000);
    let world = World::start(patient).await;
    let (user, token) = world.user();
    let mut state = tiny_booking::row(&world.rows, user.id);
    let mut slow = world.open(&token, None).await;
    slow.named("ready").await;
    // Far more than sockets hold, and than the service keeps.
    state.reference = "R".repeat(4_000);
    for _ in 0..6_000 {
        world.change(&mut state).await;
    }
    let mut resets = 0;
    let mut last = 1;
    while last < state.version {
        let event = slow.event().await.unwrap();
        if event.name == "reset" {
            resets += 1;
            last = 0;
        } else if event.name != "ready" {
            let version = event.json()["version"].as_i64().unwrap();
            assert!(version > last, "{version} came after {last}");
            last = version;
        }
    }
    assert!(resets > 0, "24 MB of changes waited somewhere");
}

/// What this process has in memory, in bytes.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

#[tokio::test]
async fn many_idle_watchers_are_told_when_something_happens() {
    const WATCHERS: usize = 500;
    let many =
        |settings: Settings| settings.set("edge.streams.per_user", WATCHERS).set("edge.streams.keep_alive_ms", 15_000);
    let world = World::start(many).await;
    let (user, token) = world.user();
    let mut state = tiny_booking::row(&world.rows, user.id);
    world.open(&token, None).await.named("ready").await;
    let before = resident_bytes();
    let mut watchers = vec![];
    for _ in 0..WATCHERS {
        let mut watcher = TcpStream::connect(world.address).await.unwrap();
        let request = format!(
            "GET /api/v1/bookings/watch HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
            world.address
        );
        watcher.write_all(request.as_bytes()).await.unwrap();
        until_read(&mut watcher, "event: ready").await;
        watchers.push(watcher);
    }
    let each = resident_bytes().saturating_sub(before) / u64::try_from(WATCHERS).unwrap();
    println!(
        "each of {WATCHERS} idle watchers takes {each} bytes, at the edge, in its service and at the client together"
    );
    world.change(&mut state).await;
    for watcher in &mut watchers {
        until_read(watcher, "event: change").await;
    }
}

async fn until_read(stream: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
}
