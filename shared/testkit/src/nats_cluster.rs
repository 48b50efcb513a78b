//! Three NATS servers that are one, with every link between them in our hands.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::nats::{Nats, NatsOptions};
use crate::ports;
use crate::probe;
use crate::proxy::Proxy;

/// How long a cluster may take until all its nodes are up to date.
const HEALTHY_PATIENCE: Duration = Duration::from_secs(90);

/// Where nobody listens (the port of `discard`). Nodes tell each other their addresses and would find a way around the
/// proxies otherwise.
const NOWHERE: &str = "127.0.0.1:9";

/// How to start a cluster.
#[derive(Clone, Debug, Default)]
pub struct NatsClusterOptions {
    /// As of a single server; all nodes have the same.
    pub accounts: String,
    /// Each node has a folder of its own in it; temporary ones when none is given.
    pub folder: Option<PathBuf>,
    /// As of a single server.
    pub sync_interval: Option<String>,
    /// As of a single server; between the nodes as for clients.
    pub tls: Option<PathBuf>,
}

/// A cluster of three nodes with JetStream. Each is a server of its own that may be killed, frozen, wiped and started
/// again ([`NatsCluster::node`]); clients and nodes reach each node only through proxies, so that it can be cut off.
/// Dropping the cluster stops it in the background.
#[derive(Debug)]
pub struct NatsCluster {
    nodes: Vec<Node>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct Node {
    nats: Nats,
    /// Where clients come in.
    clients: Proxy,
}

/// The way from one node to another one.
#[derive(Debug)]
struct Link {
    from: usize,
    to: usize,
    proxy: Proxy,
}

/// What a node is told of its cluster.
pub(crate) struct Membership<'a> {
    clients: &'a Proxy,
    /// The ways to this node.
    incoming: Vec<&'a Proxy>,
    /// The ways to the others.
    outgoing: Vec<SocketAddr>,
}

impl Membership<'_> {
    /// How the nodes of a cluster hold together, wherever it runs.
    pub(crate) const ROUTES_CONFIG: &'static str = include_str!("../../../nats/routes.conf");

    /// The rest of the configuration of a node that listens on this port, to which the proxies lead from now on.
    pub(crate) fn config(&self, client_port: u16, tls: &str) -> Result<String> {
        let cluster_port = ports::free_port()?;
        self.clients.pass_on_to(client_port);
        for proxy in &self.incoming {
            proxy.pass_on_to(cluster_port);
        }
        let routes: Vec<String> = self.outgoing.iter().map(|address| format!("\"nats://{address}\"")).collect();
        Ok(format!(
            "client_advertise: \"{}\"\n\
             cluster {{\n\
             listen: \"127.0.0.1:{cluster_port}\"\n\
             advertise: \"{NOWHERE}\"\n\
             routes: [{}]\n\
             {tls}\
             include routes.conf\n\
             }}\n",
            self.clients.address(),
            routes.join(", ")
        ))
    }
}

