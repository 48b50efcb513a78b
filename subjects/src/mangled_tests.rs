//! The values of the contract, from whatever may come in their place.

use crate::ids::BookingId;
use crate::money::Currency;
use crate::time::{Instant, TimeZone};
use crate::vendor::WallTime;
use crate::{Fault, MembershipRole, Money, Role};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use testkit::mangled::{check_reading, check_reading_text};

fn check_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(samples: &[&str]) {
    let samples: Vec<Vec<u8>> = samples.iter().map(|sample| sample.as_bytes().to_vec()).collect();
    check_reading(&samples, |json| serde_json::from_slice::<T>(json).ok(), |value| serde_json::to_vec(value).unwrap());
}

#[test]
fn values_in_messages_are_read_or_refused() {
    check_json::<Money>(&[r#"{"amount":150000,"currency":"IDR"}"#]);
    check_json::<WallTime>(&[r#""08:30""#]);
    check_json::<TimeZone>(&[r#""Asia/Jakarta""#]);
    check_json::<Instant>(&[r#""2030-01-07T09:00:00Z""#, r#""2030-01-07T16:00:00.123456+07:00""#]);
    check_json::<BookingId>(&[r#""0190a000-0000-7000-8000-000000000001""#]);
    check_json::<Role>(&[r#""customer""#]);
    check_json::<MembershipRole>(&[r#""clinic_admin""#]);
}

#[test]
fn faults_are_read_or_refused() {
    let sample = serde_json::to_vec(&Fault::not_found("pet")).unwrap();
    check_reading(
        &[sample],
        |json| serde_json::from_slice::<Fault>(json).ok(),
        |fault| serde_json::to_vec(fault).unwrap(),
    );
}

#[test]
fn names_and_ids_are_read_or_refused() {
    check_reading_text(&["08:30", "23:59"], WallTime::parse, WallTime::to_string);
    check_reading_text(&["IDR"], Currency::parse, |currency| currency.as_str().to_owned());
    check_reading_text(&["platform_admin"], Role::parse, |role| role.as_str().to_owned());
    let id = |text: &str| text.parse::<BookingId>().ok();
    check_reading_text(&["0190a000-0000-7000-8000-000000000001"], id, BookingId::to_string);
}
