//! Permissions: what roles may be given. There is one for each operation whose access rule says so, so the list follows
//! from the contract and cannot differ from it.

use crate::access::Access;
use crate::catalogue;
use crate::documents::{Shape, generator, summary};
use schemars::generate::SchemaSettings;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Its name: as a rule the subject of the operation that it is for.
    pub name: &'static str,
    /// What the operation does: the first sentence of its description.
    pub description: String,
    /// Whether others than those who have it are let in as well: then it is for the rows of everybody.
    pub extends: bool,
}

static PERMISSIONS: LazyLock<BTreeMap<&'static str, Permission>> = LazyLock::new(|| {
    let mut schemas = generator(SchemaSettings::draft2020_12());
    let mut by_name = BTreeMap::new();
    for operation in catalogue::operations() {
        let Some(name) = operation.permission else { continue };
        let schema = (operation.request_schema)(&mut schemas);
        let description = summary(&Shape::of(&schema, &schemas).description);
        let extends = operation.access != Access::PERMITTED;
        by_name.entry(name).or_insert(Permission { name, description, extends });
    }
    by_name
});

/// Every permission, by name.
pub fn all() -> impl Iterator<Item = &'static Permission> {
    PERMISSIONS.values()
}

/// Whether there is a permission of this name.
pub fn exists(name: &str) -> bool {
    PERMISSIONS.contains_key(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_of_those_who_run_the_platform_has_its_permission() {
        for name in ["vendor.approve", "role.update", "user.findAll", "booking.findOne", "ops.outboxStatus"] {
            assert!(exists(name), "{name}");
        }
        for operation in catalogue::operations() {
            assert_eq!(operation.permission.is_some(), operation.access.takes_permission(), "{}", operation.subject);
        }
        // What is one's own affair, or everybody's, nobody is given.
        for name in ["auth.login", "pet.findOne", "booking.create", "vendor.snapshot", "vendor.aprove", ""] {
            assert!(!exists(name), "{name}");
        }
    }

    #[test]
    fn permissions_are_described_and_well_named() {
        assert!(all().count() > 40);
        for Permission { name, description, .. } in all() {
            assert!(!description.is_empty(), "{name}");
            let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
            assert!(name.len() <= 100 && name.split('.').count() == 2 && name.split('.').all(is_word), "{name}");
        }
    }

    #[test]
    fn what_only_permission_opens_is_told_from_what_it_widens() {
        let extends = |name: &str| all().find(|permission| permission.name == name).unwrap().extends;
        assert!(!extends("vendor.approve"));
        assert!(extends("vendor.findOne") && extends("user.findOne"));
    }
}
