//! The access rule of an operation, applied to a caller.
//!
//! What the roles allow that were made is no matter of tokens. Whoever answers an operation looks it up and notes it in
//! [`Caller::permitted`]; the edge, which has nowhere to look, leaves it to them ([`may_ask`]).

use crate::caller::Caller;
use subjects::{Access, Fault, Who};

/// Lets the caller pass when any kind in the rule does. For [`Who::Owner`] and [`Who::Member`] a signed-in user is
/// enough here; the handler decides on the row.
///
/// Refuses with 401 when signing in could help, and with 403 otherwise.
pub fn check_access(access: Access, caller: &Caller) -> Result<(), Fault> {
    if access.0.iter().any(|who| lets_in(*who, caller)) {
        return Ok(());
    }
    if caller.user.is_none() && access.admits_users() {
        return Err(Fault::unauthenticated());
    }
    Err(Fault::forbidden())
}

/// [`check_access`] for one who passes a request on: where a permission decides, whoever answers looks it up, and has its
/// audit log keep who tried without one.
///
/// # Errors
/// As of [`check_access`].
pub fn may_ask(access: Access, caller: &Caller) -> Result<(), Fault> {
    if caller.user.is_some() && access.takes_permission() {
        return Ok(());
    }
    check_access(access, caller)
}

/// [`check_access`] for one who offers what can be done and cannot look up what roles allow: whoever has a role that was
/// made may have the permission.
///
/// # Errors
/// As of [`check_access`].
pub fn may_pass(access: Access, caller: &Caller) -> Result<(), Fault> {
    let may_be_permitted = caller.user.as_ref().is_some_and(|user| !user.made_roles().is_empty());
    if may_be_permitted && access.takes_permission() {
        return Ok(());
    }
    check_access(access, caller)
}

fn lets_in(who: Who, caller: &Caller) -> bool {
    match who {
        Who::Public => true,
        Who::SignedIn | Who::Owner | Who::Member(_) => caller.user.is_some(),
        Who::Role(role) => caller.user.as_ref().is_some_and(|user| user.has_role(role)),
        Who::Permitted => caller.is_permitted(),
        // Every call of the edge carries the edge's service token, also one for nobody in particular: that counts for
        // nothing.
        Who::Service => caller.trusted_service().is_some(),
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
        check(Access::PERMITTED, [401, 403, 0, 401, 401, 403]);
        check(Access::SERVICE, [403, 403, 403, 0, 403, 403]);
        check(Access(&[]), [403, 403, 403, 403, 403, 403]);
    }

    #[test]
    fn a_role_that_was_made_lets_in_where_it_has_the_permission() {
        let support = user(&[Role::parse("support").unwrap()]);
        let permitted = Caller { permitted: true, ..support.clone() };
        let status = |outcome: Result<(), Fault>| outcome.err().map_or(0, |fault| fault.code.status());
        assert_eq!(status(check_access(Access::PERMITTED, &support)), 403);
        assert_eq!(status(check_access(Access::PERMITTED, &permitted)), 0);
        assert_eq!(status(check_access(Access::SERVICE, &permitted)), 403);
        // Whoever passes on leaves it to the other where a permission decides, and offers what a permission may allow.
        assert_eq!(status(may_ask(Access::PERMITTED, &user(&[Role::Customer]))), 0);
        assert_eq!(status(may_ask(Access::SERVICE, &permitted)), 403);
        assert_eq!(status(may_ask(Access::PERMITTED, &Caller::anonymous())), 401);
        assert_eq!(status(may_pass(Access::PERMITTED, &support)), 0);
        assert_eq!(status(may_pass(Access::SERVICE, &support)), 403);
        assert_eq!(status(may_pass(Access::PERMITTED, &user(&[Role::Customer]))), 403);
        assert_eq!(status(may_pass(Access::PERMITTED, &Caller::anonymous())), 401);
    }

    #[test]
    fn the_edges_own_identity_opens_nothing_that_users_reach() {
        check(Access(&[Who::Permitted, Who::Service]), [401, 403, 0, 0, 401, 403]);
        check(Access(&[Who::Owner, Who::Service]), [401, 0, 0, 0, 401, 0]);
    }
}
