//! How failures are written down.

use crate::refusals::is_only_counted;
use std::time::Duration;
use subjects::{ErrorCode, Fault};

/// What a handler said when it panicked.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

/// The one place where a failed request is logged: our own faults with the chain of their causes. What is refused for want
/// of room is counted.
pub(crate) fn log_fault(fault: &Fault, took: Duration) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if fault.code == ErrorCode::Internal {
        tracing::error!(code = fault.code.as_str(), reason = %fault.reason, duration_ms, error = chain(fault), "request failed");
    } else if fault.code.is_ours() && !is_only_counted(fault) {
        tracing::warn!(code = fault.code.as_str(), reason = %fault.reason, duration_ms, error = chain(fault), "request failed");
    } else {
        tracing::debug!(code = fault.code.as_str(), reason = %fault.reason, duration_ms, error = chain(fault), "request refused");
    }
}

/// An error with its causes, for logs.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
