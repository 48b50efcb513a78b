//! Fields of a PATCH: absent leaves what is there, null removes it.

use crate::rules;
use serde::{Deserialize, Deserializer};

/// Reads a field that is there, be it null, for an `Option<Option<_>>`; serde's default stands for one that is not:
/// `#[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]`.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(field: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// [`rules::readable`] for a field of a PATCH.
pub(crate) fn readable(text: &Option<Option<String>>, context: &()) -> garde::Result {
    text.as_ref().map_or(Ok(()), |text| rules::readable_if_present(text, context))
}

/// [`rules::web_address_if_present`] for a field of a PATCH.
pub(crate) fn web_address(address: &Option<Option<String>>, context: &()) -> garde::Result {
    address.as_ref().map_or(Ok(()), |address| rules::web_address_if_present(address, context))
}
