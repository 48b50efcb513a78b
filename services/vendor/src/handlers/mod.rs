//! What the service answers, one module an aggregate.

pub mod approval;
pub mod availability;
pub mod clinics;
pub mod hours;
pub mod memberships;
pub mod privacy;
pub mod registration;
pub mod services;
pub mod snapshots;
pub mod staff;
pub mod vendors;

use subjects::paging::DEFAULT_LIMIT;

/// How many items a page has.
fn page_size(limit: Option<u16>) -> u16 {
    limit.unwrap_or(DEFAULT_LIMIT)
}
