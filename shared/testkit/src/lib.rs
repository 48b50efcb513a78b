//! Real servers for tests and for local runs: NATS, Postgres and Redis as children of this process.
//!
//! Every server listens on 127.0.0.1 only, on a port of its own, and is gone when its owner is gone: after `stop`,
//! after a drop, and also after a panic, Ctrl-C or `kill -9` of the process that started it. A server without a given
//! folder keeps its data in a temporary one, which disappears with it.
//!
//! Nothing here is bound to a tokio runtime, so a server may live in a `static` that the tests of one binary share:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let postgres = testkit::Postgres::shared().await?;
//! postgres.template("booking", |admin_url| async move { /* migrate */ Ok(()) }).await?;
//! let database = postgres.clone_database("booking", &[]).await?;
//! let admin_url = postgres.admin_url(&database);
//! # Ok(())
//! # }
//! ```

mod account;
mod binaries;
mod cluster;
mod databases;
mod files;
mod folder;
mod guarded;
mod leaks;
#[cfg(feature = "mangled")]
pub mod mangled;
mod nats;
mod nats_cluster;
pub mod personal;
mod ports;
mod postgres;
mod probe;
mod process;
mod proxy;
mod redis;
mod server;

pub use binaries::python;
pub use leaks::{Leaks, MemoryLog, check_refusal};
pub use nats::{Nats, NatsOptions};
pub use nats_cluster::{NatsCluster, NatsClusterOptions};
pub use ports::free_port;
pub use postgres::{Durability, Postgres, PostgresOptions};
pub use process::Process;
pub use proxy::Proxy;
pub use redis::{Redis, RedisOptions};
