//! The result, as Markdown.

use crate::events::Events;
use crate::load::Found;
use crate::machine::Machine;
use crate::process::{Part, Usages};
use crate::raw_postgres::ServerSettings;
use crate::search_plan::SearchPlan;
use crate::subject::Subject;
use crate::watching::Watching;
use chrono::NaiveDate;
use std::fmt;
use std::time::Duration;

/// One measurement.
pub struct Row {
    /// Of what.
    pub subject: Subject,
    /// Over how many connections.
    pub connections: usize,
    /// What the load generator has found.
    pub found: Found,
    /// What each part of the stack has used.
    pub used: Usages,
}

/// The platform's start and its rest.
pub struct Figures {
    /// Each start until ready, on a warm stack.
    pub until_ready: Vec<Duration>,
    /// How long it had rested.
    pub rest: Duration,
    /// Everything then.
    pub at_rest: Usages,
    /// Everything after all load.
    pub after_load: Usages,
}

/// The whole page.
pub struct Page {
    /// The day of the run, UTC.
    pub date: NaiveDate,
    /// The machine.
    pub machine: Machine,
    /// The version of nats-server.
    pub nats_version: Option<String>,
    /// Postgres.
    pub postgres: ServerSettings,
    /// Settings that differ from what is shipped.
    pub settings: Vec<(String, String)>,
    /// Seconds of each measurement that count.
    pub seconds: u64,
    /// Seconds of load before that.
    pub warm_up: u64,
    /// The size of the body that the raw parts carry and `GET` of the clinic answers.
    pub body_bytes: usize,
    /// How many bookings surround the question for free times.
    pub bookings: u32,
    /// How many products are searched, where they were made.
    pub products: Option<u32>,
    /// Every measurement.
    pub rows: Vec<Row>,
    /// How Postgres goes about a search.
    pub search: Option<SearchPlan>,
    /// What it costs to be watched.
    pub watching: Option<Watching>,
    /// How fast events go.
    pub events: Option<Events>,
    /// Start and rest.
    pub figures: Figures,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.conditions(f)?;
        self.measurements(f)?;
        self.processor_time(f)?;
        self.comparisons(f)?;
        self.start_and_memory(f)?;
        if let Some(watching) = &self.watching {
            watching.fmt(f)?;
        }
        if let Some(events) = &self.events {
            events.fmt(f)?;
        }
        if let Some(search) = &self.search {
            search.fmt(f)?;
        }
        Ok(())
    }
}

impl Page {
    /// What was found of a subject over so many connections.
    pub fn found(&self, subject: Subject, connections: usize) -> Option<&Found> {
        let row = self.rows.iter().find(|row| row.subject == subject && row.connections == connections);
        row.map(|row| &row.found)
    }

    fn conditions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, system, file_system } = &self.machine;
        let ServerSettings { version, fsync, synchronous_commit } = &self.postgres;
        let nats_version = self.nats_version.as_deref().unwrap_or("of unknown version");
        let Page { date, seconds, warm_up, body_bytes, bookings, .. } = self;
        writeln!(f, "{date}: {cores} cores of {processor}, {system}; data on {file_system}.")?;
        writeln!(
            f,
            "nats-server {nats_version}; Postgres {version} with `fsync={fsync}`, \
             `synchronous_commit={synchronous_commit}`."
        )?;
        writeln!(
            f,
            "{seconds} s each, after {warm_up} s of warm-up; the reply of the clinic has {body_bytes} bytes, and {bookings} bookings \
             surround the question for free times. Everything runs on this one machine."
        )?;
        if let Some(products) = self.products {
            writeln!(f, "Searches are over {products} products.")?;
        }
        for (variable, value) in &self.settings {
            writeln!(f, "`{variable}={value}`.")?;
        }
        if cfg!(debug_assertions) {
            writeln!(f, "\n**Built without optimisation: these figures only show that everything works.**")?;
        }
        Ok(())
    }

    fn measurements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| Measured | connections | requests/s | p50 ms | p95 ms | p99 ms | errors |\n|---|--:|--:|--:|--:|--:|--:|"
        )?;
        for Row { subject, connections, found, used: _ } in &self.rows {
            let Found { per_second, p50, p95, p99, answers: _, errors, first_error: _ } = found;
            let (name, [p50, p95, p99]) = (subject.name(), [p50, p95, p99].map(|time| milliseconds(*time)));
            writeln!(f, "| {name} | {connections} | {per_second:.0} | {p50:.3} | {p95:.3} | {p99:.3} | {errors} |")?;
        }
        for Row { subject, connections, found, used: _ } in &self.rows {
            if let Some(error) = &found.first_error {
                writeln!(f, "\nFirst error of {} over {connections}: {error}", subject.name())?;
            }
        }
        Ok(())
    }

    fn processor_time(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n| Seconds of a core for 1,000 requests | connections |")?;
        for part in Part::ALL {
            write!(f, " {} |", part.name())?;
        }
        writeln!(f, "\n|---|--:|--:|--:|--:|--:|--:|")?;
        for Row { subject, connections, found, used } in &self.rows {
            write!(f, "| {} | {connections} |", subject.name())?;
            for part in Part::ALL {
                let seconds = used.of(part).map(|usage| usage.cpu.as_secs_f64() * 1000.0 / found.answers as f64);
                write!(f, " {} |", or_dash(seconds, 3))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn start_and_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { until_ready, rest, at_rest, after_load } = &self.figures;
        let mut sorted = until_ready.clone();
        sorted.sort_unstable();
        let (median, longest) = (sorted.get(sorted.len() / 2), sorted.last());
        let (median, longest) = (median.map(|time| milliseconds(*time)), longest.map(|time| milliseconds(*time)));
        writeln!(f, "\n| `petpro run`, all services in one process | |\n|---|--:|")?;
        writeln!(f, "| start until ready, warm stack, median of {} | {} ms |", sorted.len(), or_dash(median, 0))?;
        writeln!(f, "| the longest of them | {} ms |", or_dash(longest, 0))?;
        writeln!(f, "\n| Resident memory, MB | {} s after ready | after all load |\n|---|--:|--:|", rest.as_secs())?;
        for part in Part::ALL {
            let megabytes =
                |usages: &Usages| or_dash(usages.of(part).map(|usage| usage.resident_bytes as f64 / 1e6), 1);
            writeln!(f, "| {} | {} | {} |", part.name(), megabytes(at_rest), megabytes(after_load))?;
        }
        Ok(())
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A number, or a dash where there is none.
pub fn or_dash(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.decimals$}"),
        _ => "–".to_owned(),
    }
}
