//! Where somebody's words are still to be found: in every table, stream, log, and in Redis.

use crate::world::World;
use sqlx::{AssertSqlSafe, PgConnection};
use std::path::Path;

/// The places at which a word was found, each with what stands there.
#[derive(Debug)]
pub struct Traces {
    pub places: Vec<String>,
}

/// Words, with the forms in which columns of bytes show them.
struct Sought(Vec<String>);

impl Sought {
    fn new(words: &[String]) -> Sought {
        let hex = |word: &String| word.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        Sought(words.iter().cloned().chain(words.iter().map(hex)).collect())
    }

    fn stands_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().any(|word| text.contains(word))
    }
}

impl Traces {
    /// Looks everywhere.
    pub async fn find(world: &World, words: &[String]) -> Traces {
        let sought = Sought::new(words);
        let mut places = Vec::new();
        look_into_tables(world, &sought, &mut places).await;
        look_into_streams(world, &sought, &mut places).await;
        look_into_redis(world, &sought, &mut places).await;
        look_into_logs(world.folder.path(), &sought, &mut places);
        Traces { places }
    }

    pub fn assert_none(&self) {
        assert!(self.places.is_empty(), "found at {}:\n{}", self.places.len(), self.places.join("\n"));
    }

    /// Streams, Redis and logs never hold a word of anybody.
    pub fn assert_only_in_tables(&self) {
        let outside = |place: &&String| ["stream ", "redis ", "log "].iter().any(|kind| place.starts_with(kind));
        let found: Vec<&String> = self.places.iter().filter(outside).collect();
        assert!(found.is_empty(), "{found:#?}");
        assert!(!self.places.iter().any(|place| place.contains(".outbox")), "{self:#?}");
    }
}

async fn look_into_tables(world: &World, sought: &Sought, places: &mut Vec<String>) {
    let mut database: PgConnection = world.database().await;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select table_schema::text, table_name::text from information_schema.tables \
         where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    assert!(tables.len() > 30, "{tables:?}");
    for (schema, table) in tables {
        let rows = format!("select t::text from \"{schema}\".\"{table}\" as t");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut database).await.unwrap();
        places.extend(rows.iter().filter(|row| sought.stands_in(row)).map(|row| format!("{schema}.{table}: {row}")));
    }
}

async fn look_into_streams(world: &World, sought: &Sought, places: &mut Vec<String>) {
    let jetstream = async_nats::jetstream::new(world.operator().await);
    let mut seen = 0;
    for service in subjects::catalogue::SERVICES {
        let name = subjects::event::stream_name(service);
        let Ok(stream) = jetstream.get_stream(&name).await else { continue };
        let state = stream.cached_info().state.clone();
        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            seen += 1;
            let text =
                format!("{} {:?} {}", message.subject, message.headers, String::from_utf8_lossy(&message.payload));
            if sought.stands_in(&text) {
                places.push(format!("stream {name}: {text}"));
            }
        }
    }
    assert!(seen > 10, "only {seen} events were there to be looked at");
}

/// Every key with all that it holds, of whatever type.
const DUMP: &str = "
local found = {}
for _, key in ipairs(redis.call('keys', '*')) do
    local kind = redis.call('type', key).ok
    local value
    if kind == 'string' then value = { redis.call('get', key) }
    elseif kind == 'hash' then value = redis.call('hgetall', key)
    elseif kind == 'set' then value = redis.call('smembers', key)
    elseif kind == 'zset' then value = redis.call('zrange', key, 0, -1)
    elseif kind == 'list' then value = redis.call('lrange', key, 0, -1)
    else value = { 'a value of another type: ' .. kind } end
    table.insert(found, key .. ' = ' .. table.concat(value, ' '))
end
return found";

async fn look_into_redis(world: &World, sought: &Sought, places: &mut Vec<String>) {
    let Some(redis) = &world.stack.redis else { panic!("the platform has no Redis") };
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let entries: Vec<Vec<u8>> = redis::cmd("EVAL").arg(DUMP).arg(0).query_async(&mut connection).await.unwrap();
    let entries = entries.iter().map(|entry| String::from_utf8_lossy(entry).into_owned());
    places.extend(entries.filter(|entry| sought.stands_in(entry)).map(|entry| format!("redis {entry}")));
}

/// The logs of our processes and of the servers: every file of that name in the platform's folder.
fn look_into_logs(folder: &Path, sought: &Sought, places: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A server that another account runs has its folder elsewhere, and a note of where.
        if path.file_name().is_some_and(|name| name == "moved-to") {
            look_into_logs(Path::new(std::fs::read_to_string(&path).unwrap().trim()), sought, places);
        }
        if path.is_dir() {
            // Of those who keep data beside their log only the log is meant.
            let is_data = path.join("PG_VERSION").exists();
            if !is_data {
                look_into_logs(&path, sought, places);
            }
        } else if path.extension().is_some_and(|extension| extension == "log") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            let lines = text.lines().filter(|line| sought.stands_in(line));
            places.extend(lines.map(|line| format!("log {}: {line}", path.display())));
        }
    }
}
