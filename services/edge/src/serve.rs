//! The edge as a service among the others: it answers no subject and calls every operation that has a route.

use crate::config::EdgeConfig;
use crate::health::MeshHealth;
use crate::identify::Identities;
use crate::router::{Edge, router};
use crate::routes;
use anyhow::Context as _;
use axum::serve::ListenerExt;
use identity::{Purpose, UserTokens};
use platform::{App, DeclaredCalls, Run, Service, Setup};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use subjects::catalogue;
use tokio::net::{TcpListener, TcpStream};

/// The edge's state.
pub struct EdgeApp {
    edge: Arc<Edge>,
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
    Service::new().background("http", serve)
}

/// Reads the configuration and takes the port, so that one that is taken is told before anything else starts.
///
/// # Errors
/// A bad setting, a missing key, or a port that is taken.
pub async fn app(setup: &Setup) -> anyhow::Result<EdgeApp> {
    let config: EdgeConfig = setup.settings.section("edge")?;
    let signing_key = setup.keys.signing_key(EdgeApp::NAME, Purpose::User)?;
    let verifier = setup.verifier.as_ref().clone();
    let identities = Identities::new(verifier, setup.revocations.clone(), UserTokens::new(signing_key));
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is something else there? Choose another address with PETPRO_EDGE__LISTEN",
            config.listen
        )
    })?;
    let edge = Edge {
        resources: routes::resources(catalogue::operations())?,
        identities,
        client: setup.client.clone(),
        mesh: MeshHealth::new(setup.nats.clone()),
        health: setup.health.clone(),
        config,
    };
    Ok(EdgeApp { edge: Arc::new(edge), address: listener.local_addr()?, listener: Mutex::new(Some(listener)) })
}

/// Answers HTTP until the service leaves. Then, in this order: not ready any more, no new connections, and every
/// request that is under way gets its answer.
async fn serve(run: Run<EdgeApp>) {
    let listener = run.app.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
    let edge = &run.app.edge;
    let (Some(listener), Ok(router)) = (listener, router(edge)) else {
        tracing::error!("the edge cannot serve: its routes overlap, or it was started twice");
        return;
    };
    tracing::info!(http.address = %run.app.address, "answering http");
    let leaving = {
        let (edge, shutdown) = (edge.clone(), run.shutdown.clone());
        async move {
            shutdown.cancelled().await;
            edge.health.set_ready(EdgeApp::NAME, false);
            tokio::time::sleep(edge.config.leave_after()).await;
        }
    };
    if let Err(error) = axum::serve(listener.tap_io(send_at_once), router).with_graceful_shutdown(leaving).await {
        tracing::error!(error = %error, "http ended");
    }
}

/// Answers are written whole: waiting for more to send would only delay them.
fn send_at_once(connection: &mut TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(error = %error, "a connection keeps its delay");
    }
}
