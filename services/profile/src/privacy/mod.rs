//! A person's right to their data: requests to have it told or erased, and the saga that asks every service.
//!
//! - `requests` answers who asks; a request is a row, so that it survives whatever happens to a process.
//! - `worker` takes what is due and asks the services step by step, noting each answer before the next question.
//! - `participants` are the services, the profile service itself among them: `own`.

mod own;
mod participants;
mod requests;
mod rows;
mod worker;

pub use requests::{erase, export, find_one, read_export};
pub use worker::run;
