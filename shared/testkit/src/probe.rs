//! Whether a server answers, asked in its own protocol, and whether the one that answers is ours.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How to ask a server.
#[derive(Clone, Debug)]
pub(crate) enum Probe {
    /// Logs in; the generated password tells our server from any other.
    Postgres { url: String },
    /// Asks the monitoring port who it is and how it is: the client port says nothing before a connection is encrypted.
    Nats { monitor_port: u16, server_name: String, health_path: &'static str },
    /// Asks for the process id and compares.
    Redis { port: u16 },
}

impl Probe {
    /// Fails while the server cannot be used yet.
    pub(crate) async fn check(&self, process_id: u32) -> Result<()> {
        match self {
            Probe::Postgres { url } => {
                let connection = PgConnection::connect(url).await?;
                connection.close().await?;
                Ok(())
            }
            Probe::Nats { monitor_port, server_name, health_path } => {
                let told = http_get(*monitor_port, "/varz").await?;
                let is_ours = told.contains(&format!("\"{server_name}\""));
                ensure!(is_ours, "another NATS server answers on port {monitor_port}");
                let health = http_get(*monitor_port, health_path).await?;
                ensure!(is_good(&health), "NATS is not healthy yet: {health}");
                Ok(())
            }
            Probe::Redis { port } => {
                let info = exchange(*port, "INFO server\r\n", "tcp_port").await?;
                let ours = format!("process_id:{process_id}\r\n");
                ensure!(info.contains(&ours), "another Redis server answers on port {port}, or it is loading");
                Ok(())
            }
        }
    }
}

/// The whole answer of a monitoring port, with its head.
pub(crate) async fn http_get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether it has the status 200.
pub(crate) fn is_good(http_answer: &str) -> bool {
    http_answer.lines().next().is_some_and(|status| status.contains(" 200 "))
}

/// Sends a line and reads the answer until it contains `end`.
async fn exchange(port: u16, request: &str, end: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 1024];
        let length = stream.read(&mut part).await?;
        ensure!(length > 0, "the connection was closed in the middle of an answer");
        answer.extend_from_slice(part.get(..length).context("a read longer than its buffer")?);
        let text = String::from_utf8_lossy(&answer);
        if text.contains(end) {
            return Ok(text.into_owned());
        }
    }
}
