//! The way of a request through the edge.

use crate::cache::{self, Cache, minimum_version};
use crate::config::EdgeConfig;
use crate::context::Context;
use crate::forward::{self, Conditions};
use crate::guard::{Guarding, guard};
use crate::health::MeshHealth;
use crate::identify::Identities;
use crate::limits::Limits;
use crate::representation::Representation;
use crate::respond::Asked;
use crate::routes::{Found, Mount, Resource};
use crate::security_headers::{self, SecurityHeaders};
use crate::shedding::Shedding;
use crate::sse::{self, Streams};
use crate::{body, compression, conditions, cors, deprecation, docs, extract, problem, query, respond};
use axum::extract::{RawPathParams, Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Json, RequestExt, Router};
use http::{HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use platform::Client;
use platform::health::Health;
use serde_json::json;
use std::sync::Arc;
use subjects::{ErrorCode, Fault, Kind, Violation};
use tokio::time::Instant;

/// All that answering needs.
pub struct Edge {
    /// The section `edge`.
    pub config: EdgeConfig,
    /// What the contract leads to.
    pub resources: Vec<Arc<Resource>>,
    /// Who asks.
    pub identities: Arc<Identities>,
    /// How much each caller may ask for.
    pub limits: Limits,
    /// Answers that are kept.
    pub cache: Cache,
    /// Answers that go on.
    pub streams: Streams,
    /// What is not begun.
    pub shedding: Shedding,
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
        .layer(middleware::map_response(async |answer: Response| {
            ([(header::CACHE_CONTROL, respond::NO_STORE)], answer)
        }))
        .merge(docs::router());
    let mut taken = std::collections::BTreeSet::new();
    for resource in &edge.resources {
        for mount in resource.mounts() {
            anyhow::ensure!(taken.insert(mount.template.clone()), "two resources at {}", mount.template);
            let (edge, resource, mount) = (edge.clone(), resource.clone(), Arc::new(mount));
            // The matcher has whole segments only; what follows the last field is taken off its value.
            let template = match mount.template.rsplit_once('}') {
                Some((fields, suffix)) if !suffix.contains('/') => format!("{fields}}}"),
                _ => mount.template.clone(),
            };
            let answer = move |Extension(context): Extension<Arc<Context>>, request: Request| {
                let (edge, resource, mount) = (edge.clone(), resource.clone(), mount.clone());
                async move { answer_or_refuse(&edge, &resource, &mount, &context, request).await }
            };
            router = router.route(&template, any(answer));
        }
    }
    // From the inside out: context, log, time limit and the last resort, around all that answers; CORS, which answers
    // preflights and lets pages read every answer, those of the last resort too; compression; headers for browsers.
    // Who asks, rate limits and access come with the route, in `answer`: in this order.
    let router = router
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(Guarding::from(&edge.config), guard));
    let router = match cors::layer(&edge.config)? {
        Some(layer) => router.layer(middleware::from_fn_with_state(layer, cors::allow)),
        None => router,
    };
    let security = SecurityHeaders::new(edge.config.hsts);
    Ok(router.layer(compression::layer()).layer(middleware::map_response_with_state(security, security_headers::add)))
}

async fn answer_or_refuse(
    edge: &Edge,
    resource: &Resource,
    mount: &Mount,
    context: &Context,
    request: Request,
) -> Response {
    context.took_route(&mount.template);
    let uri = request.uri().clone();
    let mut response = answer_or_refuse_method(edge, resource, mount, context, request).await;
    deprecation::tell(mount, &uri, &mut response);
    response
}

async fn answer_or_refuse_method(
    edge: &Edge,
    resource: &Resource,
    mount: &Mount,
    context: &Context,
    request: Request,
) -> Response {
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
    let under_way = edge.shedding.begin(&route.operation)?;
    let identified = edge.identities.identify(request.headers());
    edge.limits.check(route.operation.budget, &request, identified.as_ref().ok(), context).await?;
    let identified = identified?;
    if let Some(user) = &identified.caller.user {
        context.is_for(user.id);
    }
    identity::may_ask(route.operation.access, &identified.caller)?;

    let representation = Representation::negotiate(route, request.headers())?;
    let path = without_suffix(path_fields(&mut request).await?, route.rest.path_suffix())?;
    if !route.rest.method.has_body() && !request.body().is_end_stream() {
        return Err(Fault::invalid(vec![Violation::new("", "has a body, which this method does not take")]));
    }
    let (parts, body) = request.into_parts();
    let conditions = Conditions {
        idempotency_key: conditions::idempotency_key(&parts.headers, route.operation.effect)?,
        expected_version: conditions::expected_version(&parts.headers, &route.rest)?,
    };
    let query = query::parse(parts.uri.query().unwrap_or_default())?;
    let body = body::read(&parts.headers, body, &edge.config, context.deadline).await?;
    let fields = body::parse(&parts.headers, &body)?;
    let extracted = extract::request(route, &path, query, fields)?;

    if route.operation.kind == Kind::Stream {
        let asked = sse::Asked {
            method: &parts.method,
            headers: &parts.headers,
            operation: &route.operation,
            request: &extracted.request,
            identified: &identified,
            context,
        };
        return edge.streams.answer(asked).await;
    }
    let caller = identified.caller.clone();
    let since = Instant::now();
    let answer = if route.operation.cache.is_some() {
        let asked = cache::Asked {
            operation: &route.operation,
            request: &extracted.request,
            identified,
            minimum_version: minimum_version::read(&parts.headers)?,
            context,
        };
        edge.cache.answer(asked).await
    } else {
        let (operation, request) = (&route.operation, &extracted.request);
        forward::call(&edge.client, operation, request, identified, conditions, context).await
    };
    under_way.answered(since, &answer);
    let answer = answer?;
    if let Some(told) = answer.cache {
        context.was_kept(told.status);
    }
    let asked = Asked {
        route,
        mount,
        uri: &parts.uri,
        headers: &parts.headers,
        caller: &caller,
        representation,
        projection: extracted.projection,
    };
    respond::response(&asked, answer)
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

/// The same fields, the last one without what its path goes on with: `{token}.ics`.
fn without_suffix(mut fields: Vec<(String, String)>, suffix: &str) -> Result<Vec<(String, String)>, Fault> {
    if let (Some((_, value)), false) = (fields.last_mut(), suffix.is_empty()) {
        let bare = value.strip_suffix(suffix).filter(|bare| !bare.is_empty());
        *value = bare.ok_or_else(|| Fault::new(ErrorCode::NotFound, "there is nothing at this path"))?.to_owned();
    }
    Ok(fields)
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
