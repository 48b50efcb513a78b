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

/// What a service's own refusal tells beside its reason: it travels in a field of the [`Fault`].
pub trait FaultDetail {
    /// The fault with this detail.
    fn put_into(self, fault: Fault) -> Fault;
    /// The detail of a fault that came back.
    fn taken_from(fault: Fault) -> Self;
}

impl FaultDetail for Vec<Violation> {
    fn put_into(self, fault: Fault) -> Fault {
        fault.with_violations(self)
    }

    fn taken_from(fault: Fault) -> Vec<Violation> {
        fault.violations
    }
}

/// After how many milliseconds trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfterMs(pub u64);

impl FaultDetail for RetryAfterMs {
    fn put_into(self, fault: Fault) -> Fault {
        Fault { retry_after_ms: Some(self.0), ..fault }
    }

    fn taken_from(fault: Fault) -> RetryAfterMs {
        RetryAfterMs(fault.retry_after_ms.unwrap_or_default())
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

/// One refusal that a service can give, as data for documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReason {
    /// The kind.
    pub code: ErrorCode,
    /// The stable name.
    pub reason: &'static str,
    /// The public sentence.
    pub message: &'static str,
}

/// A service's own errors. They travel as a [`Fault`], and the caller gets the enum back.
pub trait ServiceError: std::error::Error + Sized + Send + Sync + 'static {
    /// What travels.
    fn into_fault(self) -> Fault;
    /// What the caller gets back.
    fn from_fault(fault: Fault) -> Self;
    /// Every refusal that is the service's own.
    fn reasons() -> &'static [ErrorReason];
}

/// The error of operations that refuse nothing of their own.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(transparent)]
pub struct NoError(#[from] pub Fault);

impl ServiceError for NoError {
    fn into_fault(self) -> Fault {
        self.0
    }
    fn from_fault(fault: Fault) -> Self {
        NoError(fault)
    }
    fn reasons() -> &'static [ErrorReason] {
        &[]
    }
}

/// Declares a service's error enum: each variant with its code, its stable reason and its public message.
/// A variant may carry a [`FaultDetail`]: the violations that tell exactly what is in the way, or when to come again.
/// Everything else that can go wrong is the variant `Fault`, into which `?` turns whatever has a `From` into [`Fault`].
///
/// ```text
/// service_error! {
///     /// What booking refuses.
///     pub enum BookingError {
///         /// Someone else has that time.
///         SlotTaken = Conflict, "slot_taken", "that time is already taken";
///         /// Some lines want more than there is.
///         OutOfStock(lines: Vec<Violation>) = Conflict, "out_of_stock", "there is not enough of something";
///     }
/// }
/// ```
#[macro_export]
macro_rules! service_error {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident $( ( $detail:ident : $details:ty ) )? = $code:ident, $reason:literal, $message:literal;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, thiserror::Error)]
        pub enum $name {
            $( $(#[$variant_meta])* #[error($message)] $variant $( ( $details ) )?, )+
            /// Any failure that is not this service's own to name.
            #[error(transparent)]
            Fault($crate::error::Fault),
        }

        impl<F: Into<$crate::error::Fault>> From<F> for $name {
            fn from(fault: F) -> Self {
                <Self as $crate::error::ServiceError>::from_fault(fault.into())
            }
        }

        impl $crate::error::ServiceError for $name {
            fn into_fault(self) -> $crate::error::Fault {
                match self {
                    $( $name::$variant $( ( $detail ) )? =>
                    {
                        let fault =
                            $crate::error::Fault::new($crate::error::ErrorCode::$code, $message).with_reason($reason);
                        $( let fault = $crate::error::FaultDetail::put_into($detail, fault); )?
                        fault
                    } )+
                    $name::Fault(fault) => fault,
                }
            }

            fn from_fault(fault: $crate::error::Fault) -> Self {
                match fault.reason.as_ref() {
                    $( $reason => $name::$variant $( (
                        { let $detail: $details = $crate::error::FaultDetail::taken_from(fault); $detail }
                    ) )?, )+
                    _ => $name::Fault(fault),
                }
            }

            fn reasons() -> &'static [$crate::error::ErrorReason] {
                &[ $( $crate::error::ErrorReason {
                    code: $crate::error::ErrorCode::$code,
                    reason: $reason,
                    message: $message,
                }, )+ ]
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    service_error! {
        /// An example.
        pub enum ExampleError {
            /// Taken.
            Taken = Conflict, "taken", "it is taken";
            /// Short of something.
            Short(lines: Vec<Violation>) = Conflict, "short", "there is too little";
            /// Not now.
            TooSoon(wait: RetryAfterMs) = RateLimited, "too_soon", "wait for a while";
        }
    }

    #[test]
    fn when_to_come_again_travels_along() {
        let error = ExampleError::TooSoon(RetryAfterMs(1_500));
        let travelling = serde_json::to_string(&error.clone().into_fault()).unwrap();
        let fault: Fault = serde_json::from_str(&travelling).unwrap();
        assert_eq!((fault.code, fault.retry_after_ms), (ErrorCode::RateLimited, Some(1_500)));
        assert_eq!(ExampleError::from_fault(fault), error);
    }

    #[test]
    fn what_exactly_is_in_the_way_travels_along() {
        let error = ExampleError::Short(vec![Violation::new("/lines/2", "2 are left")]);
        let travelling = serde_json::to_string(&error.clone().into_fault()).unwrap();
        let fault: Fault = serde_json::from_str(&travelling).unwrap();
        assert_eq!((fault.code, fault.violations.len()), (ErrorCode::Conflict, 1));
        assert_eq!(ExampleError::from_fault(fault), error);
    }

    #[test]
    fn an_error_comes_back_as_the_variant_it_was() {
        let travelling = serde_json::to_string(&ExampleError::Taken.into_fault()).unwrap();
        let fault: Fault = serde_json::from_str(&travelling).unwrap();
        assert_eq!(ExampleError::from_fault(fault), ExampleError::Taken);
    }

    #[test]
    fn a_common_fault_converts_with_the_question_mark() {
        fn refuse() -> Result<(), ExampleError> {
            Err(Fault::forbidden())?;
            Ok(())
        }
        assert_eq!(refuse(), Err(ExampleError::Fault(Fault::forbidden())));
    }

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
