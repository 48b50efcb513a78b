//! Sealed text as it is stored.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What sealed text begins with; the number is the version of its form.
const PREFIX: &str = "sealed:1:";

/// Text of a person as a column keeps it: `sealed:1:` and the ciphertext in base64url.
///
/// Text that does not begin like that was stored before texts were sealed, or is the platform's own sentence, and is
/// read as it stands. Text from before that happens to begin like that reads as absent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, sea_orm::DeriveValueType)]
#[serde(transparent)]
pub struct SealedText(String);

impl SealedText {
    /// A sentence of the platform's own, which tells nothing of anybody and stays readable for good.
    pub fn of_the_platform(sentence: &'static str) -> SealedText {
        SealedText(sentence.to_owned())
    }

    pub(super) fn of(ciphertext: &str) -> SealedText {
        SealedText(format!("{PREFIX}{ciphertext}"))
    }

    /// The ciphertext, or the text itself where it is not sealed.
    pub(super) fn ciphertext(&self) -> Result<&str, &str> {
        self.0.strip_prefix(PREFIX).ok_or(self.0.as_str())
    }
}

/// Without the text, which may be one from before.
impl fmt::Debug for SealedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedText")
    }
}
