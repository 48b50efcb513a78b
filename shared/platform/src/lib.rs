//! The mesh: what every service needs to speak NATS, written once.
//!
//! A service is a [`Service`]: a list of handlers, event consumers and background tasks over its own [`App`].
//! [`runtime::start`] connects it under its own identity, answers its subjects through the dispatcher, and
//! drains it without losing a request.
//!
//! - [`Cx`] is what a handler gets: the caller, the deadline, and typed calls to other services.
//! - [`Client`] sends requests: deadline, tokens, trace, and the truth about a refused or unanswered call.
//! - [`permissions`] and [`provision`] turn the services' declarations into NATS permissions, streams and
//!   consumers.

pub mod admin;
mod admission;
mod answers;
pub mod app;
pub mod audit;
pub mod background;
mod breaker;
pub mod client;
pub mod codec;
mod credentials;
pub mod cx;
pub mod discovery;
mod dispatcher;
mod ejection;
mod endpoint;
pub mod events;
mod fault_log;
pub mod headers;
pub mod health;
mod incoming;
pub mod keys;
mod majority;
pub mod meta;
pub mod metrics;
pub mod nats;
mod nest;
pub mod otlp;
pub mod permissions;
pub mod provision;
mod queue_group;
mod queue_subscription;
mod recent;
pub mod refusals;
mod resend_budget;
mod resending;
mod revocation;
pub mod runtime;
pub mod service;
pub mod settings;
pub mod setup;
pub mod slowness;
pub mod spans;
pub mod streams;
pub mod tail;
mod targets;
pub mod telemetry;
mod throttle;
mod tls;
pub mod trace;
mod traffic;
pub mod validate;
mod versions;

#[cfg(test)]
mod mangled_tests;

pub use app::{App, Calls, DeclaredCalls};
pub use audit::{AuditQueue, AuditRow, Audited};
pub use background::Run;
pub use breaker::BreakerConfig;
pub use client::Client;
pub use cx::Cx;
pub use dispatcher::DispatcherConfig;
pub use ejection::EjectionConfig;
pub use events::{ConsumerDeclaration, ConsumerSettings, EventConsumer, Takes};
pub use meta::Meta;
pub use resending::ClientConfig;
pub use service::{Declaration, Followed, Read, RequestReader, Service};
pub use settings::Settings;
pub use setup::Setup;
pub use traffic::{Traffic, TrafficError};
pub use versions::{STABLE, TrafficConfig};

/// The version that services show of themselves (ADR-32 wants a semantic version).
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[doc(hidden)]
pub mod __private {
    pub use subjects::Request;
}
