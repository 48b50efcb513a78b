//! Optimistic concurrency.

use subjects::{ErrorCode, Fault};

/// Refuses a change that is based on another version than the current one.
///
/// # Errors
/// [`ErrorCode::PreconditionFailed`], with the reason `version_mismatch`.
pub fn expect_version(expected: i64, current: i64) -> Result<(), Fault> {
    if expected == current {
        return Ok(());
    }
    let message = format!("it has changed: the current version is {current}, your change is based on {expected}");
    Err(Fault::new(ErrorCode::PreconditionFailed, message).with_reason("version_mismatch"))
}

/// [`expect_version`] where the caller has said on which version its change is based; without it there is none to check.
///
/// # Errors
/// As of [`expect_version`].
pub fn expect_version_if_given(expected: Option<i64>, current: i64) -> Result<(), Fault> {
    expected.map_or(Ok(()), |expected| expect_version(expected, current))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_version_may_be_changed() {
        assert_eq!(expect_version_if_given(None, 3), Ok(()));
        assert!(expect_version_if_given(Some(2), 3).is_err());
        assert_eq!(expect_version(3, 3), Ok(()));
        let refused = expect_version(2, 3).unwrap_err();
        assert_eq!((refused.code, refused.reason.as_ref()), (ErrorCode::PreconditionFailed, "version_mismatch"));
    }
}
