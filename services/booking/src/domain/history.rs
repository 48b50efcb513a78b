//! A booking out of its history.

use crate::entity::bookings;
use serde_json::{Map, Value};

/// The booking that the deltas of its changes come to, from the first one on and in their order, but for its claim;
/// nothing where there are none. The database makes the deltas, from the rows themselves.
///
/// # Errors
/// They do not come to a booking.
pub fn rebuild(deltas: impl IntoIterator<Item = Value>) -> Result<Option<bookings::Model>, serde_json::Error> {
    let mut fields = Map::new();
    for delta in deltas {
        fields.extend(serde_json::from_value::<Map<String, Value>>(delta)?);
    }
    if fields.is_empty() { Ok(None) } else { serde_json::from_value(Value::Object(fields)).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use subjects::booking::BookingStatus;

    fn first() -> Value {
        json!({
            "id": "01990000-0000-7000-8000-000000000001", "reference": "7Q4M2XKD", "version": 1, "status": "pending",
            "customer_id": "01990000-0000-7000-8000-000000000002", "walk_in_name": null, "walk_in_phone": null,
            "vendor_id": "01990000-0000-7000-8000-000000000003", "clinic_id": "01990000-0000-7000-8000-000000000004",
            "service_id": "01990000-0000-7000-8000-000000000005", "service_name": "Vaccination",
            "staff_id": "01990000-0000-7000-8000-000000000006", "pet_id": null, "pet_name": "Milo",
            "pet_species": "cat", "pet_breed": null, "starts_at": "2027-03-01T09:00:00+00:00",
            "ends_at": "2027-03-01T09:30:00+00:00", "time_zone": "Asia/Jakarta", "price_amount": 125_000,
            "price_currency": "IDR", "policy": {"cancelFeePercent": 50}, "fee_amount": 0, "notes": "shy",
            "cancel_reason": null, "needs_check": false, "attention": null, "schedule_version": 1,
            "expires_at": "2027-02-01T09:00:00.123456+00:00", "created_at": "2027-01-31T09:00:00.123456+00:00",
            "updated_at": "2027-01-31T09:00:00.123456+00:00"
        })
    }

    #[test]
    fn later_changes_lie_over_earlier_ones() {
        let confirmed = json!({"version": 2, "status": "confirmed", "expires_at": null});
        let noted = json!({"version": 3, "notes": null});
        let booking = rebuild([first(), confirmed, noted]).unwrap().unwrap();
        assert_eq!((booking.version, booking.status, booking.expires_at), (3, BookingStatus::Confirmed, None));
        assert_eq!((booking.notes, booking.pet_name), (None, serde_json::from_value(json!("Milo")).unwrap()));
        assert_eq!((booking.policy.0.cancel_fee_percent, booking.policy.0.confirm_within_minutes), (50, 1_440));
    }

    #[test]
    fn what_is_no_history_is_no_booking() {
        assert_eq!(rebuild([]).unwrap(), None);
        assert!(rebuild([json!({"version": 2, "status": "confirmed"})]).is_err());
        assert!(rebuild([first(), json!("confirmed")]).is_err());
    }
}
