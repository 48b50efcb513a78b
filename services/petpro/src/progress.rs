//! Progress of long steps, for people: one line a step, on standard error.

use crate::output::aside;
use std::io::IsTerminal as _;
use std::time::Instant;

/// Says that a step begins; the answer says how long it took once it is done.
pub fn step(what: impl std::fmt::Display) -> Step {
    if terminal() {
        aside(format_args!("\x1b[1m›\x1b[0m {what} …"));
    } else {
        aside(format_args!("› {what}\n"));
    }
    Step { started: Instant::now(), terminal: terminal(), done: false }
}

/// A step under way.
pub struct Step {
    started: Instant,
    terminal: bool,
    done: bool,
}

impl Step {
    /// The step is done.
    pub fn done(mut self) {
        self.done = true;
        if self.terminal {
            aside(format_args!(" {:.1} s\n", self.started.elapsed().as_secs_f64()));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.done && self.terminal {
            aside(format_args!(" failed\n"));
        }
    }
}

fn terminal() -> bool {
    std::io::stderr().is_terminal()
}
