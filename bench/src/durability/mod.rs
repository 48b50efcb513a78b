//! What it costs to have the disk take sooner what JetStream has acknowledged, and in which way events are best given to
//! it: the figures behind docs/durability.md.

mod ways;

use crate::machine::Machine;
use anyhow::Context as _;
use async_nats::jetstream;
use async_nats::jetstream::stream;
use chrono::Utc;
use clap::Args;
use petpro::progress::step;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::{Nats, NatsCluster, NatsClusterOptions, NatsOptions};
use ways::{Published, Way};

/// The intervals that are compared: the one that nats-server has by itself, two shorter ones, and none at all.
const INTERVALS: [&str; 4] = ["2m", "10s", "1s", "always"];
const STREAM: &str = "EVENTS_MEASURED";
const SUBJECTS: &str = "event.measured.>";

/// Measures publishing to JetStream for each `sync_interval`, on one node and on a cluster of three.
#[derive(Debug, Args)]
pub struct Durability {
    /// Whole seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// The folder in which the servers keep their streams; it should be on the disk that counts
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// One line of the table.
struct Row {
    nodes: usize,
    interval: &'static str,
    way: Way,
    published: Published,
}

/// Servers that are measured.
enum Servers {
    One(Box<Nats>),
    Three(NatsCluster),
}

impl Servers {
    async fn start(nodes: usize, interval: &str, folder: &Path) -> anyhow::Result<Servers> {
        let folder = Some(folder.join(format!("{nodes}-{interval}")));
        let sync_interval = Some(interval.to_owned());
        if nodes == 1 {
            let options = NatsOptions { folder, sync_interval, ..NatsOptions::default() };
            return Nats::start(options).await.map(|nats| Servers::One(Box::new(nats)));
        }
        let options = NatsClusterOptions { folder, sync_interval, ..NatsClusterOptions::default() };
        NatsCluster::start(options).await.map(Servers::Three)
    }

    fn urls(&self) -> Vec<String> {
        match self {
            Servers::One(nats) => vec![nats.url()],
            Servers::Three(cluster) => cluster.urls(),
        }
    }

    async fn stop(self) -> anyhow::Result<()> {
        match self {
            Servers::One(nats) => nats.stop().await,
            Servers::Three(cluster) => cluster.stop().await,
        }
    }
}

/// Measures everything and prints the page.
///
/// # Errors
/// A server does not start, or does not take events.
pub async fn measure(options: &Durability) -> anyhow::Result<()> {
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let everyone_may_pass = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new()
        .prefix("petpro-bench-")
        .permissions(everyone_may_pass)
        .tempdir_in(&parent)
        .with_context(|| format!("cannot make a folder in {}", parent.display()))?;
    let machine = Machine::of(folder.path());
    let mut rows = Vec::new();
    for nodes in [1, NatsCluster::NODES] {
        for interval in INTERVALS {
            let measuring = step(format!("{nodes} × nats-server, sync_interval {interval}"));
            let servers = Servers::start(nodes, interval, folder.path()).await?;
            let measured = each_way(nodes, interval, &servers, options.seconds).await;
            servers.stop().await?;
            rows.extend(measured?);
            measuring.done();
        }
    }
    print(options.seconds, &machine, &rows);
    Ok(())
}

async fn each_way(nodes: usize, interval: &'static str, servers: &Servers, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let client = async_nats::connect(servers.urls()).await?;
    let jetstream = jetstream::new(client.clone());
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![SUBJECTS.to_owned()],
        num_replicas: nodes,
        duplicate_window: Duration::from_secs(120),
        allow_atomic_publish: true,
        ..stream::Config::default()
    };
    jetstream.create_stream(config).await?;
    let mut rows = Vec::new();
    for way in Way::ALL {
        // The first messages find everything cold.
        way.publish(&client, &jetstream, Duration::from_secs(1)).await?;
        let published = way.publish(&client, &jetstream, Duration::from_secs(seconds)).await?;
        rows.push(Row { nodes, interval, way, published });
    }
    Ok(rows)
}

fn print(seconds: u64, machine: &Machine, rows: &[Row]) {
    let Machine { processor, cores, system, file_system } = machine;
    let date = Utc::now().date_naive();
    println!("{date}: {cores} cores of {processor}, {system}; streams on {file_system}; {seconds} s each.");
    if cfg!(debug_assertions) {
        println!("\n**Built without optimisation: these figures only show that everything works.**");
    }
    println!("\n| Nodes | `sync_interval` | published | events/s | acknowledged p50 ms | p99 ms | longest ms |");
    println!("|--:|---|---|--:|--:|--:|--:|");
    for Row { nodes, interval, way, published } in rows {
        let Published { per_second, p50, p99, longest } = published;
        let [p50, p99, longest] = [p50, p99, longest].map(|time| time.as_secs_f64() * 1e3);
        let way = way.name();
        println!("| {nodes} | {interval} | {way} | {per_second:.0} | {p50:.2} | {p99:.2} | {longest:.1} |");
    }
}
