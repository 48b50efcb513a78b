//! One measurement after the other.

use crate::busy::BusyClinic;
use crate::clinics::{API, Clinic};
use crate::kept;
use crate::load::{self, Found, Timing, Worker};
use crate::mesh::Mesh;
use crate::options::Plan;
use crate::page::Row;
use crate::people;
use crate::pgbench::Pgbench;
use crate::process;
use crate::raw_http;
use crate::raw_nats::Echo;
use crate::raw_postgres;
use crate::shop::Shop;
use crate::subject::Subject;
use crate::world::World;
use crate::wrk::{self, Asked};
use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, StatusCode};
use identity::keys::KeyStore;
use petpro::progress::step;
use platform::setup::Host;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use subjects::Request as _;
use subjects::auth::Jwks;
use subjects::vendor::FindClinic;

/// The platform as it runs.
pub struct Platform {
    /// Where the edge answers.
    pub edge: SocketAddr,
    /// Its process.
    pub process_id: u32,
    /// Where there is always a free time.
    pub clinic: Clinic,
    /// Where free times are asked for.
    pub busy: BusyClinic,
    /// What is sold, where that was made.
    pub shop: Option<Shop>,
}

/// What is measured over HTTP, in this order; that without a cache apart.
const OURS: [Subject; 10] = [
    Subject::GetClinic,
    Subject::GetClinicUncached,
    Subject::GetProduct,
    Subject::GetProductUncached,
    Subject::SearchProducts,
    Subject::GetProductAvailability,
    Subject::GetAvailability,
    Subject::GetMe,
    Subject::PostBooking,
    Subject::PostLogin,
];

/// Measures, and keeps what was found.
pub struct Measuring {
    plan: Plan,
    folder: PathBuf,
    /// What was found so far.
    pub rows: Vec<Row>,
    /// No later time of the clinic that is always open is taken.
    next_slot: u64,
}

impl Measuring {
    /// Nothing yet; files of the load generators go to `folder`.
    pub fn new(plan: &Plan, folder: &Path) -> Measuring {
        Measuring { plan: plan.clone(), folder: folder.to_owned(), rows: Vec::new(), next_slot: 0 }
    }

    /// A NATS request and its reply. Answers the version of the server, when it was asked.
    ///
    /// # Errors
    /// NATS is away.
    pub async fn raw_nats(&mut self, host: &Host, body: &Bytes) -> anyhow::Result<Option<String>> {
        let echo = Echo::start(host, body.clone()).await?;
        let question = Bytes::from(json!({ "id": uuid::Uuid::now_v7() }).to_string());
        for connections in self.plan.connections(Subject::Nats) {
            self.closed_loop(Subject::Nats, None, || echo.workers(connections, &question), connections).await?;
        }
        let version = echo.server_version();
        echo.stop().await?;
        Ok(Some(version))
    }

    /// Bare axum.
    ///
    /// # Errors
    /// It does not start, or `wrk` fails.
    pub async fn raw_http(&mut self, world: &mut World, body: &Bytes) -> anyhow::Result<()> {
        let (process, address) = raw_http::start(world.folder(), body).await?;
        let process_id = process.id();
        world.bare_axum = Some(process);
        for connections in self.plan.connections(Subject::Axum) {
            self.http(Subject::Axum, Asked::get(raw_http::PATH), address, process_id, connections).await?;
        }
        world.stop_bare_axum().await
    }

    /// One row read, and one row committed.
    ///
    /// # Errors
    /// Postgres is away, or `pgbench` fails.
    pub async fn raw_postgres(&mut self, admin_url: &str, body: &str) -> anyhow::Result<()> {
        let id = raw_postgres::create_table(admin_url, body).await?.to_string();
        let pgbench = Pgbench::new(process::postgres(), admin_url, &self.folder);
        let statements = [
            (Subject::Select, raw_postgres::SELECT, ("id", id.as_str())),
            (Subject::Insert, raw_postgres::INSERT, ("body", body)),
        ];
        for (subject, statement, variable) in statements {
            for connections in self.plan.connections(subject) {
                let Timing { warm_up, measured } = self.plan.timing;
                let measuring = begin(subject, connections);
                if !warm_up.is_zero() {
                    pgbench.run(statement, &[variable], connections, warm_up).await?;
                }
                let before = process::usages(None);
                let found = pgbench.run(statement, &[variable], connections, measured).await?;
                let used = process::usages(None).since(&before);
                measuring.done();
                self.keep(Row { subject, connections, found, used });
            }
        }
        Ok(())
    }

    /// The platform over NATS.
    ///
    /// # Errors
    /// NATS is away.
    pub async fn mesh(&mut self, host: &Host, platform: &Platform) -> anyhow::Result<()> {
        let mesh = Mesh::connect(host).await?;
        let nothing = Bytes::from_static(b"{}");
        let clinic = Bytes::from(json!({ "id": platform.clinic.id }).to_string());
        let questions =
            [(Subject::MeshJwks, Jwks::SUBJECT, nothing), (Subject::MeshClinic, FindClinic::SUBJECT, clinic)];
        for (subject, asked, question) in questions {
            for connections in self.plan.connections(subject) {
                let workers = || mesh.workers(connections, asked, &question);
                self.closed_loop(subject, Some(platform.process_id), workers, connections).await?;
            }
        }
        Ok(())
    }

