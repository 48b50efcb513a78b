//! Answers in Redis, for all edges together.
//!
//! Redis counts what is heard: its clock stands still until an edge has heard an event, which it notes with a later time.
//! An answer is kept with the clock that was read before its service was asked, and is given only while nothing that it
//! is made of has been noted later. So no clock of any host decides what is old. All of it lies in one sorted set: where
//! Redis forgets that, every answer that it still has is too old to be given.
//!
//! Each edge relies on its own ears alone: what it has heard and Redis may not have noted yet, it does not take from
//! there. See [`Heard::were_told_before`].

#[cfg(test)]
mod tests;

use super::config::CacheConfig;
use super::entry::Entry;
use super::heard::Heard;
use super::local::Key;
use super::things::Thing;
use crate::limits::config::RedisConfig;
use crate::redis_link::{Prepare, RedisLink};
use bytes::Bytes;
use prometheus::IntGauge;
use redis::aio::MultiplexedConnection;
use redis::{Script, ScriptInvocation, Value};
use std::time::Duration;
use tokio::time::Instant;

/// The number changes with the form of what is kept.
const HEARD: &str = "cache:1:heard";
/// How many things are told at once.
const BATCH: usize = 500;
/// How many things are told one by one to a Redis that is new.
const MAX_TOLD_ANEW: usize = 5_000;
/// The pause before Redis is told again what it could not be told.
const PAUSE: Duration = Duration::from_secs(1);
/// How long Redis remembers what was heard, beyond the life of an answer: for answers that are under way.
const MARGIN: Duration = Duration::from_secs(60);

/// The answers in Redis. While they cannot be had, nobody waits for them.
pub struct SharedCache {
    link: RedisLink,
    read: Script,
    write: Script,
    hear: Script,
    memory: Duration,
}

/// What has to be shown to keep what was asked for after it was given.
#[derive(Debug, Clone)]
pub struct Ticket {
    clock: String,
    generation: u64,
}

/// What Redis said of a request.
#[derive(Debug)]
pub struct Found {
    /// For an answer that a service gives from now on.
    pub ticket: Ticket,
    /// The answer that is kept, and how long it still will be.
    pub kept: Option<(Bytes, Duration)>,
}

impl SharedCache {
    /// The answers in the Redis that is configured, if any. Does not connect.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(redis: &RedisConfig, config: &CacheConfig, is_shared: IntGauge) -> anyhow::Result<Option<SharedCache>> {
        let alone = "answers are kept in this process alone";
        let link = RedisLink::new(redis, config.redis_timeout(), is_shared, alone)?;
        Ok(link.map(|link| SharedCache {
            link,
            read: Script::new(include_str!("read.lua")),
            write: Script::new(include_str!("write.lua")),
            hear: Script::new(include_str!("hear.lua")),
            memory: config.longest() + MARGIN,
        }))
    }

    /// Looks for an answer. None: Redis is away or too slow.
    pub async fn read(&self, key: &Key) -> Option<Found> {
        let mut script = self.read.key(entry_key(key));
        let script: &ScriptInvocation<'_> = script.key(HEARD);
        let answered = self.link.invoke(script, None, read_answer).await?;
        let (clock, kept) = answered.answer;
        Some(Found { ticket: Ticket { clock, generation: answered.generation }, kept })
    }

    /// Keeps an answer for so long, unless it is old already. Whether it is kept.
    pub async fn write(&self, key: &Key, ticket: &Ticket, entry: &Entry, lifetime: Duration) -> bool {
        let version = entry.version.map(|version| version.to_string()).unwrap_or_default();
        let things: Vec<String> = entry.parts.iter().map(|part| part.thing.to_string()).collect();
        let mut script = self.write.key(entry_key(key));
        script.key(HEARD).arg(&ticket.clock).arg(version);
        script.arg(things.join(" ")).arg(entry.body.as_ref()).arg(milliseconds(lifetime).max(1));
        // Over the same connection: a Redis that was started anew counts anew.
        let answered = self.link.invoke(&script, Some(ticket.generation), |answer: i64| Some(answer == 1)).await;
        answered.is_some_and(|answered| answered.answer)
    }

    /// Keeps the connection, and tells Redis all that is heard, for as long as it is polled.
    pub async fn keep_told(&self, heard: &Heard) {
        let all = Telling { cache: self, heard };
        tokio::join!(self.link.keep_connected(&all), self.tell(heard));
    }

    async fn tell(&self, heard: &Heard) {
        loop {
            let things = heard.untold(BATCH);
            if things.is_empty() {
                heard.until_untold().await;
                continue;
            }
            let answered = self.link.invoke(&self.hearing(&things), None, |_: i64| Some(())).await;
            match answered {
                Some(_) => heard.told(&things),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn hearing(&self, things: &[(Thing, Instant)]) -> ScriptInvocation<'_> {
        let mut script = self.hear.key(HEARD);
        script.arg(milliseconds(self.memory));
        for (thing, _) in things {
            script.arg(thing.to_string());
        }
        script
    }
}

/// Tells a Redis of which nothing is known all that is remembered: it may have been away while that was heard, or may have
/// forgotten it.
struct Telling<'a> {
    cache: &'a SharedCache,
    heard: &'a Heard,
}

impl Prepare for Telling<'_> {
    async fn prepare(&self, connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
        let Telling { cache, heard } = self;
        for script in [&cache.read, &cache.write, &cache.hear] {
            script.load_async(connection).await?;
        }
        if heard.all().len() > MAX_TOLD_ANEW {
            heard.forget_one_by_one();
        }
        for things in heard.all().chunks(BATCH) {
            let _always_1: i64 = cache.hearing(things).invoke_async(connection).await?;
            heard.told(things);
        }
        tracing::info!("answers are kept in redis, for all edges together");
        Ok(())
    }
}

fn entry_key(key: &Key) -> String {
    format!("cache:1:{}:{}", key.subject, key.request)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The clock; then, where there is an answer, for how many milliseconds it is kept, and its body.
pub(crate) fn read_answer(answer: Vec<Value>) -> Option<(String, Option<(Bytes, Duration)>)> {
    let mut values = answer.into_iter();
    let Value::BulkString(clock) = values.next()? else { return None };
    let kept = match (values.next(), values.next()) {
        (Some(Value::Int(left)), Some(Value::BulkString(body))) => {
            // One whose time has just ended is answered with a negative number.
            u64::try_from(left).ok().map(|left| (Bytes::from(body), Duration::from_millis(left)))
        }
        (None, None) => None,
        _ => return None,
    };
    Some((String::from_utf8(clock).ok()?, kept))
}
