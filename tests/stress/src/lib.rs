//! The stress harness: the real platform as processes, with more to do than it can, or with a part of it slow, gone or
//! being replaced. It prints figures, and fails where something is answered as it must not be. `docs/resilience.md` tells
//! how to run it.
//!
//! - [`scene`] is what requests are about, [`shot`] a request and what came of it, [`open_loop`] sends them at a rate,
//! - [`cores`] keeps the platform and the load apart,
//! - [`scenario`] has one function for each question.

pub mod balancer;
pub mod command_line;
pub mod cores;
pub mod figures;
pub mod open_loop;
pub mod scenario;
pub mod scene;
pub mod shot;
