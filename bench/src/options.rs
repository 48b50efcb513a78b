//! The command line.

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Measures the platform beside what it is made of, in one run on one machine.
///
/// It starts a stack of its own (NATS, Postgres with every commit on disk, Redis) in a temporary folder, measures the
/// raw parts alone - a NATS request and its reply, bare axum, one row of Postgres read and one written - and then
/// `GET /api/v1/clinics/{id}` and `POST /api/v1/bookings` through the running platform, each by 1 and by 64 at a time.
/// Before that it takes the time from start until ready and the memory at rest.
///
/// The result is a page of Markdown on standard output; progress goes to standard error. docs/performance.md says what
/// each row means. Everything is stopped and removed at the end, also on Ctrl-C.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  ./just bench                       the whole page, in about two minutes\n  ./just bench \
                  --short               does everything work? the figures mean little\n  ./just bench --seconds 20 > \
                  page.md   steadier figures, kept in a file\n  ./just bench --folder /data        keep the stack on \
                  another disk than that of TMPDIR"
)]
pub struct Options {
    /// Seconds that count in each measurement, after the warm-up
    #[arg(long, default_value_t = 5.0, value_parser = seconds)]
    pub seconds: f64,
    /// Seconds of load before anything counts
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub warm_up: f64,
    /// A few seconds in all, to see that everything works
    #[arg(long, conflicts_with_all = ["seconds", "warm_up"])]
    pub short: bool,
    /// The folder in which the temporary stack is made; it should be on the disk whose commits count
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// What this program does for itself
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// Processes that a run starts from this program.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Serves one file's content as JSON with axum and nothing else
    #[command(hide = true)]
    BareAxum(BareAxum),
}

/// What is served where.
#[derive(Debug, Args)]
pub struct BareAxum {
    /// Where to listen
    #[arg(long)]
    pub listen: SocketAddr,
    /// The file
    #[arg(long)]
    pub body: PathBuf,
}

/// How long each step takes.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Of each measurement.
    pub timing: crate::load::Timing,
    /// How often the platform is started for the time until ready.
    pub starts: usize,
    /// Before the memory at rest is looked at.
    pub rest: Duration,
}

impl Options {
    /// The plan that the options ask for.
    pub fn plan(&self) -> Plan {
        if self.short {
            let timing =
                crate::load::Timing { warm_up: Duration::from_millis(100), measured: Duration::from_millis(400) };
            return Plan { timing, starts: 1, rest: Duration::from_secs(1) };
        }
        let timing = crate::load::Timing {
            warm_up: Duration::from_secs_f64(self.warm_up),
            measured: Duration::from_secs_f64(self.seconds),
        };
        Plan { timing, starts: 5, rest: Duration::from_secs(5) }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        // An access token lives for 15 minutes; a measurement must have ended by then.
        Ok(seconds) if (0.1..=120.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number of seconds from 0.1 to 120".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn short_is_short_and_the_rest_is_as_told() {
        let plan = Options::parse_from(["bench", "--short"]).plan();
        assert!(plan.timing.measured < Duration::from_secs(1));
        let told = Options::parse_from(["bench", "--seconds", "2.5"]).plan();
        assert_eq!(told.timing.measured, Duration::from_millis(2500));
        assert!(Options::try_parse_from(["bench", "--seconds", "0"]).is_err());
        assert!(Options::try_parse_from(["bench", "--seconds", "1e9"]).is_err());
    }
}
