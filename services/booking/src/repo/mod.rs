//! Queries and statements, by what they are about.

pub mod bookings;
pub mod calendars;
pub mod claims;
pub mod clinics;
pub mod holds;
pub mod offers;
pub mod pets;
pub mod privacy;
pub mod schedule;
pub mod schedule_changes;
pub mod taken;
pub mod watched;
