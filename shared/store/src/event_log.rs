//! What every service that tells events has beside its own handlers.

use crate::audit;
use crate::ops;
use crate::projection::build_what_never_was;
use crate::relay::relay;
use crate::store::HasStore;
use platform::{Run, Service};

/// Gives a service its event log.
pub trait EventLog {
    /// The service tells events: what its transactions [`emit`](crate::Tx::emit) is published by the relay, read models
    /// that never were built are built from their owners' snapshots, what the audit log keeps is written down, and those who
    /// run the platform may ask how all of it is, and mend it ([`subjects::ops`]).
    #[must_use]
    fn event_log(self) -> Self;
}

impl<A: HasStore> EventLog for Service<A> {
    fn event_log(self) -> Service<A> {
        let service = self.publishes_events().background("relay", relay()).background("read models", read_models);
        let service = service.background("audit log", audit::write_down);
        ops::answer(service)
    }
}

async fn read_models<A: HasStore>(run: Run<A>) {
    // Whoever asks for it later is not there before this; a second time says the same.
    let _known = run.app.store().inner().jetstream.set(run.jetstream.clone());
    build_what_never_was(run.clone()).await;
    run.shutdown.cancelled().await;
}
