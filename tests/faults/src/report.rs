//! What people read while it runs: what was done, what it took, what was found.

use std::fmt;
use std::time::{Duration, Instant};

/// Prints lines with the time since the start.
#[derive(Debug)]
pub struct Report {
    started: Instant,
}

impl Default for Report {
    fn default() -> Report {
        Report { started: Instant::now() }
    }
}

impl Report {
    /// A line.
    pub fn say(&self, text: impl fmt::Display) {
        let seconds = self.started.elapsed().as_secs_f64();
        petpro::output::aside(format_args!("{seconds:7.1} s  {text}\n"));
    }
}

/// A time as people read it.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
