//! Starts one server of each kind and a cluster, freezes some, prints where they are, and stays until it is killed.

use std::io::Write;

use anyhow::Result;
use testkit::{Nats, NatsCluster, NatsClusterOptions, NatsOptions, Postgres, PostgresOptions, Redis, RedisOptions};

#[tokio::main]
async fn main() -> Result<()> {
    let (postgres, nats, redis, cluster) = tokio::try_join!(
        Postgres::start(PostgresOptions::default()),
        Nats::start(NatsOptions::default()),
        Redis::start(RedisOptions::default()),
        NatsCluster::start(NatsClusterOptions::default()),
    )?;
    let mut ports = vec![postgres.port(), nats.port(), redis.port()];
    for number in 0..NatsCluster::NODES {
        ports.push(cluster.node(number)?.port());
    }
    // What stands still has to go as well.
    postgres.pause().await?;
    cluster.node(1)?.pause().await?;
    println!("{}", ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" "));
    std::io::stdout().flush()?;
    std::future::pending::<()>().await;
    Ok(())
}
