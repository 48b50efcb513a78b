//! The rows of schema `vendor`. The columns `search_text` are made by the database and only named in queries.

pub mod clinic;
pub mod hour_exception;
pub mod membership;
pub mod operating_hours;
pub mod registration;
pub mod service;
pub mod staff;
pub mod staff_clinic;
pub mod staff_service;
pub mod vendor;
