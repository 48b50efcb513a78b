//! The outermost of the layers that know a request.

use crate::config::EdgeConfig;
use crate::context::{CORRELATION_ID, Context, single};
use crate::{access_log, problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;
use http::{HeaderValue, StatusCode, header};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::openapi::problem::PROBLEM_JSON;
use subjects::{ErrorCode, Fault};

/// What is left to the edge after a service's time is up, to say so.
const GRACE: Duration = Duration::from_millis(250);

/// What the guard holds requests to.
#[derive(Debug, Clone, Copy)]
pub struct Guarding {
    timeout: Duration,
    uri_limit_bytes: usize,
}

impl From<&EdgeConfig> for Guarding {
    fn from(config: &EdgeConfig) -> Guarding {
        Guarding { timeout: config.request_timeout(), uri_limit_bytes: config.uri_limit_bytes }
    }
}

/// Around every request: its context, its time limit, its log line, and a problem document whatever goes wrong.
pub async fn guard(State(guarding): State<Guarding>, mut request: Request, next: Next) -> Response {
    let context = Context::of(&request, guarding.timeout);
    let method = request.method().clone();
    let request_bytes = single(request.headers(), &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    request.extensions_mut().insert(context.clone());

    let answered = AssertUnwindSafe(answer(guarding, request, next, &context)).catch_unwind();
    let mut response = match tokio::time::timeout_at(context.deadline + GRACE, answered).await {
        Ok(Ok(response)) => as_problem_if_refused(response, &context),
        Ok(Err(_panic)) => problem::response(&Fault::internal("the edge panicked"), &context),
        Err(_elapsed) => problem::response(&Fault::deadline_exceeded(), &context),
    };
    let is_request_unread = response.status() == StatusCode::REQUEST_TIMEOUT;
    let headers = response.headers_mut();
    if let Ok(correlation_id) = HeaderValue::from_str(&context.correlation_id) {
        headers.insert(CORRELATION_ID, correlation_id);
    }
    if let Some(standing) = context.standing() {
        standing.tell(headers);
    }
    if is_request_unread {
        // The rest of the request may still come: nothing else can be heard on this connection.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    context.answered(response.status());
    access_log::write(&method, request_bytes, &response, &context);
    response
}

async fn answer(guarding: Guarding, request: Request, next: Next, context: &Context) -> Response {
    let length = request.uri().path_and_query().map_or(0, |path_and_query| path_and_query.as_str().len());
    if length > guarding.uri_limit_bytes {
        let message = format!("path and query may have at most {} bytes", guarding.uri_limit_bytes);
        let fault = Fault::new(ErrorCode::BadRequest, message).with_reason("uri_too_long");
        return problem::response(&fault, context);
    }
    next.run(request).await
}

/// The router and the file server refuse in their own words, which become a problem document here.
fn as_problem_if_refused(response: Response, context: &Context) -> Response {
    let status = response.status();
    let is_ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == PROBLEM_JSON);
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if is_ours || is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut refused = problem::from_plain(status, context);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        refused.headers_mut().insert(header::ALLOW, allow.clone());
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use serde_json::Value;
    use tower::ServiceExt;

    async fn problem_at(path: &str) -> (u16, Value) {
        let hangs = || async { std::future::pending::<()>().await };
        let panics = || async {
            if true {
                panic!("the password is hunter2")
            }
        };
        let guarding = Guarding { timeout: Duration::from_millis(1), uri_limit_bytes: 100 };
        let router = Router::new()
            .route("/hangs", get(hangs))
            .route("/panics", get(panics))
            .layer(axum::middleware::from_fn_with_state(guarding, guard));
        let request = Request::builder().uri(path).header("x-correlation-id", "c-1").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
        assert_eq!(response.headers()["x-correlation-id"], "c-1");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let (status, problem) = problem_at("/panics").await;
        assert_eq!((status, &problem["code"]), (500, &"internal".into()));
        assert!(!problem.to_string().contains("hunter2"));
    }

    #[tokio::test]
    async fn what_never_answers_is_a_problem_in_time() {
        let (status, problem) = problem_at("/hangs").await;
        assert_eq!((status, &problem["code"]), (504, &"deadline_exceeded".into()));
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_problem() {
        let (status, problem) = problem_at("/elsewhere").await;
        assert_eq!((status, &problem["instance"]), (404, &"/elsewhere".into()));
    }

    #[tokio::test]
    async fn what_is_too_long_is_a_problem() {
        let (status, problem) = problem_at(&format!("/?text={}", "a".repeat(100))).await;
        assert_eq!((status, &problem["reason"]), (400, &"uri_too_long".into()));
    }
}
