//! The tables as rows. Constraints and indexes live in the migrations.

pub mod booking_changes;
pub mod bookings;
pub mod clinics;
pub mod memberships;
pub mod service_availability;
pub mod services;
pub mod staff;
pub mod vendors;
