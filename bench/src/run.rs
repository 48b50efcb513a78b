//! The order of a run.

use crate::busy::BusyClinic;
use crate::clinics::{ALWAYS_OPEN, API, Clinic};
use crate::connection::{Connection, expect};
use crate::events::{self, Events};
use crate::machine::Machine;
use crate::measuring::{Measuring, Platform};
use crate::options::Plan;
use crate::page::{Figures, Page};
use crate::process;
use crate::raw_postgres::{self, ServerSettings};
use crate::search_plan::{self, PlanLog, SearchPlan};
use crate::shop::Shop;
use crate::subject::Subject;
use crate::watching::{self, Watching};
use crate::world::{Started, World};
use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use chrono::Utc;
use http::StatusCode;
use petpro::progress::step;
use std::net::SocketAddr;
use std::time::Duration;
use uuid::Uuid;

/// How long events may take until every service has heard of what was made.
const HEARING_PATIENCE: Duration = Duration::from_secs(30);
/// An edge that keeps no answers.
const NO_CACHE: (&str, &str) = ("PETPRO_EDGE__CACHE__ENABLED", "false");

/// Measures everything.
///
/// # Errors
/// Something that is to be measured does not work at all.
pub async fn everything(world: &mut World, plan: &Plan) -> anyhow::Result<Page> {
    let preparing = step(format!("clinics, {} bookings", plan.bookings));
    let first = world.start_platform().await?;
    let clinic = Clinic::create(ALWAYS_OPEN, first.edge, &world.stack.keys).await?;
    let busy = BusyClinic::create(plan.bookings, first.edge, &world.stack.keys).await?;
    let body = body_of(first.edge, &format!("{API}/clinics/{}", clinic.id)).await?;
    world.stack.until_heard(&petpro::services::consumers(), HEARING_PATIENCE).await?;
    // The raw parts are measured alone: even an idle platform takes time, and it answers the subject that is asked.
    world.stop_platform().await?;
    preparing.done();
    let shop = shop(world, plan).await?;

    let mut measuring = Measuring::new(plan, world.folder());
    let nats_version = measuring.raw_nats(&world.host, &body).await?;
    measuring.raw_http(world, &body).await?;
    measuring.raw_postgres(world.stack.admin_url(), std::str::from_utf8(&body)?).await?;

    let (started, until_ready) = starts(world, plan.starts).await?;
    let resting = step(format!("{} s of rest", plan.rest.as_secs()));
    tokio::time::sleep(plan.rest).await;
    let at_rest = process::usages(Some(started.process_id));
    resting.done();
    let mut platform = Platform { edge: started.edge, process_id: started.process_id, clinic, busy, shop };
    measuring.mesh(&world.host, &platform).await?;
    measuring.ours(&world.stack.keys, &platform, false).await?;
    let after_load = process::usages(Some(started.process_id));
    if plan.includes_any(Subject::is_without_cache) {
        restart(world, &mut platform, &[NO_CACHE]).await?;
        measuring.ours(&world.stack.keys, &platform, true).await?;
    }
    let watching = watching(world, plan, &mut platform).await?;
    let search = search_plan(world, plan, &mut platform).await?;
    let events = events(world, plan).await?;

    Ok(Page {
        date: Utc::now().date_naive(),
        machine: Machine::of(world.folder()),
        nats_version,
        postgres: raw_postgres::server_settings(world.stack.admin_url()).await?,
        settings: world.settings.clone(),
        seconds: plan.timing.measured.as_secs(),
        warm_up: plan.timing.warm_up.as_secs(),
        body_bytes: body.len(),
        bookings: plan.bookings,
        products: platform.shop.is_some().then_some(plan.products),
        rows: measuring.rows,
        search,
        watching,
        events,
        figures: Figures { until_ready, rest: plan.rest, at_rest, after_load },
    })
}

/// Makes the products, where any are needed. The platform must not run.
async fn shop(world: &World, plan: &Plan) -> anyhow::Result<Option<Shop>> {
    if !plan.includes_any(Subject::is_about_products) {
        return Ok(None);
    }
    let making = step(format!("{} products", plan.products));
    let shop = Shop::create(plan.products, world.stack.admin_url()).await?;
    making.done();
    Ok(Some(shop))
}

