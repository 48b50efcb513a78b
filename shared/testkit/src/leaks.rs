//! Looks for personal data where there must be none: in logs, in events, in dead letters and in the outboxes.

use crate::{Nats, NatsCluster, Postgres, personal};
use aho_corasick::{AhoCorasick, Match};
use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What is shown of a line on each side of what was found.
const SHOWN_BYTES: usize = 200;
/// How many places are shown.
const SHOWN_PLACES: usize = 20;

/// A log that is kept in memory.
pub type MemoryLog = Arc<Mutex<Vec<u8>>>;

/// What a world of a test writes. When it is dropped all of that is searched for personal data that was made with
/// [`crate::personal`], and where some is found the test fails.
///
/// It has to go first, while the servers are there: it is the first field of a world.
#[derive(Debug, Default)]
pub struct Leaks {
    /// Files, each with where this world's part of it begins.
    files: Vec<(PathBuf, usize)>,
    folders: Vec<PathBuf>,
    memory: Vec<(&'static str, MemoryLog, usize)>,
    /// Addresses for the superuser.
    databases: Vec<String>,
}

impl Leaks {
    /// Nothing so far.
    pub fn new() -> Leaks {
        Leaks::default()
    }

    /// The log of a nats-server and all that its streams hold.
    pub fn nats(&mut self, nats: &Nats) {
        self.folders.push(nats.folder().to_owned());
    }

    /// Likewise of every node of a cluster.
    pub fn nats_cluster(&mut self, cluster: &NatsCluster) {
        self.folders.extend(cluster.folders().map(Path::to_owned));
    }

    /// The log of a Postgres from now on, and outboxes and dead letters of one of its databases.
    pub fn postgres(&mut self, postgres: &Postgres, database: &str) {
        let log = postgres.log_path();
        let length = std::fs::metadata(&log).map_or(0, |file| file.len());
        self.files.push((log, usize::try_from(length).unwrap_or(0)));
        self.databases.push(postgres.admin_url(database));
    }

    /// Outboxes and dead letters of a database, by its address for the superuser.
    pub fn database(&mut self, admin_url: &str) {
        self.databases.push(admin_url.to_owned());
    }

    /// Every log and every stream in a folder and those below it.
    pub fn folder(&mut self, folder: &Path) {
        self.folders.push(folder.to_owned());
    }

    /// What is written to this log from now on.
    pub fn memory(&mut self, name: &'static str, log: &MemoryLog) {
        let length = log.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.memory.push((name, log.clone(), length));
    }

    /// Looks everywhere.
    ///
    /// # Errors
    /// Something was found, or a place cannot be looked at.
    pub fn finish(mut self) -> Result<()> {
        self.look()
    }

    fn look(&mut self) -> Result<()> {
        let mut search = Search::new()?;
        for folder in std::mem::take(&mut self.folders) {
            collect(&folder, &mut self.files)?;
        }
        for (path, start) in self.files.drain(..) {
            // What a server removes meanwhile is not there any more.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            search.lines(&path.display().to_string(), bytes.get(start..).unwrap_or_default());
        }
        for (name, log, start) in self.memory.drain(..) {
            let bytes = log.lock().unwrap_or_else(PoisonError::into_inner).get(start..).unwrap_or_default().to_vec();
            search.lines(name, &bytes);
        }
        let databases = std::mem::take(&mut self.databases);
        if !databases.is_empty() {
            let rows = on_a_thread(databases)?;
            rows.iter().for_each(|(table, row)| search.text(table, row));
        }
        search.conclude()
    }
}

impl Drop for Leaks {
    fn drop(&mut self) {
        // A test that has failed already has something else to tell.
        if std::thread::panicking() {
            return;
        }
        if let Err(error) = self.look() {
            #[expect(clippy::panic, reason = "the test has to fail, and it is over")]
            {
                panic!("{error:#}");
            }
        }
    }
}

/// Looks whether an answer to somebody has personal data in it, which a refusal must not have.
///
/// # Panics
/// It has.
#[expect(clippy::panic, reason = "the test has to fail")]
pub fn check_refusal(of: &str, text: &str) {
    let looked = Search::new().and_then(|mut search| {
        search.text(&format!("the refusal of {of}"), text);
        search.conclude()
    });
    if let Err(error) = looked {
        panic!("{error:#}");
    }
}

/// What is looked for, as it was when it was last built: texts are only ever added.
static BUILT: Mutex<Option<AhoCorasick>> = Mutex::new(None);

/// What is looked for, and where it was found.
struct Search {
    sought: AhoCorasick,
    found: Vec<String>,
    count: usize,
}

impl Search {
    fn new() -> Result<Search> {
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = personal::sought();
        let sought = match built.take() {
            Some(sought) if sought.patterns_len() == texts.len() => sought,
            _ => AhoCorasick::builder().ascii_case_insensitive(true).build(texts)?,
        };
        *built = Some(sought.clone());
        Ok(Search { sought, found: Vec::new(), count: 0 })
    }

