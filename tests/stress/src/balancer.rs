//! A small TCP balancer before several edges: it asks each whether it is ready, gives new connections to those that are, in
//! turn, and leaves open ones alone.

use anyhow::Context as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How often each edge is asked.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// A balancer that runs until it is dropped.
pub struct Balancer {
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

struct Edge {
    address: String,
    health: String,
    is_ready: AtomicBool,
}

impl Balancer {
    /// Before these: the address of each and where it tells whether it is ready.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(edges: Vec<(String, String)>) -> anyhow::Result<Balancer> {
        let edge = |(address, admin): (String, String)| Edge {
            address: address.trim_start_matches("http://").to_owned(),
            health: format!("{admin}/health/ready"),
            is_ready: AtomicBool::new(true),
        };
        let edges: Arc<Vec<Edge>> = Arc::new(edges.into_iter().map(edge).collect());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let http = reqwest::Client::builder().timeout(CHECK_EVERY * 5).build().context("no client")?;
        let tasks = vec![tokio::spawn(check(edges.clone(), http)), tokio::spawn(accept(listener, edges))];
        Ok(Balancer { address, tasks })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn check(edges: Arc<Vec<Edge>>, http: reqwest::Client) {
    loop {
        for edge in edges.iter() {
            let answer = http.get(&edge.health).send().await;
            edge.is_ready.store(answer.is_ok_and(|answer| answer.status().is_success()), Ordering::Relaxed);
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

async fn accept(listener: TcpListener, edges: Arc<Vec<Edge>>) {
    let turn = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let (edges, turn) = (edges.clone(), turn.clone());
        tokio::spawn(async move { pass(client, &edges, &turn).await });
    }
}

async fn pass(mut client: TcpStream, edges: &[Edge], turn: &AtomicUsize) {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    let in_turn = || (0..edges.len()).filter_map(|next| edges.get((first + next) % edges.len()));
    let ready = in_turn().filter(|edge| edge.is_ready.load(Ordering::Relaxed));
    // One that was ready a moment ago may not listen any more.
    for edge in ready.chain(in_turn()) {
        if let Ok(mut server) = TcpStream::connect(&edge.address).await {
            let _nodelay = (client.set_nodelay(true), server.set_nodelay(true));
            let _how_it_ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