impl NatsCluster {
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.nodes.iter().map(|node| node.nats.folder())
    }

    /// How many nodes there are; one of them may fail.
    pub const NODES: usize = 3;

    /// Starts all nodes and waits until they have found each other and JetStream has a leader.
    pub async fn start(options: NatsClusterOptions) -> Result<NatsCluster> {
        let pairs = (0..Self::NODES).flat_map(|from| (0..Self::NODES).map(move |to| (from, to)));
        let links: Vec<Link> = pairs
            .filter(|(from, to)| from != to)
            .map(|(from, to)| Ok(Link { from, to, proxy: Proxy::start()? }))
            .collect::<Result<_>>()?;
        let (first, second, third) = tokio::try_join!(
            start_node(0, &options, &links),
            start_node(1, &options, &links),
            start_node(2, &options, &links),
        )?;
        let cluster = NatsCluster { nodes: vec![first, second, third], links };
        cluster.until_healthy().await?;
        Ok(cluster)
    }

    /// One of the nodes, which are counted from zero.
    ///
    /// A node that starts again is waited for until it runs; `until_healthy` waits until it has caught up.
    pub fn node(&self, number: usize) -> Result<&Nats> {
        Ok(&self.node_with_proxy(number)?.nats)
    }

    /// The addresses of all nodes, separated by commas.
    pub fn url(&self) -> String {
        self.urls().join(",")
    }

    /// The address of each node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("nats://{}", node.clients.address())).collect()
    }

    /// Cuts a node off from the other nodes; its clients stay with it. Nobody is told: connections stand, and are dead.
    pub fn cut_routes(&self, number: usize) {
        for link in self.links_of(number) {
            link.proxy.cut();
        }
    }

    /// Cuts a node off from the other nodes and from all clients, as when its machine loses the network.
    pub fn isolate(&self, number: usize) -> Result<()> {
        self.cut_routes(number);
        self.node_with_proxy(number)?.clients.cut();
        Ok(())
    }

    /// Joins a node again with all that it was cut off from.
    pub fn heal(&self, number: usize) -> Result<()> {
        for link in self.links_of(number) {
            link.proxy.heal();
        }
        self.node_with_proxy(number)?.clients.heal();
        Ok(())
    }

    /// Waits until every node runs and has everything that the others have.
    pub async fn until_healthy(&self) -> Result<()> {
        let deadline = Instant::now() + HEALTHY_PATIENCE;
        for node in &self.nodes {
            loop {
                let asked = probe::http_get(node.nats.monitor_port(), "/healthz");
                let answer = timeout(Duration::from_secs(5), asked).await;
                let complaint = match answer {
                    Ok(Ok(answer)) if probe::is_good(&answer) => break,
                    Ok(Ok(answer)) => answer,
                    Ok(Err(error)) => format!("{error:#}"),
                    Err(_) => "it does not answer".to_owned(),
                };
                if Instant::now() > deadline {
                    bail!("{} is not healthy within {HEALTHY_PATIENCE:?}: {complaint}", node.nats.name());
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// The node that leads a stream, as it says itself. None: no node does right now, or there is no such stream.
    pub async fn leader_of(&self, stream: &str) -> Option<usize> {
        for (number, node) in self.nodes.iter().enumerate() {
            let streams = node.asked("/jsz?accounts=true&streams=true").await.unwrap_or_default();
            let accounts = streams.pointer("/account_details").and_then(Value::as_array);
            let details = accounts.into_iter().flatten().filter_map(|account| account.get("stream_detail")?.as_array());
            let leads = details.flatten().any(|detail| {
                detail.get("name").and_then(Value::as_str) == Some(stream)
                    && detail.pointer("/cluster/leader").and_then(Value::as_str) == Some(node.nats.name())
            });
            if leads {
                return Some(number);
            }
        }
        None
    }

    /// The node that leads JetStream itself: makes streams and consumers, and gives them their nodes.
    pub async fn meta_leader(&self) -> Option<usize> {
        for (number, node) in self.nodes.iter().enumerate() {
            let info = node.asked("/jsz").await.unwrap_or_default();
            if info.pointer("/meta_cluster/leader").and_then(Value::as_str) == Some(node.nats.name()) {
                return Some(number);
            }
        }
        None
    }

    /// Puts other accounts and permissions in force at every node, without a restart.
    pub async fn reload(&self, accounts: &str) -> Result<()> {
        for node in &self.nodes {
            node.nats.reload(accounts).await?;
        }
        Ok(())
    }

    /// Stops all nodes and waits until they are gone.
    pub async fn stop(&self) -> Result<()> {
        for node in &self.nodes {
            node.nats.stop().await?;
        }
        Ok(())
    }

    fn node_with_proxy(&self, number: usize) -> Result<&Node> {
        self.nodes.get(number).with_context(|| format!("there is no node {number}"))
    }

    fn links_of(&self, number: usize) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |link| link.from == number || link.to == number)
    }
}

impl Node {
    async fn asked(&self, path: &str) -> Result<Value> {
        let asked = probe::http_get(self.nats.monitor_port(), path);
        let answer = timeout(Duration::from_secs(5), asked).await??;
        let (_head, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
        Ok(serde_json::from_str(body)?)
    }
}

async fn start_node(number: usize, options: &NatsClusterOptions, links: &[Link]) -> Result<Node> {
    let clients = Proxy::start()?;
    let membership = Membership {
        clients: &clients,
        incoming: links.iter().filter(|link| link.to == number).map(|link| &link.proxy).collect(),
        outgoing: links.iter().filter(|link| link.from == number).map(|link| link.proxy.address()).collect(),
    };
    let options = NatsOptions {
        accounts: options.accounts.clone(),
        folder: options.folder.as_ref().map(|folder| folder.join(format!("node-{}", number + 1))),
        preferred_port: None,
        sync_interval: options.sync_interval.clone(),
        tls: options.tls.clone(),
    };
    let name = format!("petpro-{}-{}", number + 1, Uuid::new_v4().simple());
    let nats = Nats::start_as(options, name, Some(&membership)).await?;
    Ok(Node { nats, clients })
}
