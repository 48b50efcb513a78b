//! A vendor service whose clinics a test changes as it likes, with a nats-server of its own and any number of edges.

use crate::stack::{Answer, Edge, start_edge};
use bytes::Bytes;
use identity::{AccessTokens, KeyStore, Purpose, User};
use platform::nats::NatsConfig;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{Service, Settings, permissions, provision};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use subjects::ids::{ClinicId, SessionId, UserId, VendorId};
use subjects::vendor::{Clinic, ClinicState, ClinicUpdated, FindClinic, VendorError, VendorState, VendorSuspended};
use subjects::{Event, Role};
use testkit::{Leaks, Nats, NatsOptions};

const PATIENCE: Duration = Duration::from_secs(30);

/// The clinics, and how often each was asked for.
#[derive(Default)]
pub struct Shelf(Mutex<HashMap<ClinicId, OnShelf>>);

#[derive(Clone)]
struct OnShelf {
    vendor: VendorId,
    version: i64,
    is_hidden: bool,
    calls: usize,
    takes: Duration,
}

/// A clinic that a test has made.
#[derive(Clone, Copy)]
pub struct Made {
    pub id: ClinicId,
    pub vendor: VendorId,
}

impl Made {
    pub fn path(&self) -> String {
        format!("/api/v1/clinics/{}", self.id)
    }
}

struct ShelfVendor {
    shelf: Arc<Shelf>,
}
impl platform::App for ShelfVendor {
    const NAME: &'static str = "vendor";
}
platform::calls!(ShelfVendor => []);

struct SilentAuth;
impl platform::App for SilentAuth {
    const NAME: &'static str = "auth";
}
platform::calls!(SilentAuth => []);

fn service() -> Service<ShelfVendor> {
    Service::new().on(find_clinic).publishes_events()
}

/// Members see hidden clinics; that is everybody who is signed in.
async fn find_clinic(cx: platform::Cx<ShelfVendor>, request: FindClinic) -> Result<Clinic, VendorError> {
    let found = {
        let mut clinics = cx.app.shelf.0.lock().unwrap();
        let found = clinics.get_mut(&request.id).ok_or(VendorError::ClinicNotFound)?;
        found.calls += 1;
        found.clone()
    };
    // What is answered was true when the request came.
    tokio::time::sleep(found.takes).await;
    if found.is_hidden && cx.caller().user.is_none() {
        return Err(VendorError::ClinicNotFound);
    }
    let clinic = json!({
        "id": request.id,
        "vendorId": found.vendor,
        "kind": "clinic",
        "name": format!("version {}", found.version),
        "address": { "street": "Jalan Melati 1", "city": "Solo", "country": "ID" },
        "timeZone": "Asia/Jakarta",
        "policy": subjects::vendor::BookingPolicy::default(),
        "active": true,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "version": found.version,
    });
    Ok(serde_json::from_value(clinic).unwrap())
}

pub struct World {
    /// First, so that it looks while the rest is there.
    leaks: Leaks,
    pub nats: Nats,
    pub shelf: Arc<Shelf>,
    settings: Settings,
    keys: KeyStore,
    vendor: Option<Running>,
    /// Tells the events of the vendor service, also while that is away.
    teller: async_nats::jetstream::Context,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> World {
        let folder = tempfile::tempdir().unwrap();
        KeyStore::create_missing(folder.path(), &["auth", "profile", "vendor", "booking", "catalog", "edge"]).unwrap();
        let keys = KeyStore::open(folder.path()).unwrap();
        let declarations = [
            Service::<SilentAuth>::new().publishes_events().declaration(),
            service().declaration(),
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
            .set("keys.dir", folder.path())
            .set("keys.allow_plain", true)
            .set("edge.listen", "127.0.0.1:0")
            .set("edge.request_timeout_ms", 3_000)
            // Calls are counted: none is sent again because a machine under load is slow.
            .set("client.resend_after_ms", 10_000)
            .set("edge.leave_after_ms", 1)
            .set("edge.limits_profile", "bench")
            .set("edge.shedding.times_slower", 1_000_000.0);
        let host = Host::new(settings.clone()).unwrap();
        let config: NatsConfig = host.settings.section("nats").unwrap();
        let connect = async |identity: &'static str| {
            platform::nats::connect(&config, identity, &keys, host.metrics.clone()).await.unwrap().0
        };
        let provisioner = connect("provision").await;
        provision::provision(&async_nats::jetstream::new(provisioner), &config, &[]).await.unwrap();
        let teller = async_nats::jetstream::new(connect("vendor").await);
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        let mut world = World { leaks, nats, shelf: Arc::default(), settings, keys, vendor: None, teller, folder };
        world.vendor_comes().await;
        world
    }

