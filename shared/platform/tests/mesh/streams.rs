//! Request-streams over a toy booking service: the real contract's stream, over rows that live in the test and events
//! that the test publishes.

use crate::world::World;
use async_nats::HeaderMap;
use async_nats::jetstream;
use bytes::Bytes;
use futures::StreamExt as _;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::streams::{Heard, Kind, StreamPlace, Watch, WatchCall, Watching};
use platform::{App, Cx, Declaration, Meta, Service, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subjects::booking::{BookingCreated, BookingError, BookingItem, BookingState, BookingUpdated, WatchBookings};
use subjects::ids::{BookingId, ClinicId};
use subjects::{ErrorCode, Event as _, Fault, event};
use tokio::time::Instant;
use uuid::Uuid;

/// The rows that all replicas of the toy share.
type Rows = Arc<Mutex<BTreeMap<Uuid, BookingState>>>;

pub struct Booking {
    rows: Rows,
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
    let rows = cx.app.rows.clone();
    let is_wanted = move |state: &BookingState| request.clinic_id.is_none_or(|clinic| clinic == state.clinic_id);
    let page = move |after: Option<Uuid>, limit: u64| {
        let after = after.unwrap_or_default();
        let rows = rows.lock().unwrap();
        let items = rows.range(after..).filter(|(id, state)| **id > after && is_wanted(state));
        let items: Vec<BookingItem> =
            items.take(usize::try_from(limit).unwrap()).map(|(_, state)| BookingItem(state.clone())).collect();
        async move { Ok::<_, Fault>(items) }
    };
    Ok(Watch::new(page, move |item| is_wanted(&item.0)))
}

pub fn service() -> Service<Booking> {
    Service::new().stream(watch).publishes_events()
}

/// What the edge of these tests calls.
fn edge() -> Declaration {
    Declaration {
        name: "edge",
        operations: Vec::new(),
        calls: vec!["booking.watch"],
        consumers: Vec::new(),
        publishes_events: false,
        follows: Vec::new(),
    }
}

struct Toy {
    world: World,
    rows: Rows,
    /// Publishes as the booking service.
    events: jetstream::Context,
    edge: Setup,
}

impl Toy {
    async fn start() -> Toy {
        let world = World::of(&[crate::world::auth_service().declaration(), service().declaration(), edge()], "").await;
        let publisher = Setup::connect(&world.host(), "booking").await.unwrap();
        let edge = world.edge().await;
        Toy { rows: Rows::default(), events: publisher.jetstream, edge, world }
    }

    async fn replica(&self) -> Running {
        self.replica_with("").await
    }

    async fn replica_with(&self, settings: &str) -> Running {
        let host = Host::new(Settings::from_toml(&self.world.settings(settings))).unwrap();
        let setup = Setup::connect(&host, "booking").await.unwrap();
        runtime::start(setup, service(), Booking { rows: self.rows.clone() }).await.unwrap()
    }

    /// A new booking at a clinic, as a row alone: its event is on its way.
    fn row(&self, clinic: ClinicId) -> BookingState {
        let state: BookingState = serde_json::from_value(json!({
            "bookingId": BookingId::new(), "version": 1, "reference": "R", "status": "pending",
            "vendorId": Uuid::now_v7(), "clinicId": clinic, "serviceId": Uuid::now_v7(), "staffId": Uuid::now_v7(),
            "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-01T01:00:00Z",
            "price": { "amount": 1, "currency": "IDR" }, "provisional": false,
            "createdAt": "2029-01-01T00:00:00Z", "updatedAt": "2029-01-01T00:00:00Z",
        }))
        .unwrap();
        self.rows.lock().unwrap().insert(state.booking_id.into(), state.clone());
        state
    }

    async fn publish(&self, state: &BookingState) -> u64 {
        let (event_type, body) = match state.version {
            1 => (BookingCreated::TYPE, serde_json::to_vec(&BookingCreated(state.clone())).unwrap()),
            _ => (BookingUpdated::TYPE, serde_json::to_vec(&BookingUpdated(state.clone())).unwrap()),
        };
        let subject = event::subject(event_type, state.booking_id.into());
        self.events.publish(subject, body.into()).await.unwrap().await.unwrap().sequence
    }

    async fn create(&self, clinic: ClinicId) -> BookingState {
        let state = self.row(clinic);
        self.publish(&state).await;
        state
    }

    /// The next version of a booking, as a row and as an event.
    async fn change(&self, state: &mut BookingState) -> u64 {
        state.version += 1;
        self.rows.lock().unwrap().insert(state.booking_id.into(), state.clone());
        self.publish(state).await
    }

    async fn watch(&self, request: Value, from: Option<StreamPlace>) -> Result<Watching, Fault> {
        self.watch_settling(request, from, Duration::from_secs(60)).await
    }

    async fn watch_settling(
        &self,
        request: Value,
        from: Option<StreamPlace>,
        settle: Duration,
    ) -> Result<Watching, Fault> {
        let token: Arc<str> = self.world.user_token().into();
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
struct Log {
    versions: BTreeMap<Uuid, i64>,
    resets: usize,
    snapshots: usize,
    changes: usize,
    /// Whether each version that comes has to be the next one.
    without_gaps: bool,
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

    async fn until_ready(&mut self, watching: &mut Watching) {
        loop {
            let heard = watching.next().await.unwrap();
            self.hear(&heard);
            if heard.kind == Kind::Ready {
                return;
            }
        }
    }

    async fn until_version(&mut self, watching: &mut Watching, state: &BookingState) {
        while self.versions.get(&state.booking_id.into()) != Some(&state.version) {
            self.hear(&watching.next().await.unwrap());
        }
    }
}

async fn next_kind(watching: &mut Watching) -> Kind {
    loop {
        match watching.next().await.unwrap().kind {
            Kind::Alive => {}
            kind => return kind,
        }
    }
}

#[tokio::test]
async fn a_watcher_hears_what_there_is_and_then_what_changes() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    let (clinic, other) = (ClinicId::new(), ClinicId::new());
    let mut mine = toy.create(clinic).await;
    let mut another = toy.create(other).await;
    // More than a page, and a row whose event has not come yet.
    for _ in 0..150 {
        toy.row(clinic);
    }
    let mut watching = toy.watch(json!({ "clinicId": clinic }), None).await.unwrap();
    let mut log = Log { without_gaps: true, ..Log::default() };
    log.until_ready(&mut watching).await;
    assert_eq!((log.resets, log.snapshots, log.changes), (1, 151, 0));

    toy.change(&mut another).await;
    for _ in 0..3 {
        toy.change(&mut mine).await;
    }
    log.until_version(&mut watching, &mine).await;
    assert_eq!((log.resets, log.snapshots, log.changes), (1, 151, 3));
    assert!(!log.versions.contains_key(&another.booking_id.into()));

    // The event of what the snapshot has told already says nothing new.
    let late = toy.row(clinic);
    let mut second = toy.watch(json!({ "clinicId": clinic }), None).await.unwrap();
    let mut log = Log::default();
    log.until_ready(&mut second).await;
    assert!(second.place().unwrap().after.is_some(), "a place that is not settled yet was offered");
    toy.publish(&late).await;
    toy.change(&mut mine).await;
    log.until_version(&mut second, &mine).await;
    assert_eq!((log.snapshots, log.changes), (152, 1));
}

#[tokio::test]
async fn a_stream_goes_on_from_its_place_and_is_reset_where_that_is_gone() {
    let toy = Toy::start().await;
    let _replica = toy.replica_with("[streams]\nkept_events = 20").await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut watching = toy.watch_settling(json!({}), None, Duration::ZERO).await.unwrap();
    let mut log = Log { without_gaps: true, ..Log::default() };
    log.until_ready(&mut watching).await;
    toy.change(&mut state).await;
    log.until_version(&mut watching, &state).await;
    let place = watching.place().unwrap();
    assert_eq!(place.after, None);
    drop(watching);

    for _ in 0..10 {
        toy.change(&mut state).await;
    }
    let mut resumed = toy.watch(json!({}), Some(place)).await.unwrap();
    log.until_version(&mut resumed, &state).await;
    assert_eq!((log.resets, log.snapshots, log.changes), (1, 1, 11));

    for _ in 0..30 {
        toy.change(&mut state).await;
    }
    for gone in [place, StreamPlace { events: platform::tail::Place { incarnation: 1, ..place.events }, after: None }] {
        let mut fresh = toy.watch(json!({}), Some(gone)).await.unwrap();
        let mut log = Log::default();
        log.until_ready(&mut fresh).await;
        assert_eq!(log.resets, 1);
        assert_eq!(log.versions[&state.booking_id.into()], state.version);
    }
    // A place that the stream has never reached.
    let mut beyond = place;
    beyond.events.sequence += 1_000_000;
    let mut fresh = toy.watch(json!({}), Some(beyond)).await.unwrap();
    assert_eq!(next_kind(&mut fresh).await, Kind::Reset);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_leave_and_come_under_thousands_of_changes_and_nothing_is_missed_or_repeated() {
    const CHANGES: i64 = 3_000;
    let toy = Arc::new(Toy::start().await);
    let mut replicas = vec![toy.replica().await, toy.replica().await];
    let mut states = vec![];
    for _ in 0..8 {
        states.push(toy.create(ClinicId::new()).await);
    }
    let mut watchers = vec![];
    for _ in 0..6 {
        let toy = toy.clone();
        let states = states.clone();
        watchers.push(tokio::spawn(async move {
            let mut watching = toy.watch(json!({}), None).await.unwrap();
            let mut log = Log { without_gaps: true, ..Log::default() };
            log.until_ready(&mut watching).await;
            for mut state in states {
                state.version += CHANGES / 8;
                log.until_version(&mut watching, &state).await;
            }
            (log.resets, log.versions.len())
        }));
    }
    let changing = {
        let (toy, mut states) = (toy.clone(), states.clone());
        tokio::spawn(async move {
            for _ in 0..CHANGES / 8 {
                for state in &mut states {
                    toy.change(state).await;
                }
            }
        })
    };
    for _ in 0..3 {
        replicas.push(toy.replica().await);
        tokio::time::sleep(Duration::from_millis(300)).await;
        replicas.remove(0).drain().await.unwrap();
    }
    changing.await.unwrap();
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap(), (1, 8));
    }
}

#[tokio::test]
async fn a_responder_that_falls_silent_is_left() {
    let toy = Toy::start().await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut log = Log { without_gaps: true, ..Log::default() };
    // A process of its own, as it were: its runtime goes, and nothing of it says goodbye.
    let doomed = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = toy.world.settings("");
    let rows = toy.rows.clone();
    doomed
        .spawn(async move {
            let host = Host::new(Settings::from_toml(&settings)).unwrap();
            let setup = Setup::connect(&host, "booking").await.unwrap();
            std::mem::forget(runtime::start(setup, service(), Booking { rows }).await.unwrap());
        })
        .await
        .unwrap();
    let mut watching = toy.watch(json!({}), None).await.unwrap();
    log.until_ready(&mut watching).await;
    doomed.shutdown_background();
    let _survivor = toy.replica().await;
    for _ in 0..5 {
        toy.change(&mut state).await;
    }
    log.until_version(&mut watching, &state).await;
    assert_eq!((log.resets, log.changes), (1, 5));
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_its_own_stream() {
    let toy = Toy::start().await;
    let _replica = toy.replica_with("[streams]\nkept_events = 500").await;
    let mut state = toy.create(ClinicId::new()).await;
    let mut slow = toy.watch(json!({}), None).await.unwrap();
    let mut log = Log::default();
    log.until_ready(&mut slow).await;
    for _ in 0..400 {
        toy.change(&mut state).await;
    }
    // The snapshot's item has taken one of the lease's credits.
    let mut gapless = Log { without_gaps: true, ..Log::default() };
    gapless.until_version(&mut slow, &state).await;
    assert_eq!(gapless.changes, 400);
    // It falls so far behind that its place is gone, and is told all anew.
    for _ in 0..1_200 {
        toy.change(&mut state).await;
    }
    log.until_version(&mut slow, &state).await;
    assert_eq!(log.resets, 2);
    assert!(log.changes <= 2 * 256, "{} changes were told to one who did not listen", log.changes);
}

/// The kinds that a plain request hears, and the fault where it is refused.
async fn ask_plainly(toy: &Toy, headers: &[(&str, &str)], body: &str, answers: usize) -> (Vec<String>, Option<Fault>) {
    let operator = toy.world.operator().await;
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    let mut map = HeaderMap::new();
    map.insert("Authorization", format!("Bearer {}", toy.world.user_token()).as_str());
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    let body = Bytes::copy_from_slice(body.as_bytes());
    operator.publish_with_reply_and_headers("booking.watch", inbox, map, body).await.unwrap();
    let mut kinds = vec![];
    while kinds.len() < answers {
        let reply = replies.next().await.unwrap();
        let headers = reply.headers.unwrap();
        if headers.get("Nats-Service-Error-Code").is_some() {
            return (kinds, Some(serde_json::from_slice(&reply.payload).unwrap()));
        }
        kinds.push(headers.get("Petpro-Stream").unwrap().to_string());
    }
    (kinds, None)
}

#[tokio::test]
async fn a_plain_request_is_told_in_its_own_inbox_within_its_credit() {
    let toy = Toy::start().await;
    let _replica = toy.replica().await;
    for _ in 0..5 {
        toy.create(ClinicId::new()).await;
    }
    let (kinds, fault) = ask_plainly(&toy, &[], "{}", 7).await;
    assert_eq!(fault, None);
    assert_eq!(kinds, ["reset", "snapshot", "snapshot", "snapshot", "snapshot", "snapshot", "ready"]);
    let (kinds, _) = ask_plainly(&toy, &[("Petpro-Stream-Credit", "2")], "{}", 4).await;
    assert_eq!(kinds, ["reset", "snapshot", "snapshot", "end"]);
    let (kinds, _) = ask_plainly(&toy, &[("Petpro-Stream-Lease-Ms", "50")], "{}", 8).await;
    assert_eq!(kinds.last().map(String::as_str), Some("end"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let toy = Toy::start().await;
    let _replica = toy.replica_with("[streams]\nleases = 2").await;
    for (header, value) in [
        ("Petpro-Stream-From", "yesterday"),
        ("Petpro-Stream-From", "1-2-3-4"),
        ("Petpro-Stream-Credit", "0"),
        ("Petpro-Stream-Credit", "257"),
        ("Petpro-Stream-Credit", "many"),
        ("Petpro-Stream-Lease-Ms", "30001"),
        ("Petpro-Stream-To", "event.booking.created.1"),
        ("Petpro-Stream-To", "_INBOX_edge.*"),
    ] {
        let (_, fault) = ask_plainly(&toy, &[(header, value)], "{}", 1).await;
        assert_eq!(fault.unwrap().code, ErrorCode::BadRequest, "{header}: {value}");
    }
    let (_, fault) = ask_plainly(&toy, &[], r#"{"clinicId":7,"from":"soon"}"#, 1).await;
    assert_eq!(fault.unwrap().violations.len(), 2);
    let refused = toy.watch(json!({ "clinicId": Uuid::nil() }), None).await.err().unwrap();
    assert_eq!(refused.reason, "clinic_not_found");

    let _one = toy.watch(json!({}), None).await.unwrap();
    let _two = toy.watch(json!({}), None).await.unwrap();
    let full = toy.watch(json!({}), None).await.err().unwrap();
    assert_eq!((full.code, full.reason.as_ref()), (ErrorCode::Unavailable, "too_many_streams"));
}
