//! Many who watch stock while nothing happens to it.

use crate::clinics::API;
use crate::page::or_dash;
use crate::people;
use crate::process::{self, Part, Usage, Usages};
use anyhow::{Context as _, bail, ensure};
use futures::StreamExt as _;
use identity::keys::KeyStore;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use subjects::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

/// How many begin to watch at a time.
const AT_A_TIME: usize = 50;
/// How long one may take until it has been told everything that there is.
const PATIENCE: Duration = Duration::from_secs(30);
/// For how many rests they watch before the memory is looked at: longer than a lease in a usual run.
const RESTS: u32 = 8;
/// The event that ends the snapshot.
const READY: &[u8] = b"event: ready";

/// What it costs to be watched.
#[derive(Debug, Clone)]
pub struct Watching {
    /// How many watched.
    pub watchers: u32,
    /// Everything before the first of them.
    pub before: Usages,
    /// Everything while all of them watched.
    pub after: Usages,
}

/// Lets so many watch one product's stock, each for a user of its own, for eight times the `rest`.
///
/// # Errors
/// Somebody may not watch, or is not told that all was told.
pub async fn watched(
    watchers: u32,
    product: Uuid,
    edge: SocketAddr,
    process_id: u32,
    keys: &KeyStore,
    rest: Duration,
) -> anyhow::Result<Watching> {
    process::until_idle(process_id).await;
    let before = process::usages(Some(process_id));
    let mut beginning = Vec::new();
    for _ in 0..watchers {
        let token = people::access_token(keys, people::somebody(Role::PlatformAdmin))?;
        beginning.push(begin(edge, product, token));
    }
    let mut watching = JoinSet::new();
    let mut begun = futures::stream::iter(beginning).buffer_unordered(AT_A_TIME);
    while let Some(connection) = begun.next().await {
        watching.spawn(go_on(connection?));
    }
    tokio::time::sleep(rest * RESTS).await;
    ensure!(watching.try_join_next().is_none(), "a stream has ended");
    let after = process::usages(Some(process_id));
    Ok(Watching { watchers, before, after })
}

/// Connects, asks, and reads until all that there is was told.
async fn begin(edge: SocketAddr, product: Uuid, token: String) -> anyhow::Result<TcpStream> {
    let mut connection = TcpStream::connect(edge).await.with_context(|| format!("cannot connect to {edge}"))?;
    let request = format!(
        "GET {API}/inventory/watch?productId={product} HTTP/1.1\r\nHost: {edge}\r\nAuthorization: Bearer {token}\r\n\
         Accept: text/event-stream\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut told = Vec::new();
    let until_ready = async {
        loop {
            let mut chunk = [0; 2048];
            let length = connection.read(&mut chunk).await?;
            if length == 0 {
                bail!("the stream ended at once: {}", beginning_of(&told));
            }
            told.extend(chunk.iter().take(length));
            let is_refused = !told.starts_with(b"HTTP/1.1 200") && told.len() >= b"HTTP/1.1 200".len();
            if is_refused {
                bail!("GET /inventory/watch: {}", beginning_of(&told));
            }
            if told.windows(READY.len()).any(|window| window == READY) {
                return Ok(());
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, until_ready).await;
    waited.with_context(|| format!("no end of the snapshot within {PATIENCE:?}"))??;
    Ok(connection)
}

/// Takes whatever is told, until the stream ends.
async fn go_on(mut connection: TcpStream) {
    let mut chunk = [0; 256];
    while connection.read(&mut chunk).await.is_ok_and(|length| length > 0) {}
}

fn beginning_of(told: &[u8]) -> String {
    String::from_utf8_lossy(told).chars().take(300).collect()
}

impl fmt::Display for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Watching { watchers, before, after } = self;
        writeln!(
            f,
            "\n| Resident memory, MB | without watchers | {watchers} idle watchers | KB each |\n|---|--:|--:|--:|"
        )?;
        let mut added_by_all = 0.0;
        for part in Part::ALL.into_iter().filter(|part| *part != Part::Load) {
            let bytes = |usages: &Usages| usages.of(part).map(|Usage { resident_bytes, .. }| resident_bytes as f64);
            let (before, after) = (bytes(before), bytes(after));
            let added = before.zip(after).map(|(before, after)| after - before);
            // What a part gives back of the load of before was not saved by the watchers.
            added_by_all += added.unwrap_or_default().max(0.0);
            let megabytes = |bytes: Option<f64>| or_dash(bytes.map(|bytes| bytes / 1e6), 1);
            let each = or_dash(added.map(|added| added / 1e3 / f64::from(*watchers)), 1);
            writeln!(f, "| {} | {} | {} | {each} |", part.name(), megabytes(before), megabytes(after))?;
        }
        writeln!(
            f,
            "| what has grown, together | | + {:.1} | {:.1} |",
            added_by_all / 1e6,
            added_by_all / 1e3 / f64::from(*watchers)
        )
    }
}