    /// Starts the vendor service.
    pub async fn vendor_comes(&mut self) {
        let host = Host::new(self.settings.clone()).unwrap();
        let setup = Setup::connect(&host, "vendor").await.unwrap();
        let app = ShelfVendor { shelf: self.shelf.clone() };
        self.vendor = Some(runtime::start(setup, service(), app).await.unwrap());
    }

    /// Ends it.
    pub async fn vendor_goes(&mut self) {
        self.vendor.take().unwrap().drain().await.unwrap();
    }

    /// An edge with settings of its own, which hears events.
    pub async fn edge(&self, settings: impl FnOnce(Settings) -> Settings) -> Edge {
        let edge = self.edge_without_cache(settings).await;
        let probe = self.make();
        until(async || read(&edge, &probe).await.header("cache-status") == Some("petpro; hit")).await;
        edge
    }

    /// An edge that need not hear any.
    pub async fn edge_without_cache(&self, settings: impl FnOnce(Settings) -> Settings) -> Edge {
        let host = Host::new(settings(self.settings.clone())).unwrap();
        let (running, address) = start_edge(&host).await;
        Edge { address, host, running }
    }

    /// A clinic of a vendor of its own.
    pub fn make(&self) -> Made {
        let made = Made { id: ClinicId::new(), vendor: VendorId::new() };
        let clinic = OnShelf { vendor: made.vendor, version: 1, is_hidden: false, calls: 0, takes: Duration::ZERO };
        self.shelf.0.lock().unwrap().insert(made.id, clinic);
        made
    }

    /// Changes a clinic and tells nobody. Its version then.
    pub fn change(&self, made: &Made) -> i64 {
        let mut clinics = self.shelf.0.lock().unwrap();
        let clinic = clinics.get_mut(&made.id).unwrap();
        clinic.version += 1;
        clinic.version
    }

    /// Shows a clinic to nobody but who is signed in.
    pub fn hide(&self, made: &Made) {
        self.shelf.0.lock().unwrap().get_mut(&made.id).unwrap().is_hidden = true;
    }

    /// Lets the service take so long to answer.
    pub fn slow_down(&self, made: &Made, takes: Duration) {
        self.shelf.0.lock().unwrap().get_mut(&made.id).unwrap().takes = takes;
    }

    /// How often the service was asked for a clinic.
    pub fn calls(&self, made: &Made) -> usize {
        self.shelf.0.lock().unwrap()[&made.id].calls
    }

    /// Tells that a clinic has changed.
    pub async fn tell(&self, made: &Made) {
        let version = self.shelf.0.lock().unwrap()[&made.id].version;
        let state = json!({
            "clinicId": made.id, "vendorId": made.vendor, "timeZone": "Asia/Jakarta", "active": true, "version": version,
        });
        self.publish(&ClinicUpdated(serde_json::from_value::<ClinicState>(state).unwrap())).await;
    }

    /// Tells that a vendor was taken off the platform.
    pub async fn tell_suspended(&self, vendor: VendorId) {
        let state = json!({ "vendorId": vendor, "kind": "clinic", "status": "suspended", "version": 9 });
        self.publish(&VendorSuspended(serde_json::from_value::<VendorState>(state).unwrap())).await;
    }

    async fn publish<E: Event>(&self, event: &E) {
        let subject = subjects::event::subject(E::TYPE, event.aggregate_id());
        let body = Bytes::from(serde_json::to_vec(event).unwrap());
        until(async || match self.teller.publish(subject.clone(), Bytes::clone(&body)).await {
            Ok(published) => published.await.is_ok(),
            Err(_away) => false,
        })
        .await;
    }

    /// An access token of somebody.
    pub fn token(&self) -> String {
        let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
        AccessTokens::new(self.keys.signing_key("auth", Purpose::Access).unwrap()).issue(&user, chrono::Utc::now())
    }

    /// Ends the services in order.
    pub async fn stop(mut self, edges: Vec<Edge>) {
        for edge in edges {
            edge.running.drain().await.unwrap();
        }
        if let Some(vendor) = self.vendor.take() {
            vendor.drain().await.unwrap();
        }
        self.leaks.finish().unwrap();
        self.nats.stop().await.unwrap();
        drop(self.folder);
    }
}

pub async fn read(edge: &Edge, made: &Made) -> Answer {
    Answer::to(edge.request("GET", &made.path())).await
}

/// Status, version and what the cache says of an answer.
pub fn gist(answer: &Answer) -> (u16, Option<i64>, Option<&str>) {
    let version = serde_json::from_str::<serde_json::Value>(&answer.text).ok();
    (answer.status, version.and_then(|body| body["version"].as_i64()), answer.header("cache-status"))
}

pub async fn until(holds: impl AsyncFn() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < give_up, "it does not come to that");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
