//! Listens to the events that make answers old.

use super::heard::Heard;
use super::things::{followed, subject_of};
use futures::future::join_all;
use platform::tail::{Begin, Listener, Place, Told};
use platform::{App, Run};
use prometheus::IntCounterVec;

/// Listens to the events of one entity.
struct Follower<'a> {
    heard: &'a Heard,
    entity: &'static str,
    events: &'a IntCounterVec,
}

impl Listener for Follower<'_> {
    fn begins(&self, _place: Place) {
        self.heard.gap(self.entity);
    }

    fn told(&self, event: Told) {
        let id = subject_of(self.entity, &event.body);
        if id.is_none() {
            tracing::error!(event.r#type = event.event_type, event.place = %event.place, "an event does not say what it is about");
        }
        self.heard.event(self.entity, id);
        self.events.with_label_values(&[self.entity]).inc();
    }

    fn caught_up(&self) {
        self.heard.caught_up(self.entity);
    }

    fn alive(&self) {
        self.heard.alive(self.entity);
    }

    fn broke_off(&self) {
        self.heard.broke_off(self.entity);
    }
}

/// Listens until the edge leaves.
pub async fn follow<A: App>(run: &Run<A>, heard: &Heard, events: &IntCounterVec) {
    let followers: Vec<(&'static str, Follower<'_>)> =
        followed().into_iter().map(|(source, entity)| (source, Follower { heard, entity, events })).collect();
    let tails = followers.iter().map(|(source, follower)| run.tail(source, follower.entity, Begin::Now).run(follower));
    join_all(tails).await;
}
