//! Strings that must not show up in logs.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! secrets {
    ($( $(#[$meta:meta])* $name:ident $min:literal ..= $max:literal, $format:literal; )+) => { $(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
        #[serde(transparent)]
        #[garde(transparent)]
        #[schemars(inline, extend("format" = $format))]
        pub struct $name(#[garde(length(chars, min = $min, max = $max))] String);

        impl $name {
            /// Takes a string without checking it; validation of the message checks it.
            pub fn new(secret: impl Into<String>) -> Self {
                Self(secret.into())
            }

            /// The secret itself. Whoever takes it must not log it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+ };
}

secrets! {
    /// A password that somebody shows. Its bounds only keep the work small: whether it is right is looked up.
    Password 1 ..= 128, "password";
    /// A password that somebody chooses: 8 to 128 characters of any kind (OWASP ASVS 5.0, 6.2.1, 6.2.5 and 6.2.9).
    NewPassword 8 ..= 128, "password";
    /// A one-time code.
    Code 6 ..= 6, "one-time-code";
    /// An access, refresh or reset token.
    Token 1 ..= 4096, "token";
}
