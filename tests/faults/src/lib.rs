//! The fault harness: the real platform as processes, under a steady load, while things break; and afterwards the
//! question whether anything was lost, doubled, or left hanging. `docs/faults.md` tells how to run it.
//!
//! - [`world`] starts servers and processes, [`load`] asks of them and keeps what was acknowledged,
//! - [`scenario`] breaks things, [`check`] looks at the database from outside when all is quiet again,
//! - [`ledger`] is a service of the harness that writes down every effect of every event.

pub mod check;
pub mod command_line;
pub mod ledger;
pub mod load;
pub mod plan;
pub mod report;
pub mod run;
pub mod scenario;
pub mod seeded;
pub mod three_nodes;
pub mod world;
