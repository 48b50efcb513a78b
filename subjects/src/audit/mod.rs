//! The audit log: who did what that is sensitive, to what, from where, and how it ended.
//!
//! Which requests it keeps is declared with each operation ([`Request::AUDIT`](crate::Request::AUDIT)). Every service
//! keeps the entries of what it was asked for; the auth service is asked for all of them ([`FindAuditEntries`]) and asks
//! the others.

mod entries;
mod questions;

pub use entries::{AuditEntry, AuditFilter, AuditOutcome, AuditedService, FindAuditEntries};
pub use questions::{
    AuditQuestion, FindAuditEntriesOfBooking, FindAuditEntriesOfCatalog, FindAuditEntriesOfProfile,
    FindAuditEntriesOfVendor,
};

use crate::access::Access;
use crate::error::ErrorCode;
use crate::request::Effect;

/// Which requests of an operation the audit log keeps. What was answered again under an idempotency key is kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// None.
    Never,
    /// Those that were refused.
    Refusals,
    /// Those of callers who have the operation's permission, and reach everybody's rows by it; of all others those that
    /// were forbidden.
    Permitted,
    /// All.
    Always,
}

impl Audit {
    /// What an operation has where nothing else is declared: what a permission opens is kept, unless it is a look at what
    /// everybody may see.
    pub const fn of(access: Access, effect: Effect) -> Audit {
        let is_open_read = effect.is_read() && access.is_public();
        if access.takes_permission() && !is_open_read { Audit::Permitted } else { Audit::Never }
    }

    /// Whether it may matter how a request ends, of a caller who has the permission or not.
    pub const fn follows(self, permitted: bool) -> bool {
        match self {
            Audit::Never => false,
            Audit::Permitted => permitted,
            Audit::Refusals | Audit::Always => true,
        }
    }

    /// Whether a request is kept that was refused with this code; none where it was not refused.
    pub fn keeps(self, permitted: bool, refusal: Option<ErrorCode>) -> bool {
        match self {
            Audit::Never => false,
            Audit::Refusals => refusal.is_some(),
            Audit::Permitted => permitted || refusal == Some(ErrorCode::Forbidden),
            Audit::Always => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn what_permissions_open_is_kept_and_what_everybody_sees_is_not() {
        let audit = |subject: &str| catalogue::find(subject).unwrap().audit;
        for permitted in ["vendor.approve", "role.assign", "user.findAll", "user.findOne", "booking.findOne"] {
            assert_eq!(audit(permitted), Audit::Permitted, "{permitted}");
        }
        for never in ["vendor.findOne", "product.findAll", "pet.findOne", "auth.me", "vendor.auditEntries"] {
            assert_eq!(audit(never), Audit::Never, "{never}");
        }
        for always in ["auth.login", "auth.resetPassword", "privacy.erase", "membership.invite"] {
            assert_eq!(audit(always), Audit::Always, "{always}");
        }
        // No change by permission goes unseen.
        for operation in catalogue::operations().filter(|operation| operation.permission.is_some()) {
            let is_kept = operation.audit.keeps(true, None);
            assert!(is_kept || operation.effect.is_read(), "{}", operation.subject);
        }
    }

    #[test]
    fn without_the_permission_only_what_was_forbidden_is_kept() {
        let (forbidden, missing) = (Some(ErrorCode::Forbidden), Some(ErrorCode::NotFound));
        assert!(Audit::Permitted.keeps(true, None) && Audit::Permitted.keeps(true, missing));
        assert!(Audit::Permitted.keeps(false, forbidden));
        assert!(!Audit::Permitted.keeps(false, None) && !Audit::Permitted.keeps(false, missing));
        assert!(Audit::Refusals.keeps(false, missing) && !Audit::Refusals.keeps(true, None));
        assert!(Audit::Always.keeps(false, None) && !Audit::Never.keeps(true, forbidden));
    }
}
