//! Preferences: how the platform is to speak to a person.

use super::errors::ProfileError;
use super::values::Language;
use crate::access::Access;
use crate::patch::present;
use crate::request::{Effect, Request, Rest};
use crate::time::{Instant, TimeZone};
use crate::vendor::WallTime;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// By which ways a person wants to hear of what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channels {
    /// E-mail.
    pub email: bool,
    /// Notices on the person's devices.
    pub push: bool,
    /// Text messages.
    pub sms: bool,
    /// WhatsApp.
    pub whatsapp: bool,
}

/// From when to when, each day by the person's clock, nothing that can wait is sent. Over midnight where `from` is later
/// than `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct QuietHours {
    /// When they begin.
    #[garde(skip)]
    pub from: WallTime,
    /// When they end, at another time than they begin.
    #[garde(custom(other_than(self.from)))]
    pub to: WallTime,
}

fn other_than(from: WallTime) -> impl FnOnce(&WallTime, &()) -> garde::Result {
    move |to, ()| if *to == from { Err(garde::Error::new("must be another time than from")) } else { Ok(()) }
}

/// How the platform is to speak to a person. Everybody has preferences from the beginning, of version 1: Indonesian, the
/// clocks of Jakarta, e-mail and push.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// The language.
    pub language: Language,
    /// The person's clocks.
    pub time_zone: TimeZone,
    /// By which ways.
    pub channels: Channels,
    /// When not; absent: at all times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// When they last changed; absent where they never have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Instant>,
    /// Counts their changes.
    pub version: i64,
}

/// The caller's preferences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FindPreferences {}

impl Request for FindPreferences {
    const SUBJECT: &'static str = "preference.findOne";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/preferences")];
    type Reply = Preferences;
    type Error = ProfileError;
}

/// Changes of the ways; what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct ChannelChanges {
    /// E-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<bool>,
    /// Notices on the person's devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    /// Text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<bool>,
    /// WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<bool>,
}

/// Changes what is named of the caller's preferences and leaves the rest. Needs `If-Match`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePreferences {
    /// The language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub language: Option<Language>,
    /// The person's clocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub time_zone: Option<TimeZone>,
    /// By which ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub channels: Option<ChannelChanges>,
    /// When not; null: at all times.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub quiet_hours: Option<Option<QuietHours>>,
}

impl Request for UpdatePreferences {
    const SUBJECT: &'static str = "preference.update";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::patch("/preferences")];
    type Reply = Preferences;
    type Error = ProfileError;
}
