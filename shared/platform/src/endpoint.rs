//! A handler with its types erased: the one generic shim. Dispatch itself is not generic.

use crate::app::App;
use crate::codec::ContentType;
use crate::cx::Cx;
use crate::streams::LeaseAsk;
use crate::validate::{RequestSchema, read_request};
use bytes::Bytes;
use futures::future::BoxFuture;
use garde::Validate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, OnceLock};
use subjects::{Fault, Kind, Operation, Request, Rest, ServiceError, Stream};
use uuid::Uuid;

/// The last argument is there for streams alone.
pub(crate) type Handle<A> = Arc<
    dyn Fn(Cx<A>, ContentType, Bytes, Arc<RequestSchema>, Option<LeaseAsk>) -> BoxFuture<'static, Result<Bytes, Fault>>
        + Send
        + Sync,
>;

/// Reads a request and writes it again.
pub(crate) type Reread = fn(ContentType, &[u8], &RequestSchema) -> Result<Bytes, Fault>;

/// See [`Endpoint::subject_id`].
type SubjectId = fn(&Operation, ContentType, &Bytes) -> Option<Uuid>;

/// An operation and its handler.
pub(crate) struct Endpoint<A: App> {
    pub(crate) operation: Operation,
    handle: Handle<A>,
    reread: Reread,
    subject_id: SubjectId,
    schema: OnceLock<Arc<RequestSchema>>,
}

impl<A: App> Endpoint<A> {
    pub(crate) fn new<R, F, Fut>(operation: Operation, handler: F) -> Endpoint<A>
    where
        R: Request,
        F: Fn(Cx<A>, R) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R::Reply, R::Error>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let handle: Handle<A> = Arc::new(move |cx, content_type, body, schema, _no_stream| {
            let handler = handler.clone();
            Box::pin(async move {
                let request: R = read_request(content_type, &body, &schema)?;
                let reply = handler(cx, request).await.map_err(ServiceError::into_fault)?;
                content_type.encode(&reply).map_err(Fault::internal)
            })
        });
        Endpoint { operation, handle, reread: reread::<R>, subject_id: subject_id::<R>, schema: OnceLock::new() }
    }

    /// The endpoint of a stream `S`; see [`crate::streams`].
    pub(crate) fn of_stream<S: Stream>(operation: Operation, handle: Handle<A>) -> Endpoint<A> {
        Endpoint { operation, handle, reread: reread::<S>, subject_id: subject_id::<S>, schema: OnceLock::new() }
    }

    /// Whom or what a request is about, for the audit log.
    pub(crate) fn subject_id(&self, content_type: ContentType, body: &Bytes) -> Option<Uuid> {
        (self.subject_id)(&self.operation, content_type, body)
    }

    /// Whether it answers again and again.
    pub(crate) fn is_stream(&self) -> bool {
        self.operation.kind == Kind::Stream
    }

    /// Compiles the schema, so that no request waits for it.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        let schema = RequestSchema::of(&self.operation)?;
        self.schema.get_or_init(|| Arc::new(schema));
        Ok(())
    }

    /// Decodes, validates, and encodes again what was understood.
    pub(crate) fn reread(&self, content_type: ContentType, body: &[u8]) -> Result<Bytes, Fault> {
        match self.schema.get() {
            Some(schema) => (self.reread)(content_type, body, schema),
            None => Err(Fault::internal("the endpoint was not prepared")),
        }
    }

    /// Decodes, validates, handles, encodes.
    pub(crate) fn handle(
        &self,
        cx: Cx<A>,
        content_type: ContentType,
        body: Bytes,
        ask: Option<LeaseAsk>,
    ) -> BoxFuture<'static, Result<Bytes, Fault>> {
        match self.schema.get() {
            Some(schema) => (self.handle)(cx, content_type, body, schema.clone(), ask),
            None => Box::pin(async { Err(Fault::internal("the endpoint was not prepared")) }),
        }
    }
}

fn reread<R>(content_type: ContentType, body: &[u8], schema: &RequestSchema) -> Result<Bytes, Fault>
where
    R: Serialize + DeserializeOwned + Validate<Context = ()>,
{
    let request: R = read_request(content_type, body, schema)?;
    content_type.encode(&request).map_err(Fault::internal)
}

/// The request's own id, the user that it names, or else what its path names first.
fn subject_id<R>(operation: &Operation, content_type: ContentType, body: &Bytes) -> Option<Uuid>
where
    R: Serialize + DeserializeOwned,
{
    let request: R = content_type.decode(body).ok()?;
    let request = serde_json::to_value(&request).ok()?;
    let in_paths = operation.rest.iter().flat_map(Rest::path_fields);
    ["id", "userId"].into_iter().chain(in_paths).find_map(|field| request.get(field)?.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::Deserialize;
    use subjects::booking::{BookingError, BookingItem};
    use subjects::{Access, Fault};

    struct Pets;
    impl App for Pets {
        const NAME: &'static str = "profile";
    }
    crate::calls!(Pets => []);

    /// Watches the pets of a user.
    #[derive(Serialize, Deserialize, JsonSchema, Validate)]
    #[serde(rename_all = "camelCase")]
    struct WatchPets {
        #[garde(skip)]
        user_id: Uuid,
    }

    impl Stream for WatchPets {
        const SUBJECT: &'static str = "pet.watch";
        const ACCESS: Access = Access::PERMITTED;
        type Item = BookingItem;
        type Error = BookingError;
    }

    #[test]
    fn a_stream_is_about_whom_its_request_names() {
        let operation = Operation::of_stream::<WatchPets>("profile");
        let handle: Handle<Pets> = Arc::new(|_, _, _, _, _| Box::pin(async { Err(Fault::not_found("pet")) }));
        let endpoint = Endpoint::of_stream::<WatchPets>(operation, handle);
        let user_id = Uuid::now_v7();
        let body = Bytes::from(serde_json::json!({ "userId": user_id }).to_string());
        assert_eq!(endpoint.subject_id(ContentType::Json, &body), Some(user_id));
        assert_eq!(endpoint.subject_id(ContentType::Json, &Bytes::from_static(b"{}")), None);
    }
}
