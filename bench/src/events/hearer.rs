//! One who hears: one durable consumer of the booking service, whose handler looks at the clock.

use anyhow::{Context as _, ensure};
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Service};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::{HasStore, Store, Tx};
use subjects::Fault;
use subjects::vendor::ClinicUpdated;
use uuid::Uuid;

/// How often it is looked whether all was heard.
const LOOK: Duration = Duration::from_millis(5);

/// When each clinic was heard of.
type Heard = Arc<Mutex<HashMap<Uuid, Instant>>>;

struct Hearer {
    store: Store,
    heard: Heard,
}

impl App for Hearer {
    const NAME: &'static str = "booking";
}

platform::calls!(Hearer => []);

impl HasStore for Hearer {
    fn store(&self) -> &Store {
        &self.store
    }
}

async fn clinic_updated(hearer: Arc<Hearer>, _tx: Tx, event: ClinicUpdated) -> Result<(), Fault> {
    let now = Instant::now();
    lock(&hearer.heard).entry(event.0.clinic_id.into()).or_insert(now);
    Ok(())
}

/// A consumer that runs.
pub struct Hearing {
    running: Running,
    heard: Heard,
}

impl Hearing {
    /// Starts under the booking service's identity, with the durable consumer `booking_clinic_updated`.
    pub async fn start(host: &Host) -> anyhow::Result<Hearing> {
        let setup = Setup::connect(host, Hearer::NAME).await?;
        let heard = Heard::default();
        let hearer = Hearer { store: Store::open(&setup).await?, heard: heard.clone() };
        let service = Service::new().consume(store::work("clinic_updated", clinic_updated));
        let running = runtime::start(setup, service, hearer).await?;
        Ok(Hearing { running, heard })
    }

    /// Waits until the handler has had all of these.
    pub async fn until_heard(&self, wanted: &HashSet<Uuid>, patience: Duration) -> anyhow::Result<()> {
        let give_up = Instant::now() + patience;
        loop {
            let is_heard_of = {
                let heard = lock(&self.heard);
                heard.len() >= wanted.len() && wanted.iter().all(|clinic| heard.contains_key(clinic))
            };
            if is_heard_of {
                return Ok(());
            }
            ensure!(Instant::now() < give_up, "not everything was heard of within {patience:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends it, and answers when each clinic was heard of.
    pub async fn stop(self) -> anyhow::Result<HashMap<Uuid, Instant>> {
        self.running.drain().await.context("the consumer does not end")?;
        Ok(std::mem::take(&mut *lock(&self.heard)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
