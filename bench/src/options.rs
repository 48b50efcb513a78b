//! The command line.

use crate::durability::Durability;
use crate::load::Timing;
use crate::subject::Subject;
use clap::{Args, Parser, Subcommand, ValueEnum as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How many bookings surround the question for free times.
const BOOKINGS: u32 = 2_000;
const FEWER_BOOKINGS: u32 = 200;
/// Over how many products is searched.
const PRODUCTS: u32 = 100_000;
const FEWER_PRODUCTS: u32 = 2_000;
/// How many watch stock at a time.
const WATCHERS: u32 = 2_000;
const FEWER_WATCHERS: u32 = 100;
/// About how many rows the outbox has when it is long.
const OUTBOX_ROWS: u32 = 1_000_000;
const FEWER_OUTBOX_ROWS: u32 = 5_000;
/// How many events a backlog has.
const BACKLOG: usize = 100_000;
const SMALLER_BACKLOG: usize = 2_000;
/// For how long events are told steadily.
const STEADY: Duration = Duration::from_secs(20);

/// Measures the platform beside what it is made of, in one run on one machine.
///
/// It starts a stack of its own (NATS, Postgres with every commit on disk, Redis) in a temporary folder, measures the
/// raw parts alone - a NATS request and its reply, bare axum, one row of Postgres read and one written - and then the
/// running platform, over NATS and over HTTP, each over 1, 16 and 64 connections, the search for products over 4. HTTP is
/// asked by wrk, Postgres by pgbench. Before that it takes the time from start until ready and the memory at rest. What
/// the edge keeps in its cache is measured once with it and once without. At the end it takes the memory of idle watchers
/// of stock, the plan by which Postgres goes about a search, and how fast events go from a commit to a consumer.
///
/// The result is a page of Markdown on standard output; progress goes to standard error. docs/performance.md says what
/// each row means. Everything is stopped and removed at the end, also on Ctrl-C.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  ./just bench                       the whole page, in about a quarter of an hour\n  ./just bench \
                  --short               does everything work? in about a minute; the figures mean little\n  ./just bench \
                  --seconds 20 > page.md   steadier figures, kept in a file\n  ./just bench --only post-booking \
                  --connections 64 --seconds 60   something to profile\n  ./just bench --only search-products --products \
                  10000   the search, over fewer products\n  ./just bench --only get-product --watchers 5000   one row, and \
                  the memory of watchers\n  ./just bench --only events       events from \
                  commit to consumer, and backlogs, in about five minutes\n  ./just bench durability           what \
                  it costs to have the disk take events sooner, and ways to publish them\n  ./just bench --folder /data        keep the \
                  stack on another disk than that of TMPDIR"
)]
pub struct Options {
    /// Whole seconds that count in each measurement, after the warm-up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    pub seconds: u64,
    /// Whole seconds of load before anything counts
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=120))]
    pub warm_up: u64,
    /// A second each, to see that everything works
    #[arg(long, conflicts_with_all = ["seconds", "warm_up"])]
    pub short: bool,
    /// Over how many connections, one measurement after the other [default: 1,16,64; for search-products 4]
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',',
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=256))]
    pub connections: Vec<usize>,
    /// Measure only these rows
    #[arg(long, value_name = "ROWS", value_delimiter = ',')]
    pub only: Vec<Subject>,
    /// How many products there are beside those of the demo data [default: 100000; with --short 2000]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub products: Option<u32>,
    /// How many watch stock at a time while nothing happens; 0: none [default: 2000; with --short 100; with --only 0]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub watchers: Option<u32>,
    /// How many rows the outbox has when it is long; 0: no events are measured [default: 1000000 with --only events and
    /// in a whole run; with --short 5000]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=20_000_000))]
    pub outbox_rows: Option<u32>,
    /// The folder in which the temporary stack is made; it should be on the disk whose commits count
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Another petpro than the one beside this program
    #[arg(long, value_name = "PROGRAM")]
    pub petpro: Option<PathBuf>,
    /// A setting that differs from what is shipped, for example PETPRO_LOG__LEVEL=warn; the page tells of it
    #[arg(long, value_name = "VARIABLE=VALUE", value_parser = variable)]
    pub set: Vec<(String, String)>,
    /// What this program does for itself
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// Processes that a run starts from this program, and measurements apart from it.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Serves one file's content as JSON with axum and nothing else
    #[command(hide = true)]
    BareAxum(BareAxum),
    /// Measures publishing to JetStream for each `sync_interval`, on one node and on three, in about three minutes
    Durability(Durability),
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

/// What is done, and how long each step takes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of each measurement.
    pub timing: Timing,
    /// Over how many connections; nothing: over the usual ones.
    pub connections: Vec<usize>,
    /// What is measured; nothing: everything.
    pub only: Vec<Subject>,
    /// How many products are made.
    pub products: u32,
    /// How many watch.
    pub watchers: u32,
    /// How many bookings surround the question for free times.
    pub bookings: u32,
    /// How often the platform is started for the time until ready.
    pub starts: usize,
    /// Before the memory at rest is looked at.
    pub rest: Duration,
    /// How events are measured, where they are.
    pub events: Option<EventsPlan>,
}

