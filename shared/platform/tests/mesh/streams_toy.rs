//! A toy booking service with the real contract's stream, over rows that live in the test and events that the test
//! publishes; and what a watcher of it has heard.

use crate::world::World;
use async_nats::jetstream;
use bytes::Bytes;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::streams::{Heard, Kind, StreamPlace, Watch, WatchCall, Watching};
use platform::{App, AuditQueue, Cx, Declaration, Meta, Service, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subjects::booking::{BookingCreated, BookingError, BookingItem, BookingState, BookingUpdated};
use subjects::booking::{GetBooking, WatchBookings};
use subjects::ids::{BookingId, ClinicId};
use subjects::{Event as _, Fault, event};
use tokio::time::Instant;
use uuid::Uuid;

/// What all replicas of the toy share.
#[derive(Default)]
pub struct Shared {
    pub rows: Mutex<BTreeMap<Uuid, BookingState>>,
    /// The clinic of which nobody may see anything.
    pub hidden: Mutex<Option<ClinicId>>,
    /// Rows cannot be read.
    pub is_broken: AtomicBool,
    /// How long it takes to decide who may watch, in milliseconds.
    pub decides_in: AtomicU64,
}

pub struct Booking {
    pub shared: Arc<Shared>,
}

impl App for Booking {
    const NAME: &'static str = "booking";
}
platform::calls!(Booking => []);

/// Everybody may watch everything, or one clinic; a clinic that nobody may watch is refused.
async fn watch(cx: Cx<Booking>, request: WatchBookings) -> Result<Watch<BookingItem>, BookingError> {
    if request.clinic_id.is_some_and(|clinic| Uuid::from(clinic).is_nil()) {
        return Err(BookingError::ClinicNotFound);
    }
    let shared = cx.app.shared.clone();
    tokio::time::sleep(Duration::from_millis(shared.decides_in.load(Ordering::SeqCst))).await;
    let hidden = *shared.hidden.lock().unwrap();
    let is_wanted = move |state: &BookingState| {
        request.clinic_id.is_none_or(|clinic| clinic == state.clinic_id) && hidden != Some(state.clinic_id)
    };
    let page = move |after: Option<Uuid>, limit: u64| {
        let after = after.unwrap_or_default();
        let rows = shared.rows.lock().unwrap();
        let items = rows.range(after..).filter(|(id, state)| **id > after && is_wanted(state));
        let items: Vec<BookingItem> =
            items.take(usize::try_from(limit).unwrap()).map(|(_, state)| BookingItem(state.clone())).collect();
        let is_broken = shared.is_broken.load(Ordering::SeqCst);
        async move { if is_broken { Err(Fault::unavailable(1)) } else { Ok(items) } }
    };
    Ok(Watch::new(page, move |item| is_wanted(&item.0)).of_scope(&(request.clinic_id, hidden)))
}

/// What is asked beside the streams.
async fn find_one(_: Cx<Booking>, _: GetBooking) -> Result<subjects::booking::Booking, BookingError> {
    Err(BookingError::BookingNotFound)
}

pub fn service() -> Service<Booking> {
    Service::new().on(find_one).stream(watch).publishes_events()
}

/// What the edge of these tests calls.
fn edge() -> Declaration {
    Declaration {
        name: "edge",
        operations: Vec::new(),
        calls: vec!["booking.watch", "booking.findOne"],
        consumers: Vec::new(),
        publishes_events: false,
        follows: Vec::new(),
    }
}

pub struct Toy {
    pub world: World,
    pub shared: Arc<Shared>,
    /// Publishes as the booking service.
    events: jetstream::Context,
    pub edge: Setup,
}

impl Toy {
    pub async fn start() -> Toy {
        Toy::as_declared(service().declaration()).await
    }

    /// NATS permits what the declaration says.
    pub async fn as_declared(declaration: Declaration) -> Toy {
        let world = World::of(&[crate::world::auth_service().declaration(), declaration, edge()], "").await;
        let publisher = Setup::connect(&world.host(), "booking").await.unwrap();
        let edge = world.edge().await;
        Toy { shared: Arc::default(), events: publisher.jetstream, edge, world }
    }

    pub async fn replica(&self) -> Running {
        self.replica_with("").await
    }

    pub async fn replica_with(&self, settings: &str) -> Running {
        self.replica_and_log(settings).await.0
    }

    /// A replica, and what it has for the audit log.
    pub async fn replica_and_log(&self, settings: &str) -> (Running, AuditQueue) {
        let host = Host::new(Settings::from_toml(&self.world.settings(settings))).unwrap();
        let setup = Setup::connect(&host, "booking").await.unwrap();
        let log = setup.audit.clone();
        (runtime::start(setup, service(), Booking { shared: self.shared.clone() }).await.unwrap(), log)
    }

    /// A new booking at a clinic, as a row alone: its event is on its way.
    pub fn row(&self, clinic: ClinicId) -> BookingState {
        let state: BookingState = serde_json::from_value(json!({
            "bookingId": BookingId::new(), "version": 1, "reference": "R", "status": "pending",
            "vendorId": Uuid::now_v7(), "clinicId": clinic, "serviceId": Uuid::now_v7(), "staffId": Uuid::now_v7(),
            "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-01T01:00:00Z",
            "price": { "amount": 1, "currency": "IDR" }, "provisional": false,
            "createdAt": "2029-01-01T00:00:00Z", "updatedAt": "2029-01-01T00:00:00Z",
        }))
        .unwrap();
        self.shared.rows.lock().unwrap().insert(state.booking_id.into(), state.clone());
        state
    }

    pub async fn publish(&self, state: &BookingState) -> u64 {
        let (event_type, body) = match state.version {
            1 => (BookingCreated::TYPE, serde_json::to_vec(&BookingCreated(state.clone())).unwrap()),
            _ => (BookingUpdated::TYPE, serde_json::to_vec(&BookingUpdated(state.clone())).unwrap()),
        };
        let subject = event::subject(event_type, state.booking_id.into());
        self.events.publish(subject, body.into()).await.unwrap().await.unwrap().sequence
    }

    pub async fn create(&self, clinic: ClinicId) -> BookingState {
        let state = self.row(clinic);
        self.publish(&state).await;
        state
    }

    /// The next version of a booking, as a row and as an event.
    pub async fn change(&self, state: &mut BookingState) -> u64 {
        state.version += 1;
        self.shared.rows.lock().unwrap().insert(state.booking_id.into(), state.clone());
        self.publish(state).await
    }

    pub async fn watch(&self, request: Value, from: Option<StreamPlace>) -> Result<Watching, Fault> {
        self.watch_settling(request, from, Duration::from_secs(60)).await
    }

    pub async fn watch_settling(
        &self,
        request: Value,
        from: Option<StreamPlace>,
        settle: Duration,
    ) -> Result<Watching, Fault> {
        self.watch_as(&self.world.user_token(), request, from, settle).await
    }

    pub async fn watch_as(
        &self,
        token: &str,
        request: Value,
        from: Option<StreamPlace>,
        settle: Duration,
    ) -> Result<Watching, Fault> {
        let token: Arc<str> = token.into();
        let call = WatchCall {
            subject: "booking.watch",
            body: Bytes::from(request.to_string()),
            from,
            meta: Meta::background("test"),
            identify: Box::new(move || Ok(Some(token.clone()))),
            settle,
        };
        self.edge.client.watch(call, Instant::now() + Duration::from_secs(10)).await
    }
}

/// What a watcher has heard, and that nothing of it came twice or backwards.
#[derive(Default)]
pub struct Log {
    pub versions: BTreeMap<Uuid, i64>,
    pub resets: usize,
    pub snapshots: usize,
    pub changes: usize,
    /// Whether each version that comes has to be the next one.
    pub without_gaps: bool,
}

impl Log {
    fn hear(&mut self, heard: &Heard) {
        match heard.kind {
            Kind::Reset => {
                self.resets += 1;
                self.versions.clear();
                return;
            }
            Kind::Snapshot => self.snapshots += 1,
            Kind::Change => self.changes += 1,
            _ => return,
        }
        let BookingItem(state) = serde_json::from_slice(&heard.body).unwrap();
        let before = self.versions.insert(state.booking_id.into(), state.version);
        if let Some(before) = before {
            assert!(state.version > before, "{} came again after {before}", state.version);
            assert!(!self.without_gaps || state.version == before + 1, "{} came after {before}", state.version);
        }
    }

    pub async fn until_ready(&mut self, watching: &mut Watching) {
        loop {
            let heard = watching.next().await.unwrap();
            self.hear(&heard);
            if heard.kind == Kind::Ready {
                return;
            }
        }
    }

    pub async fn until_version(&mut self, watching: &mut Watching, state: &BookingState) {
        while self.versions.get(&state.booking_id.into()) != Some(&state.version) {
            self.hear(&watching.next().await.unwrap());
        }
    }

    /// Likewise, of one who has other things to look after, too.
    pub async fn until_version_looking_away(&mut self, watching: &mut Watching, state: &BookingState) {
        let give_up = Instant::now() + Duration::from_secs(40);
        while self.versions.get(&state.booking_id.into()) != Some(&state.version) {
            assert!(Instant::now() < give_up, "nothing more was heard");
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(100), watching.next()).await {
                self.hear(&heard.unwrap());
            }
        }
    }
}

pub async fn next_kind(watching: &mut Watching) -> Kind {
    loop {
        match watching.next().await.unwrap().kind {
            Kind::Alive => {}
            kind => return kind,
        }
    }
}
