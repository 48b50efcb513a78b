//! Kill -9: of a service, of whoever holds a relay, of NATS, Postgres and Redis.

use super::Stage;
use anyhow::Context as _;
use std::fmt;
use std::time::{Duration, Instant};

/// How long a server stays away, in milliseconds, at the most.
const MAX_AWAY_MS: u64 = 1_500;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A process of services, by its name.
    Process(&'static str),
    /// The process that holds the relay of this service.
    RelayOf(&'static str),
    /// nats-server.
    Nats,
    /// Postgres.
    Postgres,
    /// Redis.
    Redis,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Process(name) => write!(f, "{name}"),
            Target::RelayOf(service) => write!(f, "the holder of {service}'s relay"),
            Target::Nats => write!(f, "nats-server"),
            Target::Postgres => write!(f, "Postgres"),
            Target::Redis => write!(f, "Redis"),
        }
    }
}

/// Kills it, starts it again after a moment, and waits until all is normal.
///
/// # Errors
/// It does not come back.
pub async fn kill(stage: &Stage, target: Target) -> anyhow::Result<()> {
    let away = Duration::from_millis(stage.draw(MAX_AWAY_MS).await);
    let world = &stage.world;
    let mut name = target.to_string();
    let fault = Instant::now();
    match target {
        Target::Process(process) => kill_process(stage, process, away).await?,
        Target::RelayOf(service) => match world.relay_holder(service).await? {
            Some(process) => {
                name = format!("{name} ({process})");
                kill_process(stage, process, away).await?;
            }
            None => stage.report.say(format_args!("nobody relays for {service} right now")),
        },
        Target::Nats => {
            let nats = world.stack.nats.as_ref().context("NATS runs elsewhere")?;
            nats.kill().await?;
            tokio::time::sleep(away).await;
            nats.restart().await?;
        }
        Target::Postgres => {
            let postgres = world.stack.postgres.as_ref().context("Postgres runs elsewhere")?;
            postgres.kill().await?;
            tokio::time::sleep(away).await;
            postgres.restart().await?;
        }
        Target::Redis => {
            let redis = world.stack.redis.as_ref().context("Redis runs elsewhere")?;
            redis.kill().await?;
            tokio::time::sleep(away).await;
            redis.restart().await?;
        }
    }
    stage.until_normal(&format!("kill -9 of {name}, away for {} ms", away.as_millis()), fault).await;
    Ok(())
}

async fn kill_process(stage: &Stage, name: &str, away: Duration) -> anyhow::Result<()> {
    stage.world.processes.kill(name).await?;
    tokio::time::sleep(away).await;
    stage.world.processes.start(name).await
}
