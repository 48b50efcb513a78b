//! Starts one server of each kind, prints where they are, and stays until it is killed.

use std::io::Write;

use anyhow::Result;
use testkit::{Nats, NatsOptions, Postgres, PostgresOptions, Redis, RedisOptions};

#[tokio::main]
async fn main() -> Result<()> {
    let (postgres, nats, redis) = tokio::try_join!(
        Postgres::start(PostgresOptions::default()),
        Nats::start(NatsOptions::default()),
        Redis::start(RedisOptions::default()),
    )?;
    println!("{} {} {}", postgres.port(), nats.port(), redis.port());
    std::io::stdout().flush()?;
    std::future::pending::<()>().await;
    Ok(())
}
