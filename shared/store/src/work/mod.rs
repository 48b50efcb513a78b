//! Work consumers: one durable pull consumer per service and handler, shared by the replicas. The handler's effect
//! and the inbox row are one transaction, and the acknowledgement comes after it, so that an event that is given out
//! again has its effect once.
//!
//! What no attempt brings through is parked as a dead letter, in a transaction with its inbox row.

mod answer;
mod batch;
mod companions;
mod consume;
mod failure;
mod handler;
mod in_order;
mod inbox;
mod incoming;
mod line;
mod lines;
mod metrics;
mod one;
mod parallel;
mod pauses;
mod status;
mod strays;
mod take_over;

use crate::store::HasStore;
use crate::tx::Tx;
use consume::Consumer;
pub(crate) use failure::{chain, is_passing};
use futures::FutureExt as _;
pub(crate) use handler::{Handler, Handlers};
pub(crate) use inbox::lock_aggregates;
pub(crate) use incoming::{Incoming, Origins, Place};
pub(crate) use metrics::ConsumerMetrics;
pub use pauses::{pause, resume};
use platform::{ConsumerDeclaration, ConsumerSettings, EventConsumer, Run, Takes};
use serde::de::DeserializeOwned;
pub use status::consumers_status;
use std::sync::Arc;
use subjects::{Event, Fault};
use uuid::Uuid;

/// A durable consumer of the events `E`, under the name `<service>_<handler>`:
/// `.consume(store::work("service_updated", read_models::service_updated))`.
///
/// Events are handled in no particular order, many of them in one transaction with their inbox rows; where one of them
/// fails, each in one of its own. So a handler must have no effect but in the transaction, and where it locks more than the
/// rows of the event's aggregate it asks for [`EventConsumer::one_by_one`]. What it emits has the event as
/// its cause and shares its correlation.
///
/// What is away (`unavailable`, `deadline_exceeded`) is waited for without end. Any other failure is tried again some
/// times, with backoff, before the event becomes a dead letter; it does so at once where the handler refuses it with a
/// fault that is not ours, or it cannot be read.
pub fn work<A, E, F, Fut>(handler: &'static str, handle: F) -> EventConsumer<A>
where
    A: HasStore,
    E: Event + Clone,
    F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let declaration = ConsumerDeclaration {
        service: A::NAME,
        handler,
        source: E::SERVICE,
        takes: Takes::Type(E::TYPE),
        ordered: false,
    };
    consumer(declaration, move |incoming| serde_json::from_slice::<E>(&incoming.body), handle)
}

/// A durable consumer of all events of an entity, which handles the events of each aggregate in their order, one after
/// the other:
/// `.consume(store::ordered("bookings", "booking", "booking", calendar::booking_told))`.
///
/// One replica at a time is given events; it handles those of several aggregates at once, and many that wait in one
/// transaction, unless it is asked not to ([`EventConsumer::one_by_one`]). Where an event fails it is tried again in its
/// place, as for [`work()`]. Once it is a dead letter, the later events of its aggregate become dead letters behind it,
/// until it is replayed or dropped.
pub fn ordered<A, Body, F, Fut>(
    handler: &'static str,
    source: &'static str,
    entity: &'static str,
    handle: F,
) -> EventConsumer<A>
where
    A: HasStore,
    Body: DeserializeOwned + Clone + Send + Sync + 'static,
    F: Fn(Arc<A>, Tx, Told<Body>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let takes = Takes::Entity(entity);
    let declaration = ConsumerDeclaration { service: A::NAME, handler, source, takes, ordered: true };
    let read = move |incoming: &Incoming| {
        let body = serde_json::from_slice::<Body>(&incoming.body)?;
        Ok(Told { event_type: incoming.event_type.clone(), event_id: incoming.event_id, body })
    };
    consumer(declaration, read, handle)
}

/// An event as an ordered consumer's handler is given it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<Body> {
    /// Its type, for example `booking.created`.
    pub event_type: String,
    /// Its id.
    pub event_id: Uuid,
    /// What it tells.
    pub body: Body,
}

fn consumer<A, T, F, Fut>(
    declaration: ConsumerDeclaration,
    read: impl Fn(&Incoming) -> Result<T, serde_json::Error> + Send + Sync + 'static,
    handle: F,
) -> EventConsumer<A>
where
    A: HasStore,
    T: Clone + Send + Sync + 'static,
    F: Fn(Arc<A>, Tx, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (read, handle) = (Arc::new(read), Arc::new(handle));
    let run = Arc::new(move |run: Run<A>, settings: ConsumerSettings| {
        let (app, read, handle) = (run.app.clone(), read.clone(), handle.clone());
        let prepare = handler::preparation(move |incoming: &Incoming| {
            let (app, handle, told) = (app.clone(), handle.clone(), read(incoming)?);
            let work: handler::Work = Box::new(move |tx| handle(app.clone(), tx, told.clone()).boxed());
            Ok(work)
        });
        let handler = Handler { declaration, settings, prepare, jetstream: run.jetstream.clone() };
        let store = run.app.store().clone();
        store.inner().metrics.register(&run.metrics);
        Consumer::new(store, handler, run.shutdown).run().boxed()
    });
    EventConsumer { declaration, settings: ConsumerSettings::default(), run }
}