    /// The platform over HTTP: what is measured with its cache, or what is measured without.
    ///
    /// # Errors
    /// `wrk` fails.
    pub async fn ours(&mut self, keys: &KeyStore, platform: &Platform, without_cache: bool) -> anyhow::Result<()> {
        for subject in OURS.into_iter().filter(|subject| subject.is_without_cache() == without_cache) {
            for connections in self.plan.connections(subject) {
                let mut asked = asked(subject, connections, keys, platform)?;
                if subject.is_kept() {
                    asked.kept = true;
                    kept::until_kept(platform.edge, &asked.paths).await?;
                }
                self.http(subject, asked, platform.edge, Some(platform.process_id), connections).await?;
            }
        }
        Ok(())
    }

    async fn closed_loop<W: Worker>(
        &mut self,
        subject: Subject,
        measured_process: Option<u32>,
        workers: impl Fn() -> Vec<W>,
        connections: usize,
    ) -> anyhow::Result<()> {
        let Timing { warm_up, measured } = self.plan.timing;
        let measuring = begin(subject, connections);
        load::ask(workers(), warm_up).await?;
        let before = process::usages(measured_process);
        let found = load::ask(workers(), measured).await?;
        let used = process::usages(measured_process).since(&before);
        if let Some(process) = measured_process {
            process::until_idle(process).await;
        }
        measuring.done();
        self.keep(Row { subject, connections, found, used });
        Ok(())
    }

    async fn http(
        &mut self,
        subject: Subject,
        mut asked: Asked,
        address: SocketAddr,
        measured_process: Option<u32>,
        connections: usize,
    ) -> anyhow::Result<()> {
        let Timing { warm_up, measured } = self.plan.timing;
        let measuring = begin(subject, connections);
        if !warm_up.is_zero() {
            self.wrk(&mut asked, address, connections, warm_up).await?;
        }
        let before = process::usages(measured_process);
        let found = self.wrk(&mut asked, address, connections, measured).await?;
        let used = process::usages(measured_process).since(&before);
        if let Some(process) = measured_process {
            process::until_idle(process).await;
        }
        measuring.done();
        self.keep(Row { subject, connections, found, used });
        Ok(())
    }

    async fn wrk(
        &mut self,
        asked: &mut Asked,
        address: SocketAddr,
        connections: usize,
        length: std::time::Duration,
    ) -> anyhow::Result<Found> {
        if let Some(slots) = &mut asked.slots {
            slots.first_slot = self.next_slot;
        }
        let answered = wrk::ask(asked, address, connections, length, &self.folder).await?;
        if asked.slots.is_some() {
            self.next_slot += answered.asked;
        }
        Ok(answered.found)
    }

    fn keep(&mut self, row: Row) {
        let Found { per_second, p50, p95, p99, errors, first_error, answers: _ } = &row.found;
        eprintln!("  {per_second:.0}/s, p50 {p50:.1?}, p95 {p95:.1?}, p99 {p99:.1?}, {errors} errors");
        if let Some(error) = first_error {
            eprintln!("  first error: {error}");
        }
        self.rows.push(row);
    }
}

fn begin(subject: Subject, connections: usize) -> petpro::progress::Step {
    step(format!("{} over {connections}", subject.name().replace(['*', '`'], "")))
}

/// Tokens are signed anew for each measurement: they hold for 15 minutes.
fn asked(subject: Subject, connections: usize, keys: &KeyStore, platform: &Platform) -> anyhow::Result<Asked> {
    let post = |path: &str| Asked { method: Method::POST, ..Asked::get(&format!("{API}{path}")) };
    let shop = || platform.shop.as_ref().context("no products were made");
    Ok(match subject {
        Subject::GetProduct | Subject::GetProductUncached => Asked::get(&shop()?.product_path()),
        Subject::SearchProducts => Asked::get_each_of(shop()?.searches()),
        // The vendor service did not answer in time: not what is measured.
        Subject::GetProductAvailability => {
            Asked { unwanted: Some("\"vendor\":null"), ..Asked::get(&shop()?.availability_path()) }
        }
        Subject::GetAvailability => Asked {
            // Made from the read models because the vendor service did not answer in time: not what is measured.
            unwanted: Some("\"provisional\":true"),
            ..Asked::get(&platform.busy.path())
        },
        Subject::GetMe => Asked { tokens: people::account_holders(keys)?, ..Asked::get(&format!("{API}/auth/me")) },
        Subject::PostBooking => Asked {
            status: StatusCode::CREATED,
            unwanted: Some("\"provisional\":true"),
            tokens: people::customers(keys, connections)?,
            slots: Some(platform.clinic.slots(0)),
            ..post("/bookings")
        },
        Subject::PostLogin => Asked { bodies: people::logins(), ..post("/auth/login") },
        _ => Asked::get(&format!("{API}/clinics/{}", platform.clinic.id)),
    })
}
