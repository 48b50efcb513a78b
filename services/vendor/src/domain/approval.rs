//! The approval of vendors as a state machine.

use subjects::vendor::{VendorError, VendorStatus};

/// A step of the approval, with its reason where one is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The owner asks to be approved.
    Submit,
    /// The platform approves, or takes a suspended vendor back.
    Approve,
    /// The platform refuses.
    Reject(&'a str),
    /// The platform takes an approved vendor off.
    Suspend(&'a str),
}

impl<'a> Step<'a> {
    /// The status in which the step leaves the vendor.
    pub const fn target(self) -> VendorStatus {
        match self {
            Step::Submit => VendorStatus::Submitted,
            Step::Approve => VendorStatus::Approved,
            Step::Reject(_) => VendorStatus::Rejected,
            Step::Suspend(_) => VendorStatus::Suspended,
        }
    }

    /// The reason that is kept with the status.
    pub const fn reason(self) -> Option<&'a str> {
        match self {
            Step::Submit | Step::Approve => None,
            Step::Reject(reason) | Step::Suspend(reason) => Some(reason),
        }
    }

    const fn is_possible_from(self, status: VendorStatus) -> bool {
        match self {
            Step::Submit => matches!(status, VendorStatus::Draft | VendorStatus::Rejected),
            Step::Approve => matches!(status, VendorStatus::Submitted | VendorStatus::Suspended),
            Step::Reject(_) => matches!(status, VendorStatus::Submitted),
            Step::Suspend(_) => matches!(status, VendorStatus::Approved),
        }
    }
}

/// What a step does to a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor moves on.
    Moves,
    /// The vendor is there already, for the same reason: a repeated request changes nothing and is no error.
    IsThere,
}

/// Decides on a step from a status and the reason that is kept with it.
///
/// # Errors
/// [`VendorError::WrongState`] where the status does not allow the step.
pub fn decide(status: VendorStatus, kept_reason: Option<&str>, step: Step<'_>) -> Result<Outcome, VendorError> {
    if status == step.target() && kept_reason == step.reason() {
        Ok(Outcome::IsThere)
    } else if step.is_possible_from(status) {
        Ok(Outcome::Moves)
    } else {
        Err(VendorError::WrongState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use VendorStatus::{Approved, Draft, Rejected, Submitted, Suspended};

    const STEPS: [Step<'static>; 4] = [Step::Submit, Step::Approve, Step::Reject("why"), Step::Suspend("why")];

    #[test]
    fn only_these_moves_are_possible() {
        let mut moves = Vec::new();
        for status in VendorStatus::ALL {
            for step in STEPS {
                // Another reason than any that a step gives, so that nothing counts as repeated.
                if decide(status, Some("other"), step) == Ok(Outcome::Moves) {
                    moves.push((status, step.target()));
                }
            }
        }
        assert_eq!(
            moves,
            [
                (Draft, Submitted),
                (Submitted, Approved),
                (Submitted, Rejected),
                (Approved, Suspended),
                (Rejected, Submitted),
                (Suspended, Approved),
            ]
        );
    }

    #[test]
    fn a_repeated_step_changes_nothing() {
        for step in STEPS {
            assert_eq!(decide(step.target(), step.reason(), step), Ok(Outcome::IsThere), "{step:?}");
        }
        assert_eq!(decide(Rejected, Some("one"), Step::Reject("another")), Err(VendorError::WrongState));
    }
}
