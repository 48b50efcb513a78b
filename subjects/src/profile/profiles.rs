//! Profiles: what a person tells of themself.

use super::dates;
use super::errors::ProfileError;
use crate::access::{Access, Who};
use crate::ids::UserId;
use crate::patch::{self, present};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use chrono::NaiveDate;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a person tells of themself. Everybody has a profile from the beginning, empty and of version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The person.
    pub user_id: UserId,
    /// The name by which others see the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the person says of themself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// The address of the person's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// When the person was born.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
    /// When it last changed; absent where it never has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Instant>,
    /// Counts its changes.
    pub version: i64,
}

/// A person's profile: the caller's own unless another person is named, which only those may do who run the platform,
/// and services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindProfile {
    /// The person; absent: the caller.
    #[serde(default, alias = "id", skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub user_id: Option<UserId>,
}

impl Request for FindProfile {
    const SUBJECT: &'static str = "profile.findOne";
    const ACCESS: Access = Access(&[Who::Owner, Who::Permitted, Who::Service]);
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/profiles/{userId}"), Rest::get("/profiles/me")];
    type Reply = Profile;
    type Error = ProfileError;
}

/// Changes what is named of a profile and leaves the rest; null removes. Needs `If-Match`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateProfile {
    /// The person; absent: the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// The name by which others see the person: 1 to 80 characters; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(patch::readable))]
    pub display_name: Option<Option<String>>,
    /// What the person says of themself: at most 1,000 characters; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 1000), custom(patch::readable))]
    pub bio: Option<Option<String>>,
    /// The address of the person's picture, http or https; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(chars, max = 500), custom(patch::web_address))]
    pub avatar_url: Option<Option<String>>,
    /// When the person was born, not in the future; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[garde(custom(dates::of_a_life_if_set))]
    pub birth_date: Option<Option<NaiveDate>>,
}

impl Request for UpdateProfile {
    const SUBJECT: &'static str = "profile.update";
    const ACCESS: Access = Access(&[Who::Owner, Who::Permitted]);
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::patch("/profiles/{userId}"), Rest::patch("/profiles/me")];
    type Reply = Profile;
    type Error = ProfileError;
}
