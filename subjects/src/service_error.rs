//! A service's own errors: an enum for those who handle them, a [`Fault`] on the way.

use crate::error::{ErrorCode, Fault, Violation};

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
                <Self as $crate::service_error::ServiceError>::from_fault(fault.into())
            }
        }

        impl $crate::service_error::ServiceError for $name {
            fn into_fault(self) -> $crate::error::Fault {
                match self {
                    $( $name::$variant $( ( $detail ) )? =>
                    {
                        let fault =
                            $crate::error::Fault::new($crate::error::ErrorCode::$code, $message).with_reason($reason);
                        $( let fault = $crate::service_error::FaultDetail::put_into($detail, fault); )?
                        fault
                    } )+
                    $name::Fault(fault) => fault,
                }
            }

            fn from_fault(fault: $crate::error::Fault) -> Self {
                match fault.reason.as_ref() {
                    $( $reason => $name::$variant $( (
                        { let $detail: $details = $crate::service_error::FaultDetail::taken_from(fault); $detail }
                    ) )?, )+
                    _ => $name::Fault(fault),
                }
            }

            fn reasons() -> &'static [$crate::service_error::ErrorReason] {
                &[ $( $crate::service_error::ErrorReason {
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
}
