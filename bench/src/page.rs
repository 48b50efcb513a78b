//! The result, as Markdown.

use crate::load::Measured;
use crate::machine::Machine;
use crate::process::Usage;
use crate::raw_postgres::ServerSettings;
use chrono::NaiveDate;
use std::fmt;
use std::time::Duration;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A NATS request and its reply.
    Nats,
    /// Bare axum.
    Axum,
    /// One row of Postgres read.
    Select,
    /// One row of Postgres written and committed.
    Insert,
    /// `GET /api/v1/clinics/{id}`.
    GetClinic,
    /// `POST /api/v1/bookings`.
    PostBooking,
}

impl Subject {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Nats => "NATS request and reply",
            Subject::Axum => "bare axum, GET",
            Subject::Select => "Postgres, one row read",
            Subject::Insert => "Postgres, one row committed",
            Subject::GetClinic => "**GET /api/v1/clinics/{id}**",
            Subject::PostBooking => "**POST /api/v1/bookings**",
        }
    }

    /// The raw parts of ours that follow one another, each as often as it occurs.
    fn parts(self) -> &'static [Subject] {
        match self {
            Subject::GetClinic => &[Subject::Axum, Subject::Nats, Subject::Select],
            // The edge asks booking, and booking asks vendor.
            Subject::PostBooking => &[Subject::Axum, Subject::Nats, Subject::Nats, Subject::Select, Subject::Insert],
            Subject::Nats | Subject::Axum | Subject::Select | Subject::Insert => &[],
        }
    }
}

/// One measurement.
pub struct Row {
    /// Of what.
    pub subject: Subject,
    /// How many asked at a time.
    pub at_a_time: usize,
    /// What was found.
    pub measured: Measured,
}

/// The platform's start and its rest.
pub struct Figures {
    /// Each start until ready, on a warm stack.
    pub until_ready: Vec<Duration>,
    /// How long it had rested.
    pub rest: Duration,
    /// The process then.
    pub at_rest: Option<Usage>,
    /// The process after all load.
    pub after_load: Option<Usage>,
}

/// The whole page.
pub struct Page {
    /// The day of the run, UTC.
    pub date: NaiveDate,
    /// The machine.
    pub machine: Machine,
    /// The version of nats-server.
    pub nats_version: String,
    /// Postgres.
    pub postgres: ServerSettings,
    /// Seconds of each measurement that count.
    pub seconds: f64,
    /// The size of the body that the raw parts carry and `GET` answers.
    pub body_bytes: usize,
    /// Every measurement.
    pub rows: Vec<Row>,
    /// Start and rest.
    pub figures: Figures,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.conditions(f)?;
        self.measurements(f)?;
        self.ratios(f)?;
        self.start_and_rest(f)
    }
}

