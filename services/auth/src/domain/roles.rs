//! What may become of roles, and who may give what.

use std::collections::BTreeSet;
use subjects::{Role, Violation, permissions};

/// How many roles there may be: they come on one page, and every service keeps them.
pub const MOST_ROLES: u64 = 100;

/// Names of permissions, each once.
pub type Permissions = BTreeSet<String>;

/// What somebody may do by permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// All that there is: whoever runs the platform.
    Everything,
    /// What their roles allow.
    These(Permissions),
}

impl Own {
    /// Whether a permission is among it.
    pub fn has(&self, permission: &str) -> bool {
        match self {
            Own::Everything => true,
            Own::These(own) => own.contains(permission),
        }
    }
}

/// What is named and is no permission, each at its place.
pub fn unknown_permissions(named: &[String]) -> Vec<Violation> {
    let unknown = named.iter().enumerate().filter(|(_, name)| !permissions::exists(name));
    unknown
        .map(|(index, name)| Violation::new(format!("/permissions/{index}"), format!("there is no permission {name}")))
        .collect()
}

/// What a change of a role gives or takes that the one who makes it does not have: nobody goes beyond their own rights by
/// way of a role, and nobody takes from others what they could not give.
pub fn beyond_own(own: &Own, before: &Permissions, after: &Permissions) -> Vec<Violation> {
    let beyond = before.symmetric_difference(after).filter(|permission| !own.has(permission));
    beyond.map(|permission| Violation::new("/permissions", format!("you do not have {permission}"))).collect()
}

/// Likewise of a change of somebody's roles: `allowed` is what a role allows. What customers may do, everybody may give. As
/// taking one signs them out everywhere, all that they have counts then.
pub fn roles_beyond_own(
    own: &Own,
    before: &[Role],
    after: &[Role],
    allowed: impl Fn(Role) -> Permissions,
) -> Vec<Violation> {
    let given = after.iter().filter(|role| !before.contains(role));
    let is_any_taken = before.iter().any(|role| !after.contains(role));
    let concerned_of_before = before.iter().filter(|_| is_any_taken);
    let beyond = given.chain(concerned_of_before).filter(|role| match (role, own) {
        (_, Own::Everything) | (Role::Customer, _) => false,
        (Role::PlatformAdmin, Own::These(_)) => true,
        (Role::Other(_), own) => allowed(**role).iter().any(|permission| !own.has(permission)),
    });
    beyond
        .map(|role| Violation::new("/roles", format!("{} allows what you may not do yourself", role.as_str())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Permissions {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn role(name: &str) -> Role {
        Role::parse(name).unwrap()
    }

    #[test]
    fn every_unknown_permission_is_named() {
        let named = ["vendor.approve", "vendor.aprove", "role.update", "nothing"].map(str::to_owned);
        let places: Vec<_> = unknown_permissions(&named).into_iter().map(|violation| violation.pointer).collect();
        assert_eq!(places, ["/permissions/1", "/permissions/3"]);
    }

    #[test]
    fn nobody_gives_or_takes_what_they_do_not_have() {
        let own = Own::These(set(&["role.update", "vendor.approve"]));
        let beyond = |own: &Own, before: &[&str], after: &[&str]| beyond_own(own, &set(before), &set(after)).len();
        assert_eq!(beyond(&own, &[], &["vendor.approve"]), 0);
        assert_eq!(beyond(&own, &[], &["vendor.approve", "vendor.reject", "user.findAll"]), 2);
        assert_eq!(beyond(&own, &["user.findAll"], &[]), 1);
        // What stays is nobody's affair.
        assert_eq!(beyond(&own, &["user.findAll"], &["user.findAll", "vendor.approve"]), 0);
        assert_eq!(beyond(&Own::Everything, &["user.findAll"], &["vendor.reject"]), 0);
    }

    #[test]
    fn nobody_gives_or_takes_a_role_that_goes_beyond_their_own() {
        let own = Own::These(set(&["role.assign", "vendor.approve"]));
        let allowed =
            |role: Role| if role.as_str() == "approver" { set(&["vendor.approve"]) } else { set(&["user.findAll"]) };
        let beyond = |own: &Own, before: &[&str], after: &[&str]| {
            let roles = |names: &[&str]| names.iter().map(|name| role(name)).collect::<Vec<_>>();
            roles_beyond_own(own, &roles(before), &roles(after), allowed).len()
        };
        assert_eq!(beyond(&own, &["customer"], &["customer", "approver"]), 0);
        assert_eq!(beyond(&own, &["approver", "customer"], &[]), 0);
        assert_eq!(beyond(&own, &[], &["platform_admin", "reader"]), 2);
        assert_eq!(beyond(&own, &["platform_admin"], &[]), 1);
        assert_eq!(beyond(&own, &["platform_admin"], &["platform_admin", "approver"]), 0);
        assert_eq!(beyond(&own, &["customer", "platform_admin"], &["platform_admin"]), 1);
        assert_eq!(beyond(&own, &["approver", "reader"], &["reader"]), 1);
        assert_eq!(beyond(&Own::Everything, &["platform_admin"], &["reader"]), 0);
    }
}
