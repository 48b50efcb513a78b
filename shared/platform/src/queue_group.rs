//! A replica's part in the queue group of its service: the subjects that it takes requests on.

use crate::app::App;
use crate::discovery::EndpointStats;
use crate::dispatcher::Dispatcher;
use crate::endpoint::Endpoint;
use crate::queue_subscription::QueueSubscription;
use crate::setup::Setup;
use crate::versions::{is_shared_out, version_subject};
use std::sync::Arc;
use subjects::operation::command_subject;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The queue group, for one who may join it.
pub(crate) struct QueueGroup<A: App> {
    setup: Arc<Setup>,
    dispatcher: Arc<Dispatcher<A>>,
    answered: Vec<Answered<A>>,
}

/// A subject, and what is done with requests on it.
struct Answered<A: App> {
    subject: String,
    endpoint: Arc<Endpoint<A>>,
    stats: Arc<EndpointStats>,
}

/// A replica that takes requests.
pub(crate) struct Membership {
    leave: CancellationToken,
    subjects: TaskTracker,
}

impl<A: App> QueueGroup<A> {
    pub(crate) fn new(setup: Arc<Setup>, dispatcher: Arc<Dispatcher<A>>) -> QueueGroup<A> {
        QueueGroup { setup, dispatcher, answered: Vec::new() }
    }

    /// Answers an endpoint's subject, one of several that it may have, under both forms of its name.
    pub(crate) fn answer(&mut self, subject: &str, endpoint: &Arc<Endpoint<A>>, stats: &Arc<EndpointStats>) {
        // NestJS clients may write the name as a command; it is the same endpoint.
        for subject in [subject.to_owned(), command_subject(subject)] {
            let subject = match &self.setup.version {
                Some(version) if is_shared_out(&endpoint.operation) => version_subject(A::NAME, version, &subject),
                _ => subject,
            };
            self.answered.push(Answered { subject, endpoint: endpoint.clone(), stats: stats.clone() });
        }
    }

    /// Takes requests from now on.
    pub(crate) async fn join(&self) -> anyhow::Result<Membership> {
        let membership = Membership { leave: CancellationToken::new(), subjects: TaskTracker::new() };
        for Answered { subject, endpoint, stats } in &self.answered {
            let subscription = QueueSubscription::open(&self.setup, subject.clone()).await?;
            let leave = membership.leave.clone();
            let (endpoint, stats) = (endpoint.clone(), stats.clone());
            let serve = self.dispatcher.clone().serve(endpoint, stats, subscription, leave);
            membership.subjects.spawn(serve);
        }
        Ok(membership)
    }
}

impl Membership {
    /// Takes no more of them, and returns once none is on its way any more that was meant for this replica.
    pub(crate) async fn leave(self) {
        self.leave.cancel();
        self.subjects.close();
        self.subjects.wait().await;
    }
}
