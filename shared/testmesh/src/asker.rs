//! Who asks.

use identity::User;
use subjects::Role;
use subjects::ids::{SessionId, UserId};

/// Who asks.
#[derive(Debug, Clone)]
pub enum Asker {
    /// Somebody who is not signed in, through the edge.
    Nobody,
    /// A signed-in user, through the edge.
    User(User),
    /// Whoever holds this access token, through the edge, which makes a user token of it.
    Token(String),
    /// Another service, for nobody.
    Service(&'static str),
}

/// Somebody with these roles.
pub fn user(roles: &[Role]) -> Asker {
    Asker::User(User { id: UserId::new(), session: SessionId::new(), roles: roles.to_vec() })
}

/// Somebody who is only a customer.
pub fn customer() -> Asker {
    user(&[Role::Customer])
}

/// Somebody who runs the platform.
pub fn platform_admin() -> Asker {
    user(&[Role::PlatformAdmin])
}

impl Asker {
    /// The id of a user that was made here.
    pub fn id(&self) -> UserId {
        match self {
            Asker::User(user) => user.id,
            other => panic!("{other:?} has no id"),
        }
    }
}