/// Starts the platform anew, with settings of its own.
async fn restart(world: &mut World, platform: &mut Platform, settings: &[(&str, &str)]) -> anyhow::Result<()> {
    world.stop_platform().await?;
    let started = world.start_platform_with(settings).await?;
    (platform.edge, platform.process_id) = (started.edge, started.process_id);
    Ok(())
}

/// Lets some watch a platform that has done nothing else yet.
async fn watching(world: &mut World, plan: &Plan, platform: &mut Platform) -> anyhow::Result<Option<Watching>> {
    if plan.watchers == 0 {
        return Ok(None);
    }
    let watched = step(format!("{} watchers", plan.watchers));
    restart(world, platform, &[]).await?;
    tokio::time::sleep(plan.rest).await;
    let product = platform.shop.as_ref().map_or_else(Uuid::now_v7, |shop| shop.product);
    let Platform { edge, process_id, .. } = *platform;
    let watching = watching::watched(plan.watchers, product, edge, process_id, &world.stack.keys, plan.rest).await?;
    watched.done();
    Ok(Some(watching))
}

/// Has Postgres write down how it goes about one search.
async fn search_plan(world: &mut World, plan: &Plan, platform: &mut Platform) -> anyhow::Result<Option<SearchPlan>> {
    let Some(search) = platform.shop.as_ref().map(Shop::shown_search) else { return Ok(None) };
    if !plan.includes(Subject::SearchProducts) {
        return Ok(None);
    }
    let explaining = step("the plan of a search");
    let admin_url = world.stack.admin_url().to_owned();
    search_plan::begin(&admin_url).await?;
    restart(world, platform, &[]).await?;
    let log = PlanLog::open(world.folder())?;
    body_of(platform.edge, &search).await?;
    let search_plan = log.read().await?;
    search_plan::end(&admin_url).await?;
    explaining.done();
    Ok(Some(search_plan))
}

/// Has events go from a commit to a consumer. The platform is stopped for it: its relay and its consumers are the same.
async fn events(world: &mut World, plan: &Plan) -> anyhow::Result<Option<Events>> {
    let Some(events_plan) = &plan.events else { return Ok(None) };
    world.stop_platform().await?;
    events::measured(world, events_plan).await.map(Some)
}

/// Measures events alone, and prints what was found.
///
/// # Errors
/// Events get stuck on their way.
pub async fn events_only(world: &mut World, plan: &Plan) -> anyhow::Result<String> {
    let machine = Machine::of(world.folder());
    let settings = raw_postgres::server_settings(world.stack.admin_url()).await?;
    let events = events(world, plan).await?.context("no events are measured with --outbox-rows 0")?;
    let Machine { processor, cores, system, file_system } = machine;
    let ServerSettings { version, fsync, synchronous_commit } = settings;
    let date = Utc::now().date_naive();
    let mut page = format!(
        "{date}: {cores} cores of {processor}, {system}; data on {file_system}.\n\
         Postgres {version} with `fsync={fsync}`, `synchronous_commit={synchronous_commit}`.\n"
    );
    if cfg!(debug_assertions) {
        page.push_str("\n**Built without optimisation: these figures only show that everything works.**\n");
    }
    page.push_str(&events.to_string());
    Ok(page)
}

async fn body_of(edge: SocketAddr, path: &str) -> anyhow::Result<Bytes> {
    let (status, body) = Connection::open(edge).await?.get(path).await?;
    expect(status, StatusCode::OK, &body).map_err(|refusal| anyhow!("GET {path}: {refusal}"))?;
    Ok(body)
}

/// Starts the platform so many times; the last one stays.
async fn starts(world: &mut World, count: usize) -> anyhow::Result<(Started, Vec<Duration>)> {
    let starting = step(format!("starting the platform, {count} ×"));
    let mut until_ready = Vec::new();
    let mut last = None;
    for _ in 0..count {
        world.stop_platform().await?;
        let started = world.start_platform().await?;
        until_ready.push(started.until_ready);
        last = Some(started);
    }
    starting.done();
    Ok((last.context("the platform was not started")?, until_ready))
}
