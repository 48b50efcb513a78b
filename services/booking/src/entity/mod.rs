//! The tables as rows. Constraints and indexes live in the migrations.

pub mod booking_changes;
pub mod bookings;
pub mod calendar_feeds;
pub mod clinics;
pub mod holds;
pub mod pets;
pub mod service_availability;
pub mod services;
pub mod staff;
pub mod vendors;
