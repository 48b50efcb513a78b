//! Bare axum: what HTTP costs when nothing is done behind it.

use crate::options::BareAxum;
use anyhow::Context as _;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::Process;
use tokio::net::{TcpListener, TcpStream};

/// The only path of the bare server.
pub const PATH: &str = "/fixed";
/// How long the bare server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the file until the process is killed; a process of its own, as the platform is one.
///
/// # Errors
/// The file cannot be read, or the port is taken.
pub async fn serve(options: &BareAxum) -> anyhow::Result<()> {
    let body = Bytes::from(std::fs::read(&options.body).context("cannot read the body")?);
    let answer = move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], body.clone()));
    let router = Router::new().route(PATH, get(answer));
    let listener = TcpListener::bind(options.listen).await?;
    // As the edge does, so that both send an answer at once.
    let listener = listener.tap_io(|connection: &mut TcpStream| {
        let _best_effort = connection.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

/// Starts this program as the bare server, with that body.
///
/// # Errors
/// It does not listen.
pub async fn start(folder: &Path, body: &[u8]) -> anyhow::Result<(Process, SocketAddr)> {
    let file = folder.join("bare-axum.json");
    std::fs::write(&file, body)?;
    let address = SocketAddr::from(([127, 0, 0, 1], testkit::free_port()?));
    let (listen, file) = (address.to_string(), file.display().to_string());
    let arguments = ["bare-axum", "--listen", &listen, "--body", &file];
    let variables = std::collections::BTreeMap::new();
    let log = folder.join("bare-axum.log");
    let process = Process::spawn(&std::env::current_exe()?, &arguments, &variables, &log)?;
    let started = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        anyhow::ensure!(started.elapsed() < START_TIMEOUT, "bare axum does not listen on {address}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((process, address))
}
