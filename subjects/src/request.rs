//! Request/reply messages: one question, one answer.

use crate::access::Access;
use crate::audit::Audit;
use crate::cache::Cache;
use crate::fallback::Fallback;
use crate::service_error::ServiceError;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A question that one service answers, with all that the platform has to know of it.
///
/// The implementing type is the message itself; its doc comment becomes the operation's description in the
/// OpenAPI and AsyncAPI documents.
pub trait Request:
    Serialize + DeserializeOwned + JsonSchema + garde::Validate<Context = ()> + Send + Sync + 'static
{
    /// The NATS subject, `<entity>.<verb>`, for example `booking.create`.
    const SUBJECT: &'static str;
    /// Older names of the subject that are answered too (document 003).
    const ALIASES: &'static [&'static str] = &[];
    /// Who may ask.
    const ACCESS: Access;
    /// The permission that lets a role do it, where [`Request::ACCESS`] says that there is one: the subject, unless several
    /// subjects share it.
    const PERMISSION: &'static str = Self::SUBJECT;
    /// What asking twice does.
    const EFFECT: Effect;
    /// Which requests are taken up before it, and which after, where a service has too much to do.
    const PRIORITY: Priority = Priority::of(Self::EFFECT);
    /// Which requests the audit log keeps.
    const AUDIT: Audit = Audit::of(Self::ACCESS, Self::EFFECT);
    /// Which of a caller's budgets of requests it is taken from, at the edge.
    const BUDGET: Budget = Budget::General;
    /// Whether its public answer may be kept and shared, and what makes it old.
    const CACHE: Option<Cache> = None;
    /// What its service may answer instead where a part is away. Answers that the edge keeps may be stale beside that.
    const FALLBACKS: &'static [Fallback] = &[];
    /// On which states of its entity the operation makes sense: each a field of the entity and the values that allow
    /// it, all of which must hold. Links in hypertext answers follow from it; the service decides by itself.
    const WHEN: &'static [When] = &[];
    /// The REST routes that lead here. None: the operation is for services only.
    const REST: &'static [Rest] = &[];
    /// The answer. `()` becomes an empty body at the edge.
    type Reply: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What can be refused, and why.
    type Error: ServiceError;
}

/// What repeating a request does. It decides whether a caller may retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Changes something, and doing it again leaves the same state.
    Idempotent,
    /// Safe to repeat with an idempotency key: the stored answer is replayed.
    Keyed,
    /// Must not be repeated.
    Once,
}

impl Effect {
    /// Whether a request of this effect changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self, Effect::Read)
    }
}

/// Who comes first where a service cannot do all at once, the most urgent first. What is refused is of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Money that has changed hands depends on it, or those who mend the service.
    Critical,
    /// Changes: somebody has decided.
    Change,
    /// Reads: somebody looks.
    Read,
    /// Nobody waits for it in front of a screen.
    Background,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Priority; 4] = [Priority::Critical, Priority::Change, Priority::Read, Priority::Background];

    /// What a request of an effect has where nothing else is declared.
    pub const fn of(effect: Effect) -> Priority {
        if effect.is_read() { Priority::Read } else { Priority::Change }
    }

    /// The name in metrics and in what services tell of their endpoints.
    pub const fn as_str(self) -> &'static str {
        match self {
            Priority::Critical => "critical",
            Priority::Change => "change",
            Priority::Read => "read",
            Priority::Background => "background",
        }
    }
}

/// A field of an entity and the values under which an operation makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The field, in its JSON spelling.
    pub field: &'static str,
    /// The values that allow the operation.
    pub is_one_of: &'static [&'static str],
}

/// The budgets of requests that the edge grants a caller; the limits themselves are configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Budget {
    /// What most requests are taken from: per user, or per address where nobody is signed in.
    General,
    /// Showing or setting a password or refresh token: tight, per address.
    Credentials,
    /// One-time codes: tighter still, per address.
    Codes,
}

impl Budget {
    /// Every budget.
    pub const ALL: [Budget; 3] = [Budget::General, Budget::Credentials, Budget::Codes];

    /// The name in settings and in `RateLimit-Policy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Budget::General => "general",
            Budget::Credentials => "credentials",
            Budget::Codes => "codes",
        }
    }
}

/// An HTTP method that the contract uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or acts.
    Post,
    /// Replaces.
    Put,
    /// Merges.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The method's name as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether the request's fields that are not in the path come in the body rather than in the query.
    pub const fn has_body(self) -> bool {
        matches!(self, Method::Post | Method::Put | Method::Patch)
    }
}

/// Whom a route serves, where two operations share a method and a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteCaller {
    /// With or without a token.
    Any,
    /// Only requests without an `Authorization` header.
    Anonymous,
    /// Only requests with one.
    SignedIn,
}

/// A REST route of an operation. Names in braces are fields of the request, in their JSON spelling:
/// `/clinics/{clinicId}/services`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// The HTTP method.
    pub method: Method,
    /// The path below `/api/v1`.
    pub path: &'static str,
    /// The status of a successful answer.
    pub status: u16,
    /// Whom the route serves.
    pub caller: RouteCaller,
    /// False: the path stands alone and is not repeated below `/api/v1` and `/api`.
    pub versioned: bool,
    /// None: the reply as JSON. Otherwise the reply has one field, `text`, which is the body, in this media type.
    pub text: Option<&'static str>,
}

impl Rest {
    const fn new(method: Method, path: &'static str, status: u16) -> Rest {
        Rest { method, path, status, caller: RouteCaller::Any, versioned: true, text: None }
    }

    /// `GET path`, answered with 200.
    pub const fn get(path: &'static str) -> Rest {
        Rest::new(Method::Get, path, 200)
    }

    /// `POST path`, answered with `status`.
    pub const fn post(path: &'static str, status: u16) -> Rest {
        Rest::new(Method::Post, path, status)
    }

    /// `PUT path`, answered with 200.
    pub const fn put(path: &'static str) -> Rest {
        Rest::new(Method::Put, path, 200)
    }

    /// `PATCH path`, answered with 200.
    pub const fn patch(path: &'static str) -> Rest {
        Rest::new(Method::Patch, path, 200)
    }

    /// `DELETE path`, answered with `status`.
    pub const fn delete(path: &'static str, status: u16) -> Rest {
        Rest::new(Method::Delete, path, status)
    }

    /// The same route for requests without a token only.
    pub const fn anonymous(self) -> Rest {
        Rest { caller: RouteCaller::Anonymous, ..self }
    }

    /// The same route for requests with a token only.
    pub const fn signed_in(self) -> Rest {
        Rest { caller: RouteCaller::SignedIn, ..self }
    }

    /// The same route outside `/api`, at exactly its path.
    pub const fn unversioned(self) -> Rest {
        Rest { versioned: false, ..self }
    }

    /// The same route, answered with the reply's `text` in this media type.
    pub const fn as_text(self, media_type: &'static str) -> Rest {
        Rest { text: Some(media_type), ..self }
    }

    /// The names in braces, in order. The last segment may go on after the brace: `/calendars/{token}.ics`.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|part| Some(part.strip_prefix('{')?.split_once('}')?.0))
    }

    /// What follows the last brace of the path: `.ics`; empty for most.
    pub fn path_suffix(&self) -> &'static str {
        self.path.rsplit_once('}').map(|(_, suffix)| suffix).filter(|suffix| !suffix.contains('/')).unwrap_or_default()
    }
}
