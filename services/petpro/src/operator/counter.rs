//! The progress of work that is done in parts, on standard error.

use crate::output::aside;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// How often a line is written where it cannot be written over.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Says how far some work is: on a terminal in one line that changes, elsewhere in a line every few seconds.
pub(crate) struct Counter {
    is_terminal: bool,
    said_at: Instant,
    has_line: bool,
}

impl Counter {
    pub(crate) fn new() -> Counter {
        Counter { is_terminal: std::io::stderr().is_terminal(), said_at: Instant::now(), has_line: false }
    }

    /// Says how far it is.
    pub(crate) fn at(&mut self, text: &str) {
        if self.is_terminal {
            aside(format_args!("\r\x1b[2K› {text}"));
            self.has_line = true;
        } else if self.said_at.elapsed() >= LINE_EVERY {
            aside(format_args!("› {text}\n"));
            self.said_at = Instant::now();
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.has_line {
            aside(format_args!("\r\x1b[2K"));
        }
    }
}
