//! One who tells: the outbox and the relay of the vendor service, and transactions that write nothing but events.

use anyhow::{Context as _, anyhow};
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Cx, Service};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{EventLog as _, HasStore, Store};
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::TimeZone;
use subjects::vendor::{BookingPolicy, ClinicState, ClinicUpdated, StaffState, StaffUpdated};
use subjects::{Event, Fault};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// How long everything may take that one context is made for.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How many events a transaction writes that only fills the outbox.
const PER_TRANSACTION: usize = 500;

struct Teller {
    store: Store,
}

impl App for Teller {
    const NAME: &'static str = "vendor";
}

platform::calls!(Teller => []);

impl HasStore for Teller {
    fn store(&self) -> &Store {
        &self.store
    }
}

/// A relay that runs, and what is needed to tell something.
pub struct Telling {
    running: Running,
    cx: Arc<Cx<Teller>>,
}

impl Telling {
    /// Starts under the vendor service's identity.
    pub async fn start(host: &Host) -> anyhow::Result<Telling> {
        let setup = Setup::connect(host, Teller::NAME).await?;
        let store = Store::open(&setup).await?;
        let cx = setup.cx(Arc::new(Teller { store: store.clone() }), "measurement", TIMEOUT);
        let running = runtime::start(setup, Service::new().event_log(), Teller { store }).await?;
        Ok(Telling { running, cx: Arc::new(cx) })
    }

    /// Tells of new clinics, one a transaction, as many a second as wished, and answers when each was committed.
    pub async fn tell_steadily(&self, per_second: u32, length: Duration) -> anyhow::Result<HashMap<Uuid, Instant>> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
        // What could not begin in time begins late: the rate is kept over all.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let count = (length.as_secs_f64() * f64::from(per_second)) as usize;
        let zone = zone()?;
        let mut telling = JoinSet::new();
        for _ in 0..count {
            ticks.tick().await;
            let cx = self.cx.clone();
            telling.spawn(async move {
                let clinic = clinic(zone);
                write(&cx, std::slice::from_ref(&clinic)).await?;
                anyhow::Ok((clinic.aggregate_id(), Instant::now()))
            });
        }
        let mut committed = HashMap::with_capacity(count);
        while let Some(told) = telling.join_next().await {
            let (clinic, at) = told??;
            committed.insert(clinic, at);
        }
        Ok(committed)
    }

    /// Ends it.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.running.drain().await.context("the relay does not end")
    }
}

/// Writes events of so many new clinics while no relay runs, and answers their ids.
pub async fn fill_with_clinics(host: &Host, count: usize) -> anyhow::Result<Vec<Uuid>> {
    let zone = zone()?;
    fill(host, count, || clinic(zone)).await
}

/// Likewise, of members of staff, which the measured consumer does not take.
pub async fn fill_with_staff(host: &Host, count: usize) -> anyhow::Result<()> {
    fill(host, count, member_of_staff).await.map(drop)
}

async fn fill<E: Event>(host: &Host, count: usize, new: impl Fn() -> E) -> anyhow::Result<Vec<Uuid>> {
    let setup = Setup::connect(host, Teller::NAME).await?;
    let teller = Arc::new(Teller { store: Store::open(&setup).await? });
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let events: Vec<E> = (0..PER_TRANSACTION.min(count - ids.len())).map(|_| new()).collect();
        write(&setup.cx(teller.clone(), "measurement", TIMEOUT), &events).await?;
        ids.extend(events.iter().map(Event::aggregate_id));
    }
    Ok(ids)
}

async fn write<E: Event>(cx: &Cx<Teller>, events: &[E]) -> anyhow::Result<()> {
    let written = cx.app.store.write(cx, |tx| async move {
        for event in events {
            tx.emit(event).await?;
        }
        Ok::<(), Fault>(())
    });
    written.await.map_err(|fault| anyhow!("nothing can be told: {fault}"))
}

fn zone() -> anyhow::Result<TimeZone> {
    TimeZone::parse("Asia/Jakarta").context("an unknown zone")
}

fn clinic(time_zone: TimeZone) -> ClinicUpdated {
    ClinicUpdated(ClinicState {
        clinic_id: ClinicId::new(),
        vendor_id: VendorId::new(),
        name: "Klinik Hewan Sehat Sentosa".to_owned(),
        time_zone,
        policy: BookingPolicy::default(),
        active: true,
        removed: false,
        version: 1,
    })
}

fn member_of_staff() -> StaffUpdated {
    StaffUpdated(StaffState {
        staff_id: StaffId::new(),
        vendor_id: VendorId::new(),
        clinic_ids: vec![ClinicId::new()],
        service_ids: vec![ServiceId::new(), ServiceId::new()],
        hours: None,
        exceptions: Vec::new(),
        active: true,
        version: 1,
    })
}
