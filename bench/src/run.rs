//! The order of a run.

use crate::bookings::BenchClinic;
use crate::connection::{Connection, Reader, expect};
use crate::load::{Measured, Worker, measure};
use crate::machine::Machine;
use crate::options::Plan;
use crate::page::{Figures, Page, Row, Subject};
use crate::process;
use crate::raw_http;
use crate::raw_nats::Echo;
use crate::raw_postgres::RawTable;
use crate::world::{Started, World};
use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use chrono::Utc;
use http::StatusCode;
use petpro::progress::step;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// How many ask at a time, in one measurement after the other.
const AT_A_TIME: [usize; 2] = [1, 64];

/// Measures everything.
///
/// # Errors
/// Something that is to be measured does not work at all.
pub async fn everything(world: &mut World, plan: &Plan) -> anyhow::Result<Page> {
    let preparing = step("a clinic to book at");
    let first = world.start_platform().await?;
    let clinic = BenchClinic::create(first.edge, &world.stack.keys).await?;
    let body = body_of(first.edge, &clinic.path).await?;
    // The raw parts are measured alone: even an idle platform takes time, and it answers the subject that is asked.
    world.stop_platform().await?;
    preparing.done();

    let mut measuring = Measuring { plan: *plan, rows: Vec::new() };
    let question = Bytes::from(json!({ "id": clinic.id }).to_string());
    let nats_version = measuring.raw_nats(world, &body, &question).await?;
    measuring.raw_http(world, &body).await?;
    let table = RawTable::create(world.stack.admin_url(), std::str::from_utf8(&body)?).await?;
    measuring.raw_postgres(&table).await?;

    let (started, until_ready) = starts(world, plan.starts).await?;
    let resting = step(format!("{} s of rest", plan.rest.as_secs()));
    tokio::time::sleep(plan.rest).await;
    let at_rest = process::usage(started.process_id);
    resting.done();
    measuring.ours(world, &clinic, started).await?;
    let after_load = process::usage(started.process_id);

    Ok(Page {
        date: Utc::now().date_naive(),
        machine: Machine::of(world.folder()),
        nats_version,
        postgres: table.server_settings().await?,
        seconds: plan.timing.measured.as_secs_f64(),
        body_bytes: body.len(),
        rows: measuring.rows,
        figures: Figures { until_ready, rest: plan.rest, at_rest, after_load },
    })
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

/// One measurement after the other.
struct Measuring {
    plan: Plan,
    rows: Vec<Row>,
}

impl Measuring {
    async fn raw_nats(&mut self, world: &World, body: &Bytes, question: &Bytes) -> anyhow::Result<String> {
        let echo = Echo::start(&world.host, body.clone()).await?;
        for at_a_time in AT_A_TIME {
            self.measure(Subject::Nats, echo.workers(at_a_time, question), None).await?;
        }
        let version = echo.server_version();
        echo.stop().await?;
        Ok(version)
    }

    async fn raw_http(&mut self, world: &mut World, body: &Bytes) -> anyhow::Result<()> {
        let (process, address) = raw_http::start(world.folder(), body).await?;
        let process_id = process.id();
        world.bare_axum = Some(process);
        for at_a_time in AT_A_TIME {
            self.measure(Subject::Axum, readers(at_a_time, address, raw_http::PATH).await?, process_id).await?;
        }
        world.stop_bare_axum().await
    }

    async fn raw_postgres(&mut self, table: &RawTable) -> anyhow::Result<()> {
        for at_a_time in AT_A_TIME {
            self.measure(Subject::Select, table.readers(at_a_time).await?, None).await?;
        }
        for at_a_time in AT_A_TIME {
            self.measure(Subject::Insert, table.writers(at_a_time).await?, None).await?;
        }
        Ok(())
    }

    async fn ours(&mut self, world: &World, clinic: &BenchClinic, started: Started) -> anyhow::Result<()> {
        let Started { edge, process_id, until_ready: _ } = started;
        for at_a_time in AT_A_TIME {
            let workers = readers(at_a_time, edge, &clinic.path).await?;
            self.measure(Subject::GetClinic, workers, Some(process_id)).await?;
        }
        for at_a_time in AT_A_TIME {
            let workers = clinic.customers(at_a_time, edge, &world.stack.keys).await?;
            self.measure(Subject::PostBooking, workers, Some(process_id)).await?;
        }
        Ok(())
    }

    async fn measure<W: Worker>(
        &mut self,
        subject: Subject,
        workers: Vec<W>,
        server: Option<u32>,
    ) -> anyhow::Result<()> {
        let at_a_time = workers.len();
        let name = subject.name().trim_matches('*');
        let measuring = step(format!("{name}, {at_a_time} at a time"));
        let measured = measure(workers, self.plan.timing, server).await?;
        measuring.done();
        let Measured { per_second, p50, p99, errors, .. } = &measured;
        eprintln!("  {per_second:.0}/s, p50 {p50:.1?}, p99 {p99:.1?}, {errors} errors");
        if let Some(error) = &measured.first_error {
            eprintln!("  first error: {error}");
        }
        self.rows.push(Row { subject, at_a_time, measured });
        Ok(())
    }
}

async fn readers(count: usize, address: SocketAddr, path: &str) -> anyhow::Result<Vec<Reader>> {
    let mut readers = Vec::new();
    for _ in 0..count {
        readers.push(Reader::open(address, path).await?);
    }
    Ok(readers)
}
