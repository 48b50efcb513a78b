//! What a service answers those who run the platform, as [`subjects::ops`] declares it.

mod consumers;
mod dead_letters;
mod events;
mod outbox;
mod read_models;

use crate::store::HasStore;
use platform::{Cx, Service};
use subjects::ops::subject_of;
use subjects::{Fault, Request, catalogue};

/// Adds the answers to a service's list. A service that is none of the catalogue is asked nothing.
pub(crate) fn answer<A: HasStore>(service: Service<A>) -> Service<A> {
    let service = on(service, outbox::status);
    let service = on(service, outbox::refill);
    let service = on(service, events::find_one);
    let service = on(service, events::effects);
    let service = on(service, events::lineage);
    let service = on(service, dead_letters::find_all);
    let service = on(service, dead_letters::find_one);
    let service = on(service, dead_letters::replay);
    let service = on(service, dead_letters::drop_letters);
    let service = on(service, consumers::find_all);
    let service = on(service, consumers::pause);
    let service = on(service, consumers::resume);
    let service = on(service, read_models::find_all);
    on(service, read_models::rebuild)
}

/// The operator who asks, for the log.
fn who<A: HasStore>(cx: &Cx<A>) -> Result<String, Fault> {
    Ok(cx.caller().user()?.id.to_string())
}

/// Answers a question at the service's own subject for it.
fn on<A, R, F, Fut>(service: Service<A>, handler: F) -> Service<A>
where
    A: HasStore,
    R: Request,
    F: Fn(Cx<A>, R) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R::Reply, R::Error>> + Send + 'static,
{
    match catalogue::find(&subject_of::<R>(A::NAME)) {
        Some(operation) => service.on_operation(*operation, handler),
        None => service,
    }
}
