//! Who a request comes from.

use crate::keys::EDGE;
use subjects::ids::{SessionId, UserId};
use subjects::{Fault, Role, RoleName};

/// A signed-in user, as a token tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The session that the token belongs to; look it up in [`crate::Revocations`].
    pub session: SessionId,
    /// The roles on the whole platform. Memberships never travel in tokens.
    pub roles: Vec<Role>,
}

impl User {
    /// The names of the user's roles that were made: what these allow has to be looked up.
    pub fn made_roles(&self) -> Vec<RoleName> {
        self.roles.iter().filter_map(Role::made).collect()
    }

    /// Whether the user holds this role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// Who a request comes from: the user it is for, and the service that sends it. Either may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The user of a verified user token.
    pub user: Option<User>,
    /// Who has signed the user token, and so vouches for the user: `edge`, `operator` or `neighbour`.
    pub signed_by: Option<String>,
    /// The service of a verified service token.
    pub service: Option<String>,
    /// Whether one of the user's roles that were made has the permission of the operation that is asked for. Tokens do not
    /// tell: whoever answers has looked it up, see [`crate::access`].
    pub permitted: bool,
}

impl Caller {
    /// Nobody in particular.
    pub fn anonymous() -> Caller {
        Caller::default()
    }

    /// A user, with no service in between.
    pub fn of_user(user: User) -> Caller {
        Caller { user: Some(user), ..Caller::default() }
    }

    /// A service on its own account.
    pub fn of_service(name: impl Into<String>) -> Caller {
        Caller { service: Some(name.into()), ..Caller::default() }
    }

    /// The user, or 401 when there is none.
    pub fn user(&self) -> Result<&User, Fault> {
        self.user.as_ref().ok_or_else(Fault::unauthenticated)
    }

    /// Whether the user may do with everybody's rows what is asked for: as one who runs the platform, or by a permission.
    pub fn is_permitted(&self) -> bool {
        self.user.as_ref().is_some_and(|user| self.permitted || user.has_role(Role::PlatformAdmin))
    }

    /// The calling service where it speaks with rights of its own. The edge does not: it passes on what anybody
    /// on the internet asks, so whatever users can reach must be decided on the user alone. A handler of an
    /// operation that is open to users and services decides on this and not on `service`.
    pub fn trusted_service(&self) -> Option<&str> {
        self.service.as_deref().filter(|name| *name != EDGE)
    }

    /// To whom an idempotency key belongs: `user:<id>`, `service:<name>` or `anonymous`. The last is all who are not
    /// signed in together: what they may ask under a key needs a narrower scope than this.
    pub fn scope(&self) -> String {
        match (&self.user, self.trusted_service()) {
            (Some(user), _) => format!("user:{}", user.id),
            (None, Some(service)) => format!("service:{service}"),
            (None, None) => "anonymous".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_names_the_user_first() {
        let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::PlatformAdmin] };
        let for_user = Caller { service: Some("booking".to_owned()), ..Caller::of_user(user.clone()) };
        assert_eq!(for_user.scope(), format!("user:{}", user.id));
        assert!(for_user.is_permitted());
        assert_eq!(for_user.user(), Ok(&user));

        let support = User { roles: vec![Role::Customer, Role::parse("support").unwrap()], ..user };
        assert_eq!(support.made_roles().len(), 1);
        let helper = Caller::of_user(support);
        assert!(!helper.is_permitted());
        assert!(Caller { permitted: true, ..helper }.is_permitted());
        assert!(!Caller { permitted: true, ..Caller::anonymous() }.is_permitted());

        assert_eq!(Caller::of_service("booking").scope(), "service:booking");
        assert_eq!(Caller::of_service("edge").scope(), "anonymous");
        assert_eq!(Caller::anonymous().scope(), "anonymous");
        assert_eq!(Caller::anonymous().user().map_err(|fault| fault.code.status()), Err(401));
    }
}
