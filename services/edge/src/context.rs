//! What is known of a request from its first moment on, and what its access log line will say.

use crate::cache::status::Status;
use crate::clients::ClientAddress;
use crate::limits::Standing;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use platform::spans::Span;
use platform::trace;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subjects::ids::UserId;
use tokio::time::Instant;
use uuid::Uuid;

/// The header under which a request's correlation id comes and goes.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// One request's context.
#[derive(Debug)]
pub struct Context {
    /// Taken from the client where it is harmless, made otherwise.
    pub correlation_id: String,
    /// The span of this request, a child of the client's where it gave one.
    pub traceparent: String,
    /// The path that was asked for, without the query.
    pub path: String,
    /// When the request came.
    pub started: Instant,
    /// When its client gets an answer at the latest.
    pub deadline: Instant,
    method: Method,
    span: Span,
    route: OnceLock<String>,
    user: OnceLock<UserId>,
    standing: OnceLock<Standing>,
    refused_by: OnceLock<&'static str>,
    cache: OnceLock<Status>,
    client: OnceLock<ClientAddress>,
}

impl Context {
    /// The context of a request that has just come.
    pub fn of<B>(request: &Request<B>, timeout: Duration) -> Arc<Context> {
        let started = Instant::now();
        let parent = single(request.headers(), &TRACEPARENT);
        let span = Span::serving_http(request.method().as_str(), parent);
        let correlation_id = single(request.headers(), &CORRELATION_ID)
            .filter(|given| trace::is_safe_correlation_id(given))
            .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        Arc::new(Context {
            correlation_id,
            traceparent: span.traceparent().unwrap_or_else(|| trace::child_of(parent.unwrap_or_default())),
            path: request.uri().path().to_owned(),
            started,
            deadline: started + timeout,
            method: request.method().clone(),
            span,
            route: OnceLock::new(),
            user: OnceLock::new(),
            standing: OnceLock::new(),
            refused_by: OnceLock::new(),
            cache: OnceLock::new(),
            client: OnceLock::new(),
        })
    }

    /// Notes which route the request took, as a template: the path itself would hold ids.
    pub fn took_route(&self, template: &str) {
        self.route.get_or_init(|| template.to_owned());
        self.span.took_route(self.method.as_str(), template);
    }

    /// Notes how the request was answered.
    pub fn answered(&self, status: StatusCode) {
        self.span.answered_http(status.as_u16());
    }

    /// Notes whom the request is for.
    pub fn is_for(&self, user: UserId) {
        self.user.get_or_init(|| user);
    }

    /// The route's template; none where no route was found.
    pub fn route(&self) -> Option<&str> {
        self.route.get().map(String::as_str)
    }

    /// Whom the request is for.
    pub fn user(&self) -> Option<UserId> {
        self.user.get().copied()
    }

    /// Notes where the client is.
    pub fn comes_from(&self, client: ClientAddress) {
        self.client.get_or_init(|| client);
    }

    /// Where the client is; none where nobody has looked.
    pub fn client(&self) -> Option<ClientAddress> {
        self.client.get().copied()
    }

    /// Notes how the caller stands with its budgets.
    pub fn stands(&self, standing: Standing) {
        self.standing.get_or_init(|| standing);
    }

    /// How the caller stands; none where nothing is counted.
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.get()
    }

    /// Notes which budget the request was too much for.
    pub fn was_refused_by(&self, budget: &'static str) {
        self.refused_by.get_or_init(|| budget);
    }

    /// Notes what the cache had to do with the answer.
    pub fn was_kept(&self, status: Status) {
        self.cache.get_or_init(|| status);
    }

    /// What the cache had to do with the answer; none where it keeps none of its kind.
    pub fn cache(&self) -> Option<Status> {
        self.cache.get().copied()
    }

    /// Which budget the request was too much for.
    pub fn refused_by(&self) -> Option<&'static str> {
        self.refused_by.get().copied()
    }
}

/// A header's value where the header stands exactly once and is text.
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let only = values.next()?;
    if values.next().is_some() {
        return None;
    }
    only.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(headers: &[(&str, &str)]) -> Arc<Context> {
        let mut request = Request::builder().uri("/bookings/1?token=secret");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Context::of(&request.body(()).unwrap(), Duration::from_secs(5))
    }

    #[test]
    fn a_harmless_correlation_id_is_kept_and_any_other_replaced() {
        assert_eq!(context(&[("x-correlation-id", "abc-1")]).correlation_id, "abc-1");
        for bad in ["", "a b", &"x".repeat(129)] {
            let made = context(&[("x-correlation-id", bad)]).correlation_id.clone();
            assert!(made.parse::<Uuid>().is_ok(), "{made}");
        }
        let twice = context(&[("x-correlation-id", "a"), ("x-correlation-id", "b")]);
        assert!(twice.correlation_id.parse::<Uuid>().is_ok());
    }

    #[test]
    fn a_trace_goes_on_and_the_query_is_left_behind() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = context(&[("traceparent", parent)]);
        assert_eq!(trace::trace_id(&context.traceparent), trace::trace_id(parent));
        assert_ne!(context.traceparent, parent);
        assert_eq!(context.path, "/bookings/1");
    }
}
