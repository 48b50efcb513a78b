//! A stream's handler as an endpoint: it decides, and a lease tells.

use super::ask::LeaseAsk;
use super::feed::Feed;
use super::leases::Leases;
use super::watch::Watch;
use crate::app::App;
use crate::cx::Cx;
use crate::endpoint::Endpoint;
use crate::validate::read_request;
use std::sync::Arc;
use subjects::{Fault, Operation, ServiceError, Stream};

/// The endpoint of a stream. Its answer is empty: the items come in the lease.
pub(crate) fn endpoint<A, S, F, Fut>(handler: F, feed: Arc<Feed<S::Item>>, leases: Arc<Leases>) -> Endpoint<A>
where
    A: App,
    S: Stream,
    F: Fn(Cx<A>, S) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Watch<S::Item>, S::Error>> + Send + 'static,
{
    let handler = Arc::new(handler);
    Endpoint::of_stream::<S>(
        Operation::of_stream::<S>(A::NAME),
        Arc::new(move |cx, content_type, body, schema, ask: Option<LeaseAsk>| {
            let (handler, feed, leases) = (handler.clone(), feed.clone(), leases.clone());
            Box::pin(async move {
                let request: S = read_request(content_type, &body, &schema)?;
                let terms = ask.ok_or_else(|| Fault::internal("not dispatched as a stream"))?.terms()?;
                let deadline = cx.deadline();
                let watch = handler(cx, request).await.map_err(ServiceError::into_fault)?;
                leases.grant(S::SUBJECT, feed, watch, terms, deadline).await?;
                content_type.encode(&()).map_err(Fault::internal)
            })
        }),
    )
}