    fn lines(&mut self, place: &str, bytes: &[u8]) {
        let mut line_start = 0;
        let mut line_number = 1;
        let mut last_line = 0;
        let sought = self.sought.clone();
        for found in sought.find_iter(bytes) {
            let before = bytes.get(line_start..found.start()).unwrap_or_default();
            line_number += before.iter().filter(|byte| **byte == b'\n').count();
            line_start = found.start();
            // One place a line is enough.
            if line_number != last_line {
                last_line = line_number;
                self.note(&format!("{place}:{line_number}"), bytes, &found);
            }
        }
    }

    fn text(&mut self, place: &str, text: &str) {
        if let Some(found) = self.sought.find(text) {
            self.note(place, text.as_bytes(), &found);
        }
    }

    /// With what stands around it, but without the data itself.
    fn note(&mut self, place: &str, bytes: &[u8], found: &Match) {
        self.count += 1;
        if self.found.len() == SHOWN_PLACES {
            return;
        }
        let begins = |byte: &u8| byte.is_ascii_whitespace() || b"\"'=:,<>()\\".contains(byte);
        // Texts have more than one word.
        let ends = |byte: &u8| b"\"'\\\n".contains(byte);
        let before = bytes.get(..found.start()).unwrap_or_default();
        let after = bytes.get(found.end()..).unwrap_or_default();
        let word_start = before.iter().rposition(begins).map_or(0, |place| place + 1);
        let word_end = after.iter().position(ends).unwrap_or(after.len());
        let before = before.get(..word_start).unwrap_or_default();
        let after = after.get(word_end..).unwrap_or_default();
        let line = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let before = line(before.get(before.len().saturating_sub(SHOWN_BYTES)..).unwrap_or_default());
        let after = line(after.get(..SHOWN_BYTES.min(after.len())).unwrap_or_default());
        let before = before.rsplit('\n').next().unwrap_or_default();
        let after = after.split('\n').next().unwrap_or_default();
        // What stands beside it may be more of the same.
        let masked = format!("{place}: {before}▒▒▒{after}");
        self.found.push(self.sought.replace_all(&masked, &vec!["▒"; self.sought.patterns_len()]));
    }

    fn conclude(self) -> Result<()> {
        let places = self.found.join("\n");
        ensure!(self.count == 0, "personal data stands at {} places where none may be:\n{places}", self.count);
        Ok(())
    }
}

/// Every log, and every block of a stream, in a folder and those below it.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, usize)>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot look into {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        // A server that another account runs has its folder elsewhere, and a note of where.
        if path.file_name().is_some_and(|name| name == "moved-to") {
            collect(Path::new(std::fs::read_to_string(&path)?.trim()), files)?;
        }
        if path.is_dir() {
            // The tables of Postgres are asked for instead.
            if !path.join("PG_VERSION").exists() {
                // A folder that is removed meanwhile holds nothing any more.
                collect(&path, files).or_else(|error| if path.exists() { Err(error) } else { Ok(()) })?;
            }
        } else if path.extension().is_some_and(|extension| extension == "log" || extension == "blk") {
            files.push((path, 0));
        }
    }
    Ok(())
}

/// A drop cannot wait for anything but a thread.
fn on_a_thread(databases: Vec<String>) -> Result<Vec<(String, String)>> {
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut rows = Vec::new();
            for database in databases {
                rows.extend(rows_of(&database).await.context("cannot look into the outboxes")?);
            }
            Ok(rows)
        })
    });
    match asking.join() {
        Ok(rows) => rows,
        Err(_panic) => bail!("the search in the database has panicked"),
    }
}

/// All rows of outboxes and of dead letters, each with its table.
async fn rows_of(admin_url: &str) -> Result<Vec<(String, String)>> {
    let mut connection = PgConnection::connect(admin_url).await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables \
         where table_name in ('outbox', 'dead_letters')",
    )
    .fetch_all(&mut connection)
    .await?;
    let mut rows = Vec::new();
    for table in tables {
        let query = AssertSqlSafe(format!("select told::text from {table} as told"));
        let of_table: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
        rows.extend(of_table.into_iter().map(|row| (table.clone(), row)));
    }
    connection.close().await?;
    Ok(rows)
}
