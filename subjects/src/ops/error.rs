//! What is refused to operators.

crate::service_error! {
    /// What is refused to operators.
    pub enum OpsError {
        /// The service has neither told the event nor heard of it.
        EventNotFound = NotFound, "event_not_found", "this service knows nothing of such an event";
        /// No such dead letter.
        DeadLetterNotFound = NotFound, "dead_letter_not_found", "this service has no such dead letter";
        /// The service has no consumer of that name.
        HandlerNotFound = NotFound, "handler_not_found", "this service has no handler of that name";
        /// The service keeps no read model of that name.
        ReadModelNotFound = NotFound, "read_model_not_found", "this service keeps no read model of that name";
    }
}
