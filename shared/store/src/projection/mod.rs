//! Building read models from their owners' snapshots, and comparing them with these.
//!
//! A service lists its models once, in [`HasStore::read_models`](crate::HasStore::read_models). The list is gone through
//! a page at a time, while events are handled and requests are served:
//!
//! 1. The model's rows of the page are read, and only then the owner is asked. An event is told after its change is
//!    there; so whatever has a row here, and was not in the owner's answer, is gone at the owner, and no row here can be
//!    newer than what the owner has answered.
//! 2. What the owner tells is stored as its events would be, by version, so that an event which comes meanwhile is
//!    neither undone nor lost. A row that is not what its own version should have made of it is replaced.
//! 3. Rows of what is gone stay as tombstones.

mod build;
mod built;
mod models;
mod operators;
mod page;
mod rows;
mod snapshot;

pub(crate) use build::build_what_never_was;
pub use models::ReadModels;
pub use operators::{Comparison, compare, list, rebuild_page};
pub use snapshot::{snapshot_page, snapshot_rows};
