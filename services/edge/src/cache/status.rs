//! What an answer says of the cache: `Cache-Status` (RFC 9211) and `Age` (RFC 9111).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::time::Duration;

/// Where a cache says what it did.
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// How an answer came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was kept in this process.
    Hit,
    /// It was kept in Redis.
    SharedHit,
    /// It was kept, and may be old: the service that could tell is away.
    StaleHit,
    /// Nothing was kept.
    Miss,
    /// What was kept is known to be old, or could not be shown to be new.
    Outdated,
    /// The request asked for a later version than the one that was kept.
    TooOldForRequest,
    /// Only a caller who is known gets an answer at all, and that is kept for nobody.
    Personal,
}

/// What is told of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How it came to be.
    pub status: Status,
    /// Whether somebody else had asked already.
    pub is_collapsed: bool,
    /// How long ago the service was asked, where the answer was kept.
    pub age: Option<Duration>,
}

impl Status {
    /// For logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Hit => "hit",
            Status::SharedHit => "shared",
            Status::StaleHit => "stale",
            Status::Miss => "miss",
            Status::Outdated => "outdated",
            Status::TooOldForRequest => "version",
            Status::Personal => "personal",
        }
    }

    /// Whether the service was asked.
    pub const fn has_asked(self) -> bool {
        matches!(self, Status::Miss | Status::Outdated | Status::TooOldForRequest | Status::Personal)
    }

    const fn header(self) -> &'static str {
        match self {
            Status::Hit => "petpro; hit",
            Status::SharedHit => "petpro; hit; detail=shared",
            Status::StaleHit => "petpro; hit; detail=stale",
            Status::Miss => "petpro; fwd=miss",
            Status::Outdated => "petpro; fwd=stale",
            Status::TooOldForRequest => "petpro; fwd=request",
            Status::Personal => "petpro; fwd=bypass",
        }
    }
}

impl Told {
    /// Writes it into an answer's headers.
    pub fn tell(self, headers: &mut HeaderMap) {
        let collapsed = if self.is_collapsed { "; collapsed" } else { "" };
        if let Ok(value) = HeaderValue::from_str(&format!("{}{collapsed}", self.status.header())) {
            headers.insert(CACHE_STATUS, value);
        }
        if let Some(age) = self.age {
            headers.insert(header::AGE, HeaderValue::from(age.as_secs()));
        }
    }
}
