//! Request-streams: one question, many answers over time.
//!
//! A watcher gets its answers in *leases*: for at most 30 s and for so many answers as it has given credit for, one
//! replica tells it what there is and what changes. Then it asks again, from the place where it is, and any replica may
//! go on. So a watcher that does not listen stops its own stream, a replica that dies or leaves costs a moment, and
//! nothing has to be handed over between replicas.
//!
//! - [`Watch`] is what a handler answers: how to read what there is, and whether a change is the watcher's business.
//! - `feed` is what each replica knows of the changes: the end of its service's own event stream, in memory.
//! - `lease` tells it to one watcher; `leases` says how many there may be, and ends them when the replica leaves.
//! - [`Watching`] is the other side: it takes one lease after the other and tells everything once.

mod ask;
mod asking;
mod endpoint;
mod feed;
mod lease;
mod leases;
mod metrics;
mod outlet;
mod ring;
mod watch;
mod watching;
pub(crate) mod wire;

pub use leases::StreamsConfig;
pub use watch::Watch;
pub use watching::{Heard, WatchCall, Watching};
pub use wire::{ITEM, Kind, PLACE, StreamPlace};

pub(crate) use ask::LeaseAsk;
pub(crate) use endpoint::endpoint;
pub(crate) use feed::Feed;
pub(crate) use leases::Leases;
pub(crate) use metrics::StreamMetrics;
pub(crate) use wire::{LeaseHeaders, lease_inboxes};