/// How events are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsPlan {
    /// For how long they are told at a steady rate.
    pub steady: Duration,
    /// How many are told at once.
    pub backlog: usize,
    /// How many rows make the outbox long.
    pub rows: usize,
}

impl Plan {
    /// Whether it is measured.
    pub fn includes(&self, subject: Subject) -> bool {
        self.only.is_empty() || self.only.contains(&subject)
    }

    /// Whether nothing but events is measured.
    pub fn is_about_events_only(&self) -> bool {
        self.only == [Subject::Events]
    }

    /// Over how many connections it is measured; none: it is not.
    pub fn connections(&self, subject: Subject) -> Vec<usize> {
        match self.connections.as_slice() {
            _ if !self.includes(subject) => Vec::new(),
            _ if subject == Subject::Events => Vec::new(),
            [] => subject.usual_connections().to_vec(),
            told => told.to_vec(),
        }
    }

    /// Whether anything is measured that fulfils a condition.
    pub fn includes_any(&self, condition: impl Fn(Subject) -> bool) -> bool {
        Subject::value_variants().iter().any(|subject| condition(*subject) && self.includes(*subject))
    }
}

impl Options {
    /// The plan that the options ask for.
    pub fn plan(&self) -> Plan {
        let (connections, only) = (self.connections.clone(), self.only.clone());
        let usual_watchers = match (only.is_empty(), self.short) {
            (false, _) => 0,
            (true, true) => FEWER_WATCHERS,
            (true, false) => WATCHERS,
        };
        let watchers = self.watchers.unwrap_or(usual_watchers);
        let products = self.products.unwrap_or(if self.short { FEWER_PRODUCTS } else { PRODUCTS });
        if self.short {
            let timing = Timing { warm_up: Duration::ZERO, measured: Duration::from_secs(1) };
            let (bookings, starts, rest) = (FEWER_BOOKINGS, 1, Duration::from_secs(1));
            let events = self.events(Duration::from_secs(2), SMALLER_BACKLOG, FEWER_OUTBOX_ROWS);
            return Plan { timing, connections, only, products, watchers, bookings, starts, rest, events };
        }
        let timing = Timing { warm_up: Duration::from_secs(self.warm_up), measured: Duration::from_secs(self.seconds) };
        let (bookings, starts, rest) = (BOOKINGS, 5, Duration::from_secs(5));
        let events = self.events(STEADY, BACKLOG, OUTBOX_ROWS);
        Plan { timing, connections, only, products, watchers, bookings, starts, rest, events }
    }

    fn events(&self, steady: Duration, backlog: usize, usual_rows: u32) -> Option<EventsPlan> {
        let is_included = self.only.is_empty() || self.only.contains(&Subject::Events);
        let rows = self.outbox_rows.unwrap_or(usual_rows);
        let is_wished = is_included && rows > 0;
        is_wished.then_some(EventsPlan { steady, backlog, rows: usize::try_from(rows).unwrap_or(usize::MAX) })
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if name.starts_with("PETPRO_") => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be PETPRO_…=value".to_owned()),
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
        assert_eq!(plan.timing.warm_up + plan.timing.measured, Duration::from_secs(1));
        assert_eq!(plan.connections(Subject::GetProduct), [1, 16, 64]);
        assert_eq!(plan.connections(Subject::SearchProducts), [4]);
        assert!(plan.includes(Subject::Insert));
        assert_eq!(plan.events.unwrap().backlog, SMALLER_BACKLOG);
        assert_eq!((plan.products, plan.watchers), (FEWER_PRODUCTS, FEWER_WATCHERS));
        let told = ["bench", "--seconds", "20", "--connections", "8,9", "--only", "post-booking,get-me"];
        let told = Options::parse_from(told).plan();
        assert_eq!(told.timing.measured, Duration::from_secs(20));
        assert_eq!(told.connections(Subject::GetMe), [8, 9]);
        assert!(told.includes(Subject::GetMe) && told.connections(Subject::Insert).is_empty());
        assert!(!told.includes_any(Subject::is_about_products));
        assert_eq!((told.products, told.watchers, &told.events), (PRODUCTS, 0, &None));
        let watched = Options::parse_from(["bench", "--only", "search-products", "--watchers", "7"]).plan();
        assert!(watched.includes_any(Subject::is_about_products) && !watched.includes_any(Subject::is_without_cache));
        assert_eq!(watched.watchers, 7);
        let events = Options::parse_from(["bench", "--only", "events", "--outbox-rows", "70"]).plan();
        assert!(events.is_about_events_only() && events.connections(Subject::Events).is_empty());
        assert_eq!(events.events.unwrap().rows, 70);
        assert_eq!(Options::parse_from(["bench", "--outbox-rows", "0"]).plan().events, None);
        assert!(Options::try_parse_from(["bench", "--seconds", "0"]).is_err());
        assert!(Options::try_parse_from(["bench", "--set", "PATH=/"]).is_err());
    }
}
