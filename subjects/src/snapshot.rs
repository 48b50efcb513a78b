//! Snapshots: what the last event of each aggregate of an entity tells, asked of its owner a page at a time. A service
//! that keeps a read model of the entity builds it from them when it is new, and compares it with them afterwards. Only
//! services ask.

use crate::request::Request;
use crate::service_error::NoError;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most aggregates that a page holds. It holds fewer where they are large.
pub const MAX_SNAPSHOT_LIMIT: u16 = 500;

/// An aggregate as its last event tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SnapshotItemOf{State}")]
pub struct SnapshotItem<State> {
    /// What its events carry.
    pub state: State,
    /// Whether it is gone and its owner keeps it all the same. What the owner has not kept is in no snapshot.
    #[serde(default)]
    pub removed: bool,
}

/// A part of an owner's aggregates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SnapshotOf{State}")]
pub struct SnapshotPage<State> {
    /// The aggregates, in the order of their ids.
    pub items: Vec<SnapshotItem<State>>,
    /// The id after which it goes on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// A request for a page of a snapshot. Made by [`snapshots!`](crate::snapshots).
pub trait Snapshot: Request<Reply = SnapshotPage<<Self as Snapshot>::State>, Error = NoError> {
    /// What the entity's events carry.
    type State: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// The service that owns the entity.
    const SERVICE: &'static str;

    /// Asks for at most `limit` aggregates with ids above `after`.
    fn page(after: Option<Uuid>, limit: u16) -> Self;
    /// The aggregate's id.
    fn id_of(state: &Self::State) -> Uuid;
}

/// Declares the snapshots of a service's entities.
///
/// ```text
/// snapshots! {
///     service "profile";
///     /// Pets as their events tell them.
///     PetSnapshot = "pet.snapshot" of PetState, id pet_id;
/// }
/// ```
#[macro_export]
macro_rules! snapshots {
    (
        service $service:literal;
        $( $(#[$meta:meta])* $name:ident = $subject:literal of $state:ident, id $id:ident; )+
    ) => { $(
        $(#[$meta])*
        ///
        /// For services that keep a read model: what the last event of each tells, in the order of their ids.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
            garde::Validate,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// The id after which the page begins; absent for the first one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[garde(skip)]
            pub after: Option<uuid::Uuid>,
            /// How many the page holds at the most. It holds fewer where they are large.
            #[garde(range(min = 1, max = $crate::snapshot::MAX_SNAPSHOT_LIMIT))]
            pub limit: u16,
        }

        impl $crate::Request for $name {
            const SUBJECT: &'static str = $subject;
            const ACCESS: $crate::Access = $crate::Access::SERVICE;
            const EFFECT: $crate::Effect = $crate::Effect::Read;
            const PRIORITY: $crate::Priority = $crate::Priority::Background;
            type Reply = $crate::snapshot::SnapshotPage<$state>;
            type Error = $crate::NoError;
        }

        impl $crate::snapshot::Snapshot for $name {
            type State = $state;
            const SERVICE: &'static str = $service;

            fn page(after: Option<uuid::Uuid>, limit: u16) -> $name {
                $name { after, limit }
            }

            fn id_of(state: &$state) -> uuid::Uuid {
                state.$id.into()
            }
        }
    )+ };
}

#[cfg(test)]
mod tests {
    use crate::Request;
    use crate::access::Who;
    use crate::catalogue;
    use crate::vendor::{ClinicSnapshot, VendorSnapshot};
    use garde::Validate as _;

    #[test]
    fn pages_are_bounded() {
        let limits = [0, 1, 500, 501].map(|limit| VendorSnapshot { after: None, limit }.validate().is_ok());
        assert_eq!(limits, [false, true, true, false]);
    }

    #[test]
    fn only_services_ask_and_the_state_is_that_of_an_event() {
        let snapshots: Vec<_> =
            catalogue::operations().filter(|operation| operation.subject.ends_with(".snapshot")).collect();
        assert!(snapshots.iter().any(|snapshot| snapshot.subject == ClinicSnapshot::SUBJECT));
        for snapshot in snapshots {
            assert_eq!(snapshot.access.0, [Who::Service], "{}", snapshot.subject);
            assert!(snapshot.rest.is_empty() && snapshot.effect.is_read(), "{}", snapshot.subject);
            let entity = snapshot.subject.trim_end_matches(".snapshot");
            let owner = catalogue::events().find(|event| event.entity() == entity).map(|event| event.service);
            assert_eq!(owner, Some(snapshot.service), "{}", snapshot.subject);
        }
    }
}
