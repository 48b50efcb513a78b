//! The access rule of an operation, applied to a caller.

use crate::caller::Caller;
use subjects::{Access, Fault, Who};

/// Lets the caller pass when any kind in the rule does. For [`Who::Owner`] and [`Who::Member`] a signed-in user is
/// enough here; the handler decides on the row.
///
/// Refuses with 401 when signing in could help, and with 403 otherwise.
pub fn check_access(access: Access, caller: &Caller) -> Result<(), Fault> {
    if access.0.iter().any(|who| lets_in(*who, access, caller)) {
        return Ok(());
    }
    if caller.user.is_none() && access.admits_users() {
        return Err(Fault::unauthenticated());
    }
    Err(Fault::forbidden())
}

fn lets_in(who: Who, access: Access, caller: &Caller) -> bool {
    match who {
        Who::Public => true,
        Who::SignedIn | Who::Owner | Who::Member(_) => caller.user.is_some(),
        Who::Role(role) => caller.user.as_ref().is_some_and(|user| user.has_role(role)),
        // Every call of the edge carries the edge's service token, also one for nobody in particular. If that
        // counted where users are admitted too, the rule for users would be void.
        Who::Service if access.admits_users() => caller.trusted_service().is_some(),
        Who::Service => caller.service.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::User;
    use subjects::ids::{SessionId, UserId};
    use subjects::{MembershipRole, Role};

    fn user(roles: &[Role]) -> Caller {
        Caller::of_user(User { id: UserId::new(), session: SessionId::new(), roles: roles.to_vec() })
    }

    /// The status that each caller gets (0 for passing): nobody, customer, platform admin, booking, the edge for
    /// nobody, the edge for a customer.
    #[track_caller]
    fn check(access: Access, expected: [u16; 6]) {
        let customer = user(&[Role::Customer]);
        let edge_for_customer = Caller { service: Some("edge".to_owned()), ..customer.clone() };
        let callers = [
            Caller::anonymous(),
            customer,
            user(&[Role::PlatformAdmin]),
            Caller::of_service("booking"),
            Caller::of_service("edge"),
            edge_for_customer,
        ];
        let statuses = callers.map(|caller| match check_access(access, &caller) {
            Ok(()) => 0,
            Err(fault) => fault.code.status(),
        });
        assert_eq!(statuses, expected, "{access:?}");
    }

    #[test]
    fn each_rule_lets_in_exactly_whom_it_names() {
        check(Access::PUBLIC, [0, 0, 0, 0, 0, 0]);
        check(Access::SIGNED_IN, [401, 0, 0, 401, 401, 0]);
        check(Access::OWNER, [401, 0, 0, 401, 401, 0]);
        check(Access(&[Who::Member(MembershipRole::ClinicStaff)]), [401, 0, 0, 401, 401, 0]);
        check(Access::PLATFORM_ADMIN, [401, 403, 0, 401, 401, 403]);
        check(Access::SERVICE, [403, 403, 403, 0, 0, 0]);
        check(Access(&[]), [403, 403, 403, 403, 403, 403]);
    }

    #[test]
    fn the_edges_own_identity_opens_nothing_that_users_reach() {
        check(Access(&[Who::Role(Role::PlatformAdmin), Who::Service]), [401, 403, 0, 0, 401, 403]);
        check(Access(&[Who::Owner, Who::Service]), [401, 0, 0, 0, 401, 0]);
    }
}
