//! The edge as a service among the others: it answers no subject and calls every operation that has a route.

use crate::cache::{self, Cache};
use crate::config::EdgeConfig;
use crate::connections;
use crate::health::MeshHealth;
use crate::identify::Identities;
use crate::limits::Limits;
use crate::limits::config::RedisConfig;
use crate::metrics::EdgeMetrics;
use crate::router::{Edge, router};
use crate::routes;
use crate::shedding::Shedding;
use crate::sse::Streams;
use anyhow::Context as _;
use identity::{Purpose, UserTokens};
use platform::{App, DeclaredCalls, Run, Service, Setup};
use prometheus::IntGauge;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use subjects::catalogue;
use tokio::net::TcpListener;

/// The edge's state.
pub struct EdgeApp {
    edge: Arc<Edge>,
    open_connections: IntGauge,
    address: SocketAddr,
    listener: Mutex<Option<TcpListener>>,
}

impl App for EdgeApp {
    const NAME: &'static str = identity::keys::EDGE;
}

impl DeclaredCalls for EdgeApp {
    fn declared_calls() -> Vec<&'static str> {
        let routed = catalogue::operations().filter(|operation| !operation.rest.is_empty());
        routed.map(|operation| operation.subject).collect()
    }
}

impl EdgeApp {
    /// Where HTTP is answered; the port is the real one where port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What the edge does.
pub fn service() -> Service<EdgeApp> {
    let service = Service::new()
        .background("http", serve)
        .background("limits", keep_limits_shared)
        .background("cache", keep_cache_right);
    cache::followed().into_iter().fold(service, |service, (source, entity)| service.follows(source, entity))
}

/// Reads the configuration and takes the port, so that one that is taken is told before anything else starts.
///
/// # Errors
/// A bad setting, a missing key, metrics that another edge of this process has, or a port that is taken.
pub async fn app(setup: &Setup) -> anyhow::Result<EdgeApp> {
    let config: EdgeConfig = setup.settings.section("edge")?;
    let redis: RedisConfig = setup.settings.section("redis")?;
    let metrics = EdgeMetrics::register(&setup.registry)?;
    let limits = Limits::new(&config, &redis, &metrics)?;
    let cache = Cache::new(&config.cache, &redis, setup.client.clone(), config.request_timeout(), &setup.registry)?;
    let user_tokens = UserTokens::new(setup.keys.signer(EdgeApp::NAME, Purpose::User)?);
    let verifier = setup.verifier.as_ref().clone();
    let identities = Identities::new(verifier, setup.revocations.clone(), user_tokens);
    let identities = Arc::new(identities);
    let streams = Streams::new(&config.streams, setup.client.clone(), identities.clone(), &setup.registry)?;
    let shedding = Shedding::new(&config.shedding, &setup.registry)?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is something else there? Choose another address with PETPRO_EDGE__LISTEN",
            config.listen
        )
    })?;
    limits.connect().await;
    let edge = Edge {
        resources: routes::resources(catalogue::operations())?,
        identities,
        limits,
        cache,
        streams,
        shedding,
        client: setup.client.clone(),
        mesh: MeshHealth::new(setup.nats.clone()),
        health: setup.health.clone(),
        config,
    };
    Ok(EdgeApp {
        edge: Arc::new(edge),
        open_connections: metrics.connections,
        address: listener.local_addr()?,
        listener: Mutex::new(Some(listener)),
    })
}

/// Answers HTTP until the service leaves. Then, in this order: not ready any more, each answer the last over its
/// connection, no new connections, and every request that is under way gets its answer, unless it takes far too long.
async fn serve(run: Run<EdgeApp>) {
    let listener = run.app.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
    let edge = &run.app.edge;
    let (Some(listener), Ok(router)) = (listener, router(edge)) else {
        tracing::error!("the edge cannot serve: its routes overlap, or it was started twice");
        return;
    };
    tracing::info!(http.address = %run.app.address, "answering http");
    let door_closes = {
        let (edge, shutdown) = (edge.clone(), run.shutdown.clone());
        async move {
            shutdown.cancelled().await;
            edge.health.set_ready(EdgeApp::NAME, false);
            tokio::time::sleep(edge.config.leave_after()).await;
            edge.streams.leave();
        }
    };
    let config = edge.config.connections.clone();
    connections::serve(listener, router, config, run.app.open_connections.clone(), run.shutdown.clone(), door_closes)
        .await;
}

/// Counts requests together with the other instances whenever that is possible.
async fn keep_limits_shared(run: Run<EdgeApp>) {
    run.shutdown.run_until_cancelled(run.app.edge.limits.keep_shared()).await;
}

/// Listens to what makes kept answers old.
async fn keep_cache_right(run: Run<EdgeApp>) {
    run.app.edge.cache.run(&run).await;
}
