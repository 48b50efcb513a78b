//! The steady rate: so many writes are due each second, whether those before have been answered or not.

use super::bookings::{BookingLane, Customer, Draw};
use super::client::Client;
use super::latency::Latency;
use super::people::People;
use super::record::Record;
use super::registrations::register;
use super::scenery::Scenery;
use super::stock::StockLane;
use crate::seeded::Seeded;
use crate::world::World;
use anyhow::Context as _;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Of 100 writes so many are registrations, which cost a password hash each.
const REGISTRATIONS: u64 = 2;
/// Of 100 writes so many are bookings; the rest are moves of stock.
const BOOKINGS: u64 = 60;
/// How many registrations are under way at the most.
const MAX_REGISTERING: usize = 64;
/// How long the last writes may take when the load ends.
const LAST_WRITES: Duration = Duration::from_secs(110);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    /// Decides on all that chance decides.
    pub seed: u64,
    /// Writes a second.
    pub rate: u32,
    /// For how many seconds without any answer times and stocks suffice.
    pub patience_s: u32,
}

/// A load that runs.
pub struct Load {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    driver: JoinHandle<()>,
}

struct Shared {
    client: Client,
    people: People,
    record: Arc<Record>,
    latency: Latency,
    bookings: Mutex<VecDeque<BookingLane>>,
    stocks: Mutex<VecDeque<StockLane>>,
}

impl Load {
    /// Looks for what can be booked and moved, and begins.
    ///
    /// # Errors
    /// There is too little of it.
    pub async fn start(world: &World, options: LoadOptions) -> anyhow::Result<Load> {
        let people = People::new(&world.stack.keys)?;
        let lanes = |percent: u64| usize::try_from(u64::from(options.rate * options.patience_s) * percent / 100);
        let (times, stocks) = (lanes(BOOKINGS)?.max(20), lanes(100 - BOOKINGS)?.max(20));
        let scenery = Scenery::find(world, &people.tokens(), times, stocks).await?;
        let record = Arc::new(Record::default());
        let client = Client::new(world.processes.edges(), record.clone())?;
        let mut chance = Seeded::of(options.seed, "load");
        let shared = Arc::new(Shared {
            client,
            people,
            record,
            latency: Latency::default(),
            bookings: Mutex::new(booking_lanes(&scenery, &mut chance)),
            stocks: Mutex::new(scenery.stocks.into_iter().map(StockLane::new).collect()),
        });
        let (stop, stopped) = watch::channel(false);
        let driver = tokio::spawn(drive(shared.clone(), chance, options.rate, stopped));
        Ok(Load { shared, stop, driver })
    }

    /// Times of the writes.
    pub fn latency(&self) -> &Latency {
        &self.shared.latency
    }

    /// What was acknowledged so far.
    pub fn record(&self) -> &Record {
        &self.shared.record
    }

    /// Asks for nothing more, and waits until all that was asked for is answered or given up.
    ///
    /// # Errors
    /// That takes longer than it can.
    pub async fn stop(self) -> anyhow::Result<Arc<Record>> {
        self.stop.send_replace(true);
        timeout(LAST_WRITES, self.driver).await.context("the last writes of the load do not end")??;
        Ok(self.shared.record.clone())
    }
}

fn booking_lanes(scenery: &Scenery, chance: &mut Seeded) -> VecDeque<BookingLane> {
    let mut slots = scenery.slots.clone();
    chance.shuffle(&mut slots);
    let customers = [
        Customer::CatOwner(scenery.cat.clone()),
        Customer::DogOwner(scenery.dog.clone()),
        Customer::CatOwner(scenery.cat.clone()),
        Customer::Somebody,
    ];
    slots.into_iter().zip(customers.into_iter().cycle()).map(|(slot, who)| BookingLane::new(slot, who)).collect()
}

async fn drive(shared: Arc<Shared>, mut chance: Seeded, rate: u32, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    let mut registering = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            _ = ticks.tick() => {}
        }
        while under_way.try_join_next().is_some() || registering.try_join_next().is_some() {}
        let kind = chance.below(100);
        let draw = Draw { key: chance.uuid(), confirms: chance.percent(50), repeats: chance.percent(5) };
        if kind < REGISTRATIONS {
            if registering.len() < MAX_REGISTERING {
                registering.spawn(shared.clone().registration(draw));
            }
        } else if kind < REGISTRATIONS + BOOKINGS {
            under_way.spawn(shared.clone().booking(draw));
        } else {
            under_way.spawn(shared.clone().stock_move(draw));
        }
    }
    while under_way.join_next().await.is_some() {}
    while registering.join_next().await.is_some() {}
}

impl Shared {
    async fn registration(self: Arc<Shared>, draw: Draw) {
        register(&self.client, &self.record, draw.key, draw.confirms).await;
    }

    async fn booking(self: Arc<Shared>, draw: Draw) {
        let Some(mut lane) = taken(&self.bookings).pop_front() else {
            self.record.count("not asked: every time is being dealt with");
            return;
        };
        let due = self.latency.due();
        let tokens = self.people.tokens();
        if lane.step(&self.client, &self.record, &tokens, draw).await {
            taken(&self.bookings).push_back(lane);
        }
        self.latency.answered(due);
    }

    async fn stock_move(self: Arc<Shared>, draw: Draw) {
        let Some(mut lane) = taken(&self.stocks).pop_front() else {
            self.record.count("not asked: every stock is being dealt with");
            return;
        };
        let due = self.latency.due();
        let tokens = self.people.tokens();
        if lane.step(&self.client, &self.record, &tokens, draw.key).await {
            taken(&self.stocks).push_back(lane);
        }
        self.latency.answered(due);
    }
}

fn taken<T>(lanes: &Mutex<T>) -> MutexGuard<'_, T> {
    lanes.lock().unwrap_or_else(PoisonError::into_inner)
}
