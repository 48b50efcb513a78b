//! Roles of users.

use crate::values::UnknownName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A role that a user holds on the whole platform. It travels in tokens, by its name. Two are built in; what the others
/// allow is decided by those who run the platform, as permissions ([`crate::permissions`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Someone who books and buys. Documents 002 and 004 call it `user`.
    Customer,
    /// Someone who runs the platform, and has every permission. Documents 002 and 004 call it `admin`.
    PlatformAdmin,
    /// One that those who run the platform have made.
    Other(RoleName),
}

impl Role {
    /// The roles that are always there.
    pub const BUILT_IN: [Role; 2] = [Role::Customer, Role::PlatformAdmin];

    /// The name on the wire and in the database.
    pub fn as_str(&self) -> &str {
        match self {
            Role::Customer => "customer",
            Role::PlatformAdmin => "platform_admin",
            Role::Other(name) => name.as_str(),
        }
    }

    /// Reads a role by its name or its older name. None: no role has such a name.
    pub fn parse(name: &str) -> Option<Role> {
        match name {
            "customer" | "user" => Some(Role::Customer),
            "platform_admin" | "admin" => Some(Role::PlatformAdmin),
            name => RoleName::parse(name).map(Role::Other),
        }
    }

    /// Whether it is always there, and allows what it allows.
    pub const fn is_built_in(&self) -> bool {
        !matches!(self, Role::Other(_))
    }

    /// Its name, where it is one that was made.
    pub const fn made(&self) -> Option<RoleName> {
        match self {
            Role::Other(name) => Some(*name),
            Role::Customer | Role::PlatformAdmin => None,
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Role::parse(&name).ok_or_else(|| D::Error::custom(UnknownName))
    }
}

impl JsonSchema for Role {
    fn schema_name() -> Cow<'static, str> {
        "Role".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 2,
            "maxLength": RoleName::LONGEST,
            "pattern": RoleName::PATTERN,
            "description": "The name of a role that a user holds on the whole platform: `customer` (someone who books and \
                buys; older: `user`), `platform_admin` (someone who runs the platform; older: `admin`), or one that those \
                who run the platform have made.",
            "examples": ["customer", "platform_admin", "support"],
        })
    }
}

/// The name of a role that was made: a small letter, then small letters, digits and underscores, 2 to 40 in all.
///
/// It is copied about with the access rules, so it lies here in full rather than in a `String`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleName {
    /// Filled up with noughts, which no name holds.
    bytes: [u8; RoleName::LONGEST],
}

impl RoleName {
    const LONGEST: usize = 40;
    /// Which texts are names, as a regular expression.
    pub const PATTERN: &'static str = "^[a-z][a-z0-9_]{1,39}$";

    fn parse(name: &str) -> Option<RoleName> {
        let is_of_names = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins_well = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        if !begins_well || name.len() < 2 || !name.bytes().all(is_of_names) {
            return None;
        }
        let mut bytes = [0; RoleName::LONGEST];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(RoleName { bytes })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let filled = self.bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(filled).unwrap_or_default()
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role that is always there, as events tell it: who listens may be of a release that knows no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BuiltInRole")]
pub enum BuiltInRole {
    /// See [`Role::Customer`].
    #[serde(alias = "user")]
    Customer,
    /// See [`Role::PlatformAdmin`].
    #[serde(alias = "admin")]
    PlatformAdmin,
}

impl BuiltInRole {
    /// The role, where it is one that is always there.
    pub const fn of(role: Role) -> Option<BuiltInRole> {
        match role {
            Role::Customer => Some(BuiltInRole::Customer),
            Role::PlatformAdmin => Some(BuiltInRole::PlatformAdmin),
            Role::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for name in ["customer", "platform_admin", "support", "a1", &"x".repeat(40)] {
            let role = Role::parse(name).unwrap();
            assert_eq!(role.as_str(), name);
            assert_eq!(serde_json::from_value::<Role>(serde_json::json!(name)).unwrap(), role);
            assert_eq!(serde_json::to_value(role).unwrap(), name);
        }
        assert_eq!(Role::parse("user"), Some(Role::Customer));
        assert_eq!(Role::parse("admin"), Some(Role::PlatformAdmin));
    }

    #[test]
    fn what_is_no_name_is_no_role() {
        let pattern = regex_lite(RoleName::PATTERN);
        for name in ["", "a", "Support", "1st", "_x", "a-b", "a b", "a\0b", "é", "süd", &"x".repeat(41)] {
            assert_eq!(Role::parse(name), None, "{name}");
            assert!(!pattern(name), "{name}");
        }
        for name in ["support", "a1", &"x".repeat(40)] {
            assert!(pattern(name), "{name}");
        }
    }

    /// Whether a text matches, as the schema's readers see it.
    fn regex_lite(pattern: &'static str) -> impl Fn(&str) -> bool {
        let schema = serde_json::json!({ "type": "string", "pattern": pattern });
        let validator = jsonschema::validator_for(&schema).unwrap();
        move |text| validator.is_valid(&serde_json::json!(text))
    }

    #[test]
    fn the_built_in_come_first() {
        let support = Role::parse("support").unwrap();
        assert!(Role::Customer < Role::PlatformAdmin && Role::PlatformAdmin < support);
        assert!(!support.is_built_in() && support.made().is_some());
        assert_eq!(BuiltInRole::of(support), None);
        assert_eq!(Role::BUILT_IN.map(|role| BuiltInRole::of(role).is_some()), [true, true]);
    }
}
