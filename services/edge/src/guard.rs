//! The outermost layer.

use crate::context::{CORRELATION_ID, Context};
use crate::{access_log, problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;
use http::{HeaderValue, header};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::Fault;
use subjects::openapi::problem::PROBLEM_JSON;

/// What is left to the edge after a service's time is up, to say so.
const GRACE: Duration = Duration::from_millis(250);

/// Around every request: its context, its time limit, its log line, and a problem document whatever goes wrong.
pub async fn guard(State(timeout): State<Duration>, mut request: Request, next: Next) -> Response {
    let context = Context::of(&request, timeout);
    let method = request.method().clone();
    request.extensions_mut().insert(context.clone());

    let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tokio::time::timeout_at(context.deadline + GRACE, answered).await {
        Ok(Ok(response)) => as_problem_if_refused(response, &context),
        Ok(Err(_panic)) => problem::response(&Fault::internal("the edge panicked"), &context),
        Err(_elapsed) => problem::response(&Fault::deadline_exceeded(), &context),
    };
    let headers = response.headers_mut();
    if let Ok(correlation_id) = HeaderValue::from_str(&context.correlation_id) {
        headers.insert(CORRELATION_ID, correlation_id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    access_log::write(&method, response.status(), &context);
    response
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
        let router = Router::new()
            .route("/hangs", get(hangs))
            .route("/panics", get(panics))
            .layer(axum::middleware::from_fn_with_state(Duration::from_millis(1), guard));
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
}
