//! The contract of PetPro: every message, event, error, id and access rule, declared once.
//!
//! From the declarations here come the NATS subjects, the REST routes of the edge, the OpenAPI and
//! AsyncAPI documents, the validation, the access rules, and the NATS permissions of every service.
//! Nothing in this crate does I/O.
//!
//! - [`Request`], [`Stream`] and [`Event`] are the three kinds of message.
//! - [`auth`], [`profile`], [`vendor`], [`booking`] and [`catalog`] hold the messages of the services of these names.
//! - [`privacy`] is what each of them is asked for about a person, [`ops`] by those who run the platform.
//! - [`snapshot`] is how services build their copies of what another one owns.
//! - [`permissions`] are what roles may be given: they follow from the access rules of operations.
//! - [`audit`] is the log of what is sensitive: which requests it keeps, and how it is read.
//! - [`catalogue`] lists all of them, for whatever walks the whole contract.

pub mod access;
pub mod asyncapi;
pub mod audit;
pub mod auth;
pub mod booking;
pub mod cache;
pub mod catalog;
pub mod catalogue;
mod documents;
pub mod error;
pub mod event;
pub mod fallback;
pub mod ids;
pub mod money;
pub mod openapi;
pub mod operation;
pub mod ops;
pub mod paging;
mod patch;
pub mod permissions;
pub mod privacy;
pub mod profile;
pub mod request;
pub mod role;
mod rules;
pub mod service_error;
pub mod snapshot;
pub mod stream;
pub mod time;
pub mod values;
pub mod vendor;

#[cfg(test)]
mod mangled_tests;

pub use access::{Access, MembershipRole, Who};
pub use audit::Audit;
pub use cache::{Cache, Tag};
pub use error::{ErrorCode, Fault, Violation};
pub use event::Event;
pub use fallback::{Fallback, FallbackKind};
pub use money::{Currency, Money};
pub use operation::{EventType, Kind, Operation, Reread};
pub use paging::Page;
pub use request::{Budget, Effect, Method, Priority, Request, Rest, RouteCaller, When};
pub use role::{Role, RoleName};
pub use rules::in_words as pattern_in_words;
pub use service_error::{ErrorReason, FaultDetail, NoError, RetryAfterMs, ServiceError};
pub use stream::{Stream, StreamItem};
pub use values::UnknownName;
