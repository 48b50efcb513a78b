//! Load on Postgres alone from its own `pgbench`: one row read by its primary key, one row written and committed.

use crate::load::{Found, percentile};
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How the files with the latencies begin.
const LOG_PREFIX: &str = "pgbench-latencies";

/// Runs `pgbench`.
pub struct Pgbench {
    program: PathBuf,
    url: String,
    folder: PathBuf,
}

impl Pgbench {
    /// The one beside the server's own program where that can be seen, else the one on PATH; its files go to `folder`.
    pub fn new(server: Option<u32>, url: &str, folder: &Path) -> Pgbench {
        let of_the_server = server.and_then(|id| std::fs::read_link(format!("/proc/{id}/exe")).ok());
        let beside = of_the_server.map(|program| program.with_file_name("pgbench")).filter(|program| program.is_file());
        let program = beside.unwrap_or_else(|| PathBuf::from("pgbench"));
        Pgbench { program, url: url.to_owned(), folder: folder.to_owned() }
    }

    /// Runs one statement, prepared, again and again over `at_a_time` connections for whole seconds. `variables` stand
    /// for `:name` in it.
    ///
    /// # Errors
    /// `pgbench` is not installed, or fails.
    pub async fn run(
        &self,
        statement: &str,
        variables: &[(&str, &str)],
        at_a_time: usize,
        length: Duration,
    ) -> anyhow::Result<Found> {
        let script = self.folder.join("pgbench.sql");
        std::fs::write(&script, format!("{statement};\n"))?;
        let threads = at_a_time.min(std::thread::available_parallelism().map_or(1, usize::from));
        let logs = self.folder.join(LOG_PREFIX);
        let mut pgbench = Command::new(&self.program);
        pgbench.args(["--no-vacuum", "--protocol", "prepared", "--log"]);
        pgbench.arg("--log-prefix").arg(&logs).arg("--file").arg(&script);
        pgbench.args(["--client", &at_a_time.to_string(), "--jobs", &threads.to_string()]);
        pgbench.args(["--time", &length.as_secs().to_string()]);
        for (name, value) in variables {
            pgbench.args(["--define", &format!("{name}={value}")]);
        }
        // In the environment, so that no password shows in the list of processes.
        pgbench.env("PGDATABASE", &self.url).stdin(Stdio::null()).kill_on_drop(true);
        let output = pgbench.output().await.context("cannot start pgbench, which comes with Postgres")?;
        if !output.status.success() {
            bail!("pgbench ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        let (per_second, errors) = read(&printed).with_context(|| format!("pgbench printed: {printed}"))?;
        let mut latencies = self.latencies()?;
        latencies.sort_unstable();
        Ok(Found {
            per_second,
            p50: percentile(&latencies, 50.0),
            p95: percentile(&latencies, 95.0),
            p99: percentile(&latencies, 99.0),
            answers: latencies.len(),
            errors,
            first_error: None,
        })
    }

    /// What the threads have logged; the files are removed.
    fn latencies(&self) -> anyhow::Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(LOG_PREFIX) {
                let log = std::fs::read_to_string(entry.path())?;
                latencies.extend(log.lines().filter_map(latency));
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(latencies)
    }
}

/// Transactions a second, without the time to connect, and how many failed.
fn read(printed: &str) -> anyhow::Result<(f64, usize)> {
    let after = |start: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(start))?;
        line.split_whitespace().next()
    };
    let per_second = after("tps = ").context("no transactions a second")?.parse()?;
    let failed = after("number of failed transactions: ").map_or(Ok(0), str::parse)?;
    Ok((per_second, failed))
}

/// `client_id transaction_no time script_no …`; the time is in microseconds, or a word when the transaction failed.
fn latency(line: &str) -> Option<Duration> {
    line.split(' ').nth(2)?.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_and_the_log_are_read() {
        let printed = "number of transactions actually processed: 10\nnumber of failed transactions: 2 (16.6%)\n\
                       latency average = 0.1 ms\ntps = 9518.25 (without initial connection time)\n";
        assert_eq!(read(printed).unwrap(), (9518.25, 2));
        assert!(read("pgbench: error").is_err());
        assert_eq!(latency("0 199 2241 0 1175850568 995598"), Some(Duration::from_micros(2241)));
        assert_eq!(latency("0 199 failed 0 1175850568 995598"), None);
    }
}
