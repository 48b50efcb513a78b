//! Versions of aggregates, the guard against lost edits.

use subjects::{ErrorCode, Fault};

/// Checks that a change is based on the current version.
///
/// # Errors
/// [`ErrorCode::PreconditionFailed`] where it is not.
pub fn expect_version(expected: i64, current: i64) -> Result<(), Fault> {
    if expected == current {
        return Ok(());
    }
    Err(Fault::new(ErrorCode::PreconditionFailed, "it has changed since: read it again and repeat the change"))
}
