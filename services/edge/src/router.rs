//! The way of a request through the edge.

use crate::config::EdgeConfig;
use crate::context::Context;
use crate::forward::{self, Conditions};
use crate::guard::guard;
use crate::health::MeshHealth;
use crate::identify::Identities;
use crate::routes::{Found, Mount, Resource};
use crate::{body, conditions, docs, extract, problem, query, respond};
use axum::extract::{RawPathParams, Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Json, RequestExt, Router};
use http::{HeaderValue, Method, StatusCode, header};
use platform::Client;
use platform::health::Health;
use serde_json::json;
use std::sync::Arc;
use subjects::{ErrorCode, Fault};

/// All that answering needs.
pub struct Edge {
    /// The section `edge`.
    pub config: EdgeConfig,
    /// What the contract leads to.
    pub resources: Vec<Arc<Resource>>,
    /// Who asks.
    pub identities: Identities,
    /// Calls to services.
    pub client: Client,
    /// The state of the services.
    pub mesh: MeshHealth,
    /// Whether this process takes requests.
    pub health: Health,
}

/// The whole HTTP face.
///
/// # Errors
/// Two resources for one path.
pub fn router(edge: &Arc<Edge>) -> anyhow::Result<Router> {
    let mut router = Router::new()
        .route("/health", get(mesh_health))
        .route("/health/live", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/health/ready", get(ready))
        .with_state(edge.clone())
        .merge(docs::router());
    let mut taken = std::collections::BTreeSet::new();
    for resource in &edge.resources {
        for mount in resource.mounts() {
            anyhow::ensure!(taken.insert(mount.template.clone()), "two resources at {}", mount.template);
            let (edge, resource, mount) = (edge.clone(), resource.clone(), Arc::new(mount));
            let template = mount.template.clone();
            let answer = move |Extension(context): Extension<Arc<Context>>, request: Request| {
                let (edge, resource, mount) = (edge.clone(), resource.clone(), mount.clone());
                async move { answer_or_refuse(&edge, &resource, &mount, &context, request).await }
            };
            router = router.route(&template, any(answer));
        }
    }
    // From the outside in: context, log and the last resort; then, as they come, compression, CORS, rate limits.
    let router = router
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(edge.config.request_timeout(), guard));
    Ok(router)
}

async fn answer_or_refuse(
    edge: &Edge,
    resource: &Resource,
    mount: &Mount,
    context: &Context,
    request: Request,
) -> Response {
    context.took_route(&mount.template);
    if request.method() == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, resource.allow())]).into_response();
    }
    let has_token = request.headers().contains_key(header::AUTHORIZATION);
    let route = match resource.find(request.method(), has_token) {
        Found::Route(route) => route,
        Found::NotAllowed(allow) => {
            let mut refused = problem::from_plain(StatusCode::METHOD_NOT_ALLOWED, context);
            if let Ok(allow) = HeaderValue::from_str(&allow) {
                refused.headers_mut().insert(header::ALLOW, allow);
            }
            return refused;
        }
    };
    match answer(edge, &route, mount, context, request).await {
        Ok(response) => response,
        Err(fault) => problem::response(&fault, context),
    }
}

/// Who asks, whether they may, what they ask for, and what the service says to it.
async fn answer(
    edge: &Edge,
    route: &crate::routes::Route,
    mount: &Mount,
    context: &Context,
    mut request: Request,
) -> Result<Response, Fault> {
    let identified = edge.identities.identify(request.headers())?;
    if let Some(user) = &identified.caller.user {
        context.is_for(user.id);
    }
    identity::check_access(route.operation.access, &identified.caller)?;

    let path = path_fields(&mut request).await?;
    let (parts, body) = request.into_parts();
    let conditions = Conditions {
        idempotency_key: conditions::idempotency_key(&parts.headers, route.operation.effect)?,
        expected_version: conditions::expected_version(&parts.headers)?,
    };
    let query = query::parse(parts.uri.query().unwrap_or_default())?;
    let body = body::read(&parts.headers, body, edge.config.body_limit_bytes).await?;
    let fields = body::parse(&parts.headers, &body)?;
    let request = extract::request(route, &path, query, fields)?;

    let answer = forward::call(&edge.client, &route.operation, &request, identified, conditions, context).await?;
    Ok(respond::response(route, mount, &parts.uri, answer.body, answer.replayed))
}

/// The fields in the path, decoded.
async fn path_fields(request: &mut Request) -> Result<Vec<(String, String)>, Fault> {
    let fields = request.extract_parts::<RawPathParams>().await.map_err(|rejection| {
        Fault::new(ErrorCode::BadRequest, "the path is not valid percent-encoded UTF-8")
            .with_reason("malformed_path")
            .with_source(rejection)
    })?;
    Ok(fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

async fn mesh_health(State(edge): State<Arc<Edge>>) -> Response {
    let finding = edge.mesh.find().await;
    let status = if finding.is_up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(finding.document)).into_response()
}

/// Whether this process may be sent requests: no longer once it is leaving.
async fn ready(State(edge): State<Arc<Edge>>) -> Response {
    match edge.health.all_ready() {
        true => Json(json!({ "status": "ok" })).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready" }))).into_response(),
    }
}
