//! Who may do what with accounts.

use chrono::TimeDelta;
use identity::Caller;
use identity::tokens::{ACCESS_TOKEN_LIFETIME, MESH_TOKEN_LIFETIME};
use subjects::auth::UserStatus;
use subjects::ids::UserId;
use subjects::time::Instant;
use subjects::{Fault, Role};

/// How long a pending account waits to be activated.
pub const PENDING_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// How much the clocks of those who check tokens may differ.
const CLOCK_ALLOWANCE: TimeDelta = TimeDelta::seconds(30);

/// Lets in the user, those who run the platform, and other services. Nobody else.
pub fn check_reaches(caller: &Caller, user: UserId) -> Result<(), Fault> {
    let is_own = caller.user.as_ref().is_some_and(|signed_in| signed_in.id == user);
    if is_own || governs_accounts(caller) {
        return Ok(());
    }
    Err(Fault::forbidden())
}

/// Lets in those who may lock and unlock accounts.
pub fn check_may_set_status(caller: &Caller) -> Result<(), Fault> {
    if governs_accounts(caller) { Ok(()) } else { Err(Fault::forbidden()) }
}

fn governs_accounts(caller: &Caller) -> bool {
    caller.is_permitted() || caller.trusted_service().is_some()
}

/// Whether a change of status ends the user's sessions.
pub fn status_ends_sessions(before: UserStatus, after: UserStatus) -> bool {
    before.can_sign_in() && !after.can_sign_in()
}

/// Whether a change of roles ends the user's sessions: tokens carry roles, and one that was taken must not go on.
pub fn roles_end_sessions(before: &[Role], after: &[Role]) -> bool {
    before.iter().any(|role| !after.contains(role))
}

/// Until when a token could hold that was made for a session which ends at `revoked_at`: an access token of that
/// moment, and a user token that the edge made from it at its last.
pub fn last_token_expiry(revoked_at: Instant) -> Instant {
    revoked_at + ACCESS_TOKEN_LIFETIME + MESH_TOKEN_LIFETIME + CLOCK_ALLOWANCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::User;
    use subjects::ids::SessionId;

    fn caller(id: UserId, roles: &[Role], service: Option<&str>) -> Caller {
        let user = User { id, session: SessionId::new(), roles: roles.to_vec() };
        Caller { service: service.map(str::to_owned), ..Caller::of_user(user) }
    }

    #[test]
    fn an_account_is_reached_by_its_owner_admins_and_services() {
        let owner = UserId::new();
        let stranger = UserId::new();
        assert!(check_reaches(&caller(owner, &[], Some("edge")), owner).is_ok());
        assert!(check_reaches(&caller(stranger, &[Role::Customer], Some("edge")), owner).is_err());
        assert!(check_reaches(&caller(stranger, &[Role::PlatformAdmin], Some("edge")), owner).is_ok());
        assert!(check_reaches(&caller(stranger, &[], Some("booking")), owner).is_ok());
        assert!(check_reaches(&Caller::of_service("edge"), owner).is_err());
        assert!(check_reaches(&Caller::of_service("vendor"), owner).is_ok());
        assert!(check_reaches(&Caller::anonymous(), owner).is_err());
    }

    #[test]
    fn nobody_unlocks_their_own_account() {
        assert!(check_may_set_status(&caller(UserId::new(), &[Role::Customer], Some("edge"))).is_err());
        assert!(check_may_set_status(&caller(UserId::new(), &[Role::PlatformAdmin], Some("edge"))).is_ok());
    }

    #[test]
    fn sessions_end_when_rights_are_lost_and_not_when_they_are_gained() {
        use UserStatus::{Active, Inactive, Suspended};
        assert!(status_ends_sessions(Active, Suspended));
        assert!(status_ends_sessions(Active, Inactive));
        assert!(!status_ends_sessions(Suspended, Active));
        assert!(!status_ends_sessions(Active, Active));
        assert!(roles_end_sessions(&Role::BUILT_IN, &[Role::Customer]));
        assert!(!roles_end_sessions(&[Role::Customer], &Role::BUILT_IN));
        assert!(!roles_end_sessions(&[], &[Role::Customer]));
    }
}
