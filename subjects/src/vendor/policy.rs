//! What a clinic asks of those who book: how soon it answers, and what changing one's mind late costs.

use crate::money::Money;
use crate::time::Instant;
use chrono::Duration;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A clinic's rules for bookings. Each booking keeps those under which it was made.
///
/// Those who work at the clinic change and cancel bookings without notice and fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase", default)]
pub struct BookingPolicy {
    /// How long the clinic has to confirm a booking, in minutes from when it is made or moved: 5 minutes to 14 days.
    /// What is not confirmed by then, or when the visit begins, is cancelled and its time free again. 1,440 unless told.
    #[garde(range(min = 5, max = 20_160))]
    pub confirm_within_minutes: u32,
    /// Until how many minutes before the visit a customer may cancel for nothing: at most 30 days. 0 unless told.
    #[garde(range(max = 43_200))]
    pub cancel_notice_minutes: u32,
    /// What cancelling later than that costs, in percent of the price. 0 unless told.
    #[garde(range(max = 100))]
    pub cancel_fee_percent: u8,
    /// Until how many minutes before the visit a customer may move it for nothing: at most 30 days. 0 unless told.
    #[garde(range(max = 43_200))]
    pub reschedule_notice_minutes: u32,
    /// What moving it later than that costs, in percent of the price. 0 unless told.
    #[garde(range(max = 100))]
    pub reschedule_fee_percent: u8,
}

impl Default for BookingPolicy {
    fn default() -> BookingPolicy {
        BookingPolicy {
            confirm_within_minutes: 1_440,
            cancel_notice_minutes: 0,
            cancel_fee_percent: 0,
            reschedule_notice_minutes: 0,
            reschedule_fee_percent: 0,
        }
    }
}

impl BookingPolicy {
    /// Until when a booking that is made or moved `now` waits to be confirmed.
    pub fn confirm_by(&self, now: Instant, starts_at: Instant) -> Instant {
        (now + Duration::minutes(i64::from(self.confirm_within_minutes))).min(starts_at)
    }

    /// What a customer pays who cancels a visit `now`.
    pub fn cancel_fee(&self, price: Money, starts_at: Instant, now: Instant) -> Money {
        fee(price, self.cancel_fee_percent, self.cancel_notice_minutes, starts_at, now)
    }

    /// What a customer pays who moves a visit `now`.
    pub fn reschedule_fee(&self, price: Money, starts_at: Instant, now: Instant) -> Money {
        fee(price, self.reschedule_fee_percent, self.reschedule_notice_minutes, starts_at, now)
    }
}

/// A share of the price, rounded down to whole minor units, once the notice has passed.
fn fee(price: Money, percent: u8, notice_minutes: u32, starts_at: Instant, now: Instant) -> Money {
    let free_until = starts_at - Duration::minutes(i64::from(notice_minutes));
    let amount = if now <= free_until {
        0
    } else {
        price.amount / 100 * i64::from(percent) + price.amount % 100 * i64::from(percent) / 100
    };
    Money { amount, currency: price.currency }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn notice_is_counted_to_the_second() {
        let policy = BookingPolicy { cancel_notice_minutes: 60, cancel_fee_percent: 50, ..BookingPolicy::default() };
        let starts_at = at("2027-03-01T09:00:00Z");
        let fee = |now: &str| policy.cancel_fee(Money::idr(125_001), starts_at, at(now)).amount;
        assert_eq!(fee("2027-03-01T07:59:59Z"), 0);
        assert_eq!(fee("2027-03-01T08:00:00Z"), 0);
        assert_eq!(fee("2027-03-01T08:00:01Z"), 62_500);
        assert_eq!(policy.reschedule_fee(Money::idr(125_001), starts_at, at("2027-03-01T08:59:59Z")).amount, 0);
    }

    #[test]
    fn the_largest_price_has_a_fee_too() {
        let policy = BookingPolicy { cancel_notice_minutes: 1, cancel_fee_percent: 100, ..BookingPolicy::default() };
        let starts_at = at("2027-03-01T09:00:00Z");
        assert_eq!(policy.cancel_fee(Money::idr(1_000_000_000_000), starts_at, starts_at).amount, 1_000_000_000_000);
    }

    #[test]
    fn nobody_waits_for_a_confirmation_once_the_visit_begins() {
        let policy = BookingPolicy::default();
        let now = at("2027-03-01T08:00:00Z");
        assert_eq!(policy.confirm_by(now, at("2027-03-01T09:00:00Z")), at("2027-03-01T09:00:00Z"));
        assert_eq!(policy.confirm_by(now, at("2027-03-09T09:00:00Z")), at("2027-03-02T08:00:00Z"));
    }
}
