//! Operations and event types with their types erased, for whatever walks the whole contract.

use crate::access::Access;
use crate::audit::Audit;
use crate::cache::Cache;
use crate::event::Event;
use crate::fallback::Fallback;
use crate::request::{Budget, Effect, Priority, Request, Rest, When};
use crate::service_error::{ErrorReason, ServiceError};
use crate::stream::Stream;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// How often an operation answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Once: a [`Request`].
    Request,
    /// Again and again: a [`Stream`]. Its reply schema is that of one item.
    Stream,
}

/// A [`Request`] or [`Stream`] type as data.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The service that answers.
    pub service: &'static str,
    /// How often it answers.
    pub kind: Kind,
    /// See [`Request::SUBJECT`].
    pub subject: &'static str,
    /// See [`Request::ALIASES`].
    pub aliases: &'static [&'static str],
    /// See [`Request::ACCESS`].
    pub access: Access,
    /// See [`Request::PERMISSION`]; none where the access rule takes none.
    pub permission: Option<&'static str>,
    /// See [`Request::EFFECT`].
    pub effect: Effect,
    /// See [`Request::PRIORITY`].
    pub priority: Priority,
    /// See [`Request::AUDIT`].
    pub audit: Audit,
    /// See [`Request::BUDGET`].
    pub budget: Budget,
    /// See [`Request::CACHE`].
    pub cache: Option<Cache>,
    /// See [`Request::FALLBACKS`].
    pub fallbacks: &'static [Fallback],
    /// See [`Request::WHEN`].
    pub when: &'static [When],
    /// See [`Request::REST`].
    pub rest: &'static [Rest],
    /// Adds the request's JSON Schema to a generator and answers it (a reference, as a rule).
    pub request_schema: fn(&mut SchemaGenerator) -> Schema,
    /// Likewise for the reply.
    pub reply_schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads a reply, or an item of a stream, as whoever has asked does.
    pub reread_reply: Reread,
    /// What the service itself can refuse, beyond the platform's common errors.
    pub errors: fn() -> &'static [ErrorReason],
}

impl Operation {
    /// The request type `R`, answered by `service`, as data.
    pub const fn of<R: Request>(service: &'static str) -> Operation {
        Operation {
            service,
            kind: Kind::Request,
            subject: R::SUBJECT,
            aliases: R::ALIASES,
            access: R::ACCESS,
            permission: permission(R::ACCESS, R::PERMISSION),
            effect: R::EFFECT,
            priority: R::PRIORITY,
            audit: R::AUDIT,
            budget: R::BUDGET,
            cache: R::CACHE,
            fallbacks: R::FALLBACKS,
            when: R::WHEN,
            rest: R::REST,
            request_schema: |generator| generator.subschema_for::<R>(),
            reply_schema: |generator| generator.subschema_for::<R::Reply>(),
            reread_reply: reread::<R::Reply>,
            errors: <R::Error as ServiceError>::reasons,
        }
    }

    /// The stream type `S`, answered by `service`, as data.
    pub const fn of_stream<S: Stream>(service: &'static str) -> Operation {
        Operation {
            service,
            kind: Kind::Stream,
            subject: S::SUBJECT,
            aliases: S::ALIASES,
            access: S::ACCESS,
            permission: permission(S::ACCESS, S::PERMISSION),
            effect: Effect::Read,
            priority: Priority::Read,
            audit: Audit::of(S::ACCESS, Effect::Read),
            budget: Budget::General,
            cache: None,
            fallbacks: &[],
            when: &[],
            rest: S::REST,
            request_schema: |generator| generator.subschema_for::<S>(),
            reply_schema: |generator| generator.subschema_for::<S::Item>(),
            reread_reply: reread::<S::Item>,
            errors: <S::Error as ServiceError>::reasons,
        }
    }

    /// The same, answered at another subject: for a question that several services are asked alike, each at its own.
    pub const fn at(self, subject: &'static str) -> Operation {
        Operation { subject, ..self }
    }

    /// All that a REST client may be answered instead: by the service, or by the edge.
    pub fn may_fall_back(&self) -> impl Iterator<Item = Fallback> + use<> {
        let kept = self.cache.is_some().then_some(Fallback::StaleCache);
        self.fallbacks.iter().copied().chain(kept)
    }

    /// The subject and its aliases.
    pub fn subjects(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.subject).chain(self.aliases.iter().copied())
    }

    /// The same names as NestJS services name commands, `{"cmd":"get-booking"}`, which is the subject that a NestJS
    /// client of the NATS transport makes of them.
    pub fn command_subjects(&self) -> impl Iterator<Item = String> + use<> {
        self.subjects().map(command_subject)
    }

    /// The name as a NATS service endpoint and as an OpenAPI operation id: the subject with `-` for `.`.
    pub fn endpoint_name(&self) -> String {
        endpoint_name(self.subject)
    }
}

const fn permission(access: Access, name: &'static str) -> Option<&'static str> {
    if access.takes_permission() { Some(name) } else { None }
}

/// The subject of a command of NestJS: its pattern `{cmd: "…"}` as JSON.
pub fn command_subject(subject: &str) -> String {
    format!("{{\"cmd\":\"{subject}\"}}")
}

/// A subject as a NATS service endpoint name, which may not hold dots (ADR-32).
pub fn endpoint_name(subject: &str) -> String {
    subject.replace('.', "-")
}

/// Reads JSON and writes it again as it was understood.
pub type Reread = fn(&[u8]) -> Result<Vec<u8>, serde_json::Error>;

fn reread<T: Serialize + DeserializeOwned>(json: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&serde_json::from_slice::<T>(json)?)
}

/// Reads an event's body, and answers its aggregate's id and version.
pub type ReadEvent = fn(&[u8]) -> Result<(Uuid, i64), serde_json::Error>;

/// An [`Event`] type as data.
#[derive(Debug, Clone, Copy)]
pub struct EventType {
    /// See [`Event::TYPE`].
    pub event_type: &'static str,
    /// See [`Event::SERVICE`].
    pub service: &'static str,
    /// See [`Event::DOCUMENT_NAME`].
    pub document_name: Option<&'static str>,
    /// Adds the body's JSON Schema to a generator and answers it.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads a body as those who listen do: the aggregate's id and version.
    pub read: ReadEvent,
    /// Reads a body and writes it again.
    pub reread: Reread,
}

impl EventType {
    /// The event type `E` as data.
    pub const fn of<E: Event>() -> EventType {
        EventType {
            event_type: E::TYPE,
            service: E::SERVICE,
            document_name: E::DOCUMENT_NAME,
            schema: |generator| generator.subschema_for::<E>(),
            read: |body| serde_json::from_slice::<E>(body).map(|event| (event.aggregate_id(), event.version())),
            reread: reread::<E>,
        }
    }

    /// The entity that it is about: the first token of the type.
    pub fn entity(&self) -> &'static str {
        self.event_type.split('.').next().unwrap_or(self.event_type)
    }
}
