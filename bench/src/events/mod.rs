//! Events on their way from a commit to a consumer, at a steady rate and as a backlog, with little in the outbox and with
//! a million rows in it.
//!
//! All of it is the platform's own code and configuration: the vendor service's outbox, relay, stream and permissions, and
//! one of the booking service's durable consumers with its inbox. Only the two services around them are made here: one
//! tells of clinics that are nowhere else, the other one looks at the clock when it hears of them.

mod figures;
mod hearer;
mod teller;

pub use figures::Events;

use crate::load::percentile;
use crate::options::EventsPlan;
use crate::world::World;
use anyhow::{Context as _, ensure};
use figures::{Backlog, Latency, Rate};
use hearer::Hearing;
use petpro::progress::step;
use platform::Settings;
use platform::setup::Host;
use sqlx::{Connection as _, PgConnection};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use teller::Telling;
use uuid::Uuid;

/// The rate at which the time from commit to consumer is taken.
const PER_SECOND: u32 = 500;
/// How long anything here may take before it is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// How often it is looked whether something is through.
const LOOK: Duration = Duration::from_millis(20);

/// Measures everything. The platform must not run.
///
/// # Errors
/// Events get stuck on their way.
pub async fn measured(world: &World, plan: &EventsPlan) -> anyhow::Result<Events> {
    let measuring = Measuring { world, plan };
    // What the demo data has told is no part of the measurement.
    measuring.relay_everything().await?;
    let few = measuring.latency("with few rows in the outbox").await?;
    let backlog_few = measuring.backlog("with few rows in the outbox").await?;
    let consumer = measuring.consumer().await?;
    let filling = measuring.fill().await?;
    let rows = measuring.rows().await?;
    let many = measuring.latency("with many rows in the outbox").await?;
    let backlog_many = measuring.backlog("with many rows in the outbox").await?;
    Ok(Events { per_second: PER_SECOND, few, many, backlog_few, backlog_many, consumer, filling, rows })
}

struct Measuring<'a> {
    world: &'a World,
    plan: &'a EventsPlan,
}

impl Measuring<'_> {
    /// Services are started several times in this process, and each registers its metrics.
    fn host(&self) -> anyhow::Result<Host> {
        Host::new(self.world.stack.settings(Settings::from_toml("")))
    }

    /// From the moment that a commit returns until the consumer's handler has the event.
    async fn latency(&self, circumstances: &str) -> anyhow::Result<Latency> {
        let taking = step(format!("commit to consumer at {PER_SECOND}/s, {circumstances}"));
        let hearing = Hearing::start(&self.host()?).await?;
        let telling = Telling::start(&self.host()?).await?;
        // Connections and plans are made once.
        telling.tell_steadily(PER_SECOND, Duration::from_secs(1)).await?;
        let committed = telling.tell_steadily(PER_SECOND, self.plan.steady).await?;
        let wanted: HashSet<Uuid> = committed.keys().copied().collect();
        hearing.until_heard(&wanted, PATIENCE).await?;
        let heard = hearing.stop().await?;
        telling.stop().await?;
        let mut times: Vec<Duration> = Vec::with_capacity(committed.len());
        for (event, committed_at) in &committed {
            let heard_at = heard.get(event).context("an event was not heard of")?;
            times.push(heard_at.saturating_duration_since(*committed_at));
        }
        times.sort_unstable();
        taking.done();
        Ok(Latency {
            p50: percentile(&times, 50.0),
            p99: percentile(&times, 99.0),
            longest: times.last().copied().unwrap_or_default(),
        })
    }

    /// As after an outage of NATS: the outbox is full, relay and consumer begin at the same time.
    async fn backlog(&self, circumstances: &str) -> anyhow::Result<Backlog> {
        let draining = step(format!("a backlog of {}, {circumstances}", self.plan.backlog));
        let told = teller::fill_with_clinics(&self.host()?, self.plan.backlog).await?;
        let wanted: HashSet<Uuid> = told.into_iter().collect();
        let started = Instant::now();
        let telling = Telling::start(&self.host()?).await?;
        let hearing = Hearing::start(&self.host()?).await?;
        let published = async {
            self.until_published().await?;
            anyhow::Ok(started.elapsed())
        };
        let heard = async {
            hearing.until_heard(&wanted, PATIENCE).await?;
            anyhow::Ok(started.elapsed())
        };
        let (published, heard) = tokio::try_join!(published, heard)?;
        hearing.stop().await?;
        telling.stop().await?;
        draining.done();
        Ok(Backlog { events: wanted.len(), published, heard })
    }

    /// What a consumer with its inbox does when all of it stands in the stream already.
    async fn consumer(&self) -> anyhow::Result<Rate> {
        let consuming = step(format!("a consumer that finds {} events", self.plan.backlog));
        let told = teller::fill_with_clinics(&self.host()?, self.plan.backlog).await?;
        let wanted: HashSet<Uuid> = told.into_iter().collect();
        self.relay_everything().await?;
        // It begins while it is started.
        let started = Instant::now();
        let hearing = Hearing::start(&self.host()?).await?;
        hearing.until_heard(&wanted, PATIENCE).await?;
        let took = started.elapsed();
        hearing.stop().await?;
        consuming.done();
        Ok(Rate { events: wanted.len(), took })
    }

    /// Makes the outbox long, with events that nobody here consumes, all of them published.
    async fn fill(&self) -> anyhow::Result<Rate> {
        let filling = step(format!("{} rows more in the outbox, published", self.plan.rows));
        teller::fill_with_staff(&self.host()?, self.plan.rows).await?;
        let telling = Telling::start(&self.host()?).await?;
        let started = Instant::now();
        self.until_published().await?;
        let took = started.elapsed();
        telling.stop().await?;
        // What Postgres has to do after so many changes would fall into the next measurement.
        let mut database = self.database().await?;
        for statement in ["vacuum analyze vendor.outbox", "checkpoint"] {
            sqlx::raw_sql(statement).execute(&mut database).await?;
        }
        filling.done();
        Ok(Rate { events: self.plan.rows, took })
    }

    async fn relay_everything(&self) -> anyhow::Result<()> {
        let telling = Telling::start(&self.host()?).await?;
        self.until_published().await?;
        telling.stop().await
    }

    async fn until_published(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + PATIENCE;
        let mut database = self.database().await?;
        let waiting = "select exists (select from vendor.outbox where published_at is null)";
        while sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut database).await? {
            ensure!(Instant::now() < give_up, "the outbox is not published within {PATIENCE:?}");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn rows(&self) -> anyhow::Result<i64> {
        let count = sqlx::query_scalar("select count(*) from vendor.outbox");
        Ok(count.fetch_one(&mut self.database().await?).await?)
    }

    async fn database(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(self.world.stack.admin_url()).await?)
    }
}