impl Page {
    fn conditions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, system, file_system } = &self.machine;
        let ServerSettings { version, fsync, synchronous_commit } = &self.postgres;
        writeln!(f, "{}: {cores} cores of {processor}, {system}; data on {file_system}.", self.date)?;
        writeln!(
            f,
            "nats-server {}; Postgres {version} with `fsync={fsync}`, `synchronous_commit={synchronous_commit}`.",
            self.nats_version
        )?;
        writeln!(
            f,
            "{} s each after a warm-up; the reply of the clinic has {} bytes. Everything runs on this one machine.",
            self.seconds, self.body_bytes
        )?;
        if cfg!(debug_assertions) {
            writeln!(f, "\n**Built without optimisation: these figures only show that everything works.**")?;
        }
        Ok(())
    }

    fn measurements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| Measured | at a time | requests/s | p50 ms | p99 ms | errors | server CPU s | CPU µs each | server RSS MB \
             | load CPU s |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        for Row { subject, at_a_time, measured } in &self.rows {
            let Measured { per_second, p50, p99, answers, errors, first_error: _, server, generator } = measured;
            let cpu_each = server.filter(|_| *answers > 0).map(|usage| usage.cpu.as_secs_f64() * 1e6 / *answers as f64);
            writeln!(
                f,
                "| {} | {at_a_time} | {per_second:.0} | {:.3} | {:.3} | {errors} | {} | {} | {} | {} |",
                subject.name(),
                milliseconds(*p50),
                milliseconds(*p99),
                or_dash(server.map(|usage| usage.cpu.as_secs_f64()), 2),
                or_dash(cpu_each, 0),
                or_dash(server.map(megabytes), 0),
                or_dash(generator.map(|usage| usage.cpu.as_secs_f64()), 2),
            )?;
        }
        for Row { subject, at_a_time, measured } in &self.rows {
            if let Some(error) = &measured.first_error {
                writeln!(f, "\nFirst error of {} by {at_a_time}: {error}", subject.name())?;
            }
        }
        Ok(())
    }

    fn ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| Ours, its requests/s as a share of those | at a time | of bare axum | of NATS | of a row read | of a \
             row committed | p50 ÷ sum of the parts' p50 |\n|---|--:|--:|--:|--:|--:|--:|"
        )?;
        for row in self.rows.iter().filter(|row| !row.subject.parts().is_empty()) {
            write!(f, "| {} | {} |", row.subject.name(), row.at_a_time)?;
            for part in [Subject::Axum, Subject::Nats, Subject::Select, Subject::Insert] {
                let is_part = row.subject.parts().contains(&part);
                let raw = self.row(part, row.at_a_time).filter(|_| is_part);
                let share = raw.map(|raw| row.measured.per_second / raw.measured.per_second);
                write!(f, " {} |", share.filter(|share| share.is_finite()).map_or("–".to_owned(), percent))?;
            }
            let parts: Option<Duration> =
                row.subject.parts().iter().map(|part| Some(self.row(*part, row.at_a_time)?.measured.p50)).sum();
            let over_parts = parts.map(|parts| row.measured.p50.as_secs_f64() / parts.as_secs_f64());
            writeln!(f, " {} |", or_dash(over_parts, 1))?;
        }
        Ok(())
    }

    fn row(&self, subject: Subject, at_a_time: usize) -> Option<&Row> {
        self.rows.iter().find(|row| row.subject == subject && row.at_a_time == at_a_time)
    }

    fn start_and_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { until_ready, rest, at_rest, after_load } = &self.figures;
        let mut sorted = until_ready.clone();
        sorted.sort_unstable();
        let (median, longest) = (sorted.get(sorted.len() / 2), sorted.last());
        let (median, longest) = (median.map(|time| milliseconds(*time)), longest.map(|time| milliseconds(*time)));
        writeln!(f, "\n| `petpro run`, all services in one process | |\n|---|--:|")?;
        writeln!(f, "| start until ready, warm stack, median of {} | {} ms |", sorted.len(), or_dash(median, 0))?;
        writeln!(f, "| the longest of them | {} ms |", or_dash(longest, 0))?;
        let at_rest = or_dash(at_rest.map(megabytes), 1);
        writeln!(f, "| resident memory at rest, {} s after ready | {at_rest} MB |", rest.as_secs())?;
        writeln!(f, "| resident memory after all load | {} MB |", or_dash(after_load.map(megabytes), 1))
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Of a million bytes each.
fn megabytes(usage: Usage) -> f64 {
    usage.resident_bytes as f64 / 1e6
}

fn or_dash(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.decimals$}"),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: Subject, per_second: f64, p50_ms: u64) -> Row {
        let usage = Usage { cpu: Duration::from_secs(1), resident_bytes: 50_000_000 };
        let measured = Measured {
            per_second,
            p50: Duration::from_millis(p50_ms),
            p99: Duration::from_millis(p50_ms * 2),
            answers: 1000,
            errors: 0,
            first_error: None,
            server: (subject == Subject::GetClinic).then_some(usage),
            generator: Some(usage),
        };
        Row { subject, at_a_time: 1, measured }
    }

    fn page(rows: Vec<Row>) -> Page {
        let [processor, system, file_system] = ["P", "S", "F"].map(str::to_owned);
        let [version, fsync, synchronous_commit] = ["15", "on", "on"].map(str::to_owned);
        let until_ready = [300, 100, 200].map(Duration::from_millis).to_vec();
        Page {
            date: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap(),
            machine: Machine { processor, cores: 2, system, file_system },
            nats_version: "2".to_owned(),
            postgres: ServerSettings { version, fsync, synchronous_commit },
            seconds: 5.0,
            body_bytes: 500,
            rows,
            figures: Figures { until_ready, rest: Duration::from_secs(5), at_rest: None, after_load: None },
        }
    }

    #[test]
    fn ours_is_compared_with_its_parts() {
        let text = page(vec![
            row(Subject::Nats, 4000.0, 1),
            row(Subject::Axum, 8000.0, 2),
            row(Subject::Select, 2000.0, 3),
            row(Subject::GetClinic, 1000.0, 12),
        ])
        .to_string();
        let measured = "| **GET /api/v1/clinics/{id}** | 1 | 1000 | 12.000 | 24.000 | 0 | 1.00 | 1000 | 50 | 1.00 |";
        assert!(text.contains(measured), "{text}");
        assert!(text.contains("| **GET /api/v1/clinics/{id}** | 1 | 12.5 % | 25.0 % | 50.0 % | – | 2.0 |"), "{text}");
        assert!(text.contains("median of 3 | 200 ms |"), "{text}");
        assert!(text.contains("| the longest of them | 300 ms |"), "{text}");
    }

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let text = page(vec![row(Subject::PostBooking, 1000.0, 12)]).to_string();
        assert!(text.contains("| **POST /api/v1/bookings** | 1 | – | – | – | – | – |"), "{text}");
    }
}
