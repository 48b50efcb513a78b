//! Money in minor units.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency that the platform takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Indonesian rupiah. Its minor unit is the rupiah itself: prices have no cents.
    Idr,
}

impl Currency {
    /// The ISO 4217 code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Currency::Idr => "IDR",
        }
    }

    /// Reads an ISO 4217 code.
    pub fn parse(code: &str) -> Option<Currency> {
        (code == "IDR").then_some(Currency::Idr)
    }
}

/// An amount of money in minor units of its currency: `{"amount": 125000, "currency": "IDR"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Money {
    /// Minor units, never negative: at most 10¹².
    #[garde(range(min = 0, max = 1_000_000_000_000_i64))]
    pub amount: i64,
    /// The currency.
    #[garde(skip)]
    pub currency: Currency,
}

impl Money {
    /// Rupiah.
    pub const fn idr(amount: i64) -> Money {
        Money { amount, currency: Currency::Idr }
    }
}
