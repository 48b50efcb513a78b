//! Errors: a closed set of codes, and faults that say in public what went wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Every kind of failure there is. Each has one HTTP status, which is its NATS service error code too (ADR-32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed or breaks a rule that needs no database to check.
    BadRequest,
    /// No valid identity was shown.
    Unauthenticated,
    /// The identity shown may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// The path exists, but not for this method.
    MethodNotAllowed,
    /// No representation that the caller accepts.
    NotAcceptable,
    /// The client did not send all of its request in time.
    RequestTimeout,
    /// The current state does not allow it.
    Conflict,
    /// It was there and is not any more.
    Gone,
    /// `If-Match` names a version that is not the current one.
    PreconditionFailed,
    /// The body is larger than allowed.
    PayloadTooLarge,
    /// The body's content type is not understood.
    UnsupportedMediaType,
    /// An idempotency key was used before with another body.
    Unprocessable,
    /// A change was asked for without `If-Match`.
    PreconditionRequired,
    /// Too many requests.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// A part that is needed is away or too busy.
    Unavailable,
    /// No answer within the deadline.
    DeadlineExceeded,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [ErrorCode; 18] = [
        ErrorCode::BadRequest,
        ErrorCode::Unauthenticated,
        ErrorCode::Forbidden,
        ErrorCode::NotFound,
        ErrorCode::MethodNotAllowed,
        ErrorCode::NotAcceptable,
        ErrorCode::RequestTimeout,
        ErrorCode::Conflict,
        ErrorCode::Gone,
        ErrorCode::PreconditionFailed,
        ErrorCode::PayloadTooLarge,
        ErrorCode::UnsupportedMediaType,
        ErrorCode::Unprocessable,
        ErrorCode::PreconditionRequired,
        ErrorCode::RateLimited,
        ErrorCode::Internal,
        ErrorCode::Unavailable,
        ErrorCode::DeadlineExceeded,
    ];

    /// The HTTP status (RFC 9110, RFC 6585), also the NATS service error code.
    pub const fn status(self) -> u16 {
        match self {
            ErrorCode::BadRequest => 400,
            ErrorCode::Unauthenticated => 401,
            ErrorCode::Forbidden => 403,
            ErrorCode::NotFound => 404,
            ErrorCode::MethodNotAllowed => 405,
            ErrorCode::NotAcceptable => 406,
            ErrorCode::RequestTimeout => 408,
            ErrorCode::Conflict => 409,
            ErrorCode::Gone => 410,
            ErrorCode::PreconditionFailed => 412,
            ErrorCode::PayloadTooLarge => 413,
            ErrorCode::UnsupportedMediaType => 415,
            ErrorCode::Unprocessable => 422,
            ErrorCode::PreconditionRequired => 428,
            ErrorCode::RateLimited => 429,
            ErrorCode::Internal => 500,
            ErrorCode::Unavailable => 503,
            ErrorCode::DeadlineExceeded => 504,
        }
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::BadRequest => "bad_request",
            ErrorCode::Unauthenticated => "unauthenticated",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::NotFound => "not_found",
            ErrorCode::MethodNotAllowed => "method_not_allowed",
            ErrorCode::NotAcceptable => "not_acceptable",
            ErrorCode::RequestTimeout => "request_timeout",
            ErrorCode::Conflict => "conflict",
            ErrorCode::Gone => "gone",
            ErrorCode::PreconditionFailed => "precondition_failed",
            ErrorCode::PayloadTooLarge => "payload_too_large",
            ErrorCode::UnsupportedMediaType => "unsupported_media_type",
            ErrorCode::Unprocessable => "unprocessable",
            ErrorCode::PreconditionRequired => "precondition_required",
            ErrorCode::RateLimited => "rate_limited",
            ErrorCode::Internal => "internal",
            ErrorCode::Unavailable => "unavailable",
            ErrorCode::DeadlineExceeded => "deadline_exceeded",
        }
    }

    /// Whether the fault lies with the platform rather than with the caller.
    pub const fn is_ours(self) -> bool {
        self.status() >= 500
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the request; empty for the whole of it.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl Violation {
    /// A violation at a JSON Pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Violation {
        Violation { pointer: pointer.into(), message: message.into() }
    }
}

/// A failure as it travels: what the caller may know, and beside it, never sent, what we should know.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The kind.
    pub code: ErrorCode,
    /// A stable name for programs, for example `slot_taken`. Where nothing finer is known, the code's name.
    pub reason: Cow<'static, str>,
    /// A sentence for people.
    pub message: Cow<'static, str>,
    /// All that is wrong with the request, for bad input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// After how many milliseconds trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The cause, for our logs only.
    #[serde(skip)]
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    /// A fault with the code's own name as its reason.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            code,
            reason: Cow::Borrowed(code.as_str()),
            message: message.into(),
            violations: Vec::new(),
            retry_after_ms: None,
            source: None,
        }
    }

    /// A fault of ours, with its cause; the caller learns nothing of it.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
        let mut fault = Fault::new(ErrorCode::Internal, "something went wrong on our side");
        fault.source = Some(Arc::from(source.into()));
        fault
    }

    /// Bad input with all its violations.
    pub fn invalid(violations: Vec<Violation>) -> Fault {
        let mut fault = Fault::new(ErrorCode::BadRequest, "the request breaks one or more rules");
        fault.reason = Cow::Borrowed("invalid_request");
        fault.violations = violations;
        fault
    }

    /// No identity, or none that holds.
    pub fn unauthenticated() -> Fault {
        Fault::new(ErrorCode::Unauthenticated, "a valid access token is needed")
    }

    /// An identity that may not do this.
    pub fn forbidden() -> Fault {
        Fault::new(ErrorCode::Forbidden, "you may not do this")
    }

    /// No such thing.
    pub fn not_found(what: &str) -> Fault {
        Fault::new(ErrorCode::NotFound, format!("there is no such {what}"))
    }

    /// A part is away or too busy; try again after a time.
    pub fn unavailable(retry_after_ms: u64) -> Fault {
        let mut fault = Fault::new(ErrorCode::Unavailable, "a part that is needed is not available right now");
        fault.retry_after_ms = Some(retry_after_ms);
        fault
    }

    /// No answer in time.
    pub fn deadline_exceeded() -> Fault {
        Fault::new(ErrorCode::DeadlineExceeded, "there was no answer within the deadline")
    }

    /// The same fault with a finer reason.
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Fault {
        self.reason = reason.into();
        self
    }

    /// The same fault with what exactly is in the way, each at its place in the request.
    pub fn with_violations(mut self, violations: Vec<Violation>) -> Fault {
        self.violations = violations;
        self
    }

    /// The same fault with its cause, for our logs only.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Fault) -> bool {
        self.code == other.code
            && self.reason == other.reason
            && self.message == other.message
            && self.violations == other.violations
            && self.retry_after_ms == other.retry_after_ms
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_internal_text_never_travels() {
        let fault = Fault::internal("password=hunter2");
        assert!(!serde_json::to_string(&fault).unwrap().contains("hunter2"));
    }

    #[test]
    fn codes_on_the_wire_are_their_names() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
