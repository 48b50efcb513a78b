//! One request, and what came of it.

use std::time::Duration;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A booking, by its customer.
    Read,
    /// A move of stock.
    Change,
    /// Reserved stock is given back: of critical priority.
    Critical,
    /// A booking is made, for which booking asks the vendor service.
    Book,
    /// A login with a wrong password.
    Login,
}

impl Kind {
    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Read => "reads",
            Kind::Change => "changes",
            Kind::Critical => "critical",
            Kind::Book => "bookings",
            Kind::Login => "logins",
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Good,
    /// 503 or 429 with `Retry-After`, and its reason.
    Refused(String),
    /// Anything else.
    Failed(String),
    /// It was not sent: too many of the load's own are under way.
    Unsent,
}

/// A request that has ended.
#[derive(Debug, Clone)]
pub struct Shot {
    /// What it was.
    pub kind: Kind,
    /// From when it was due to its answer.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}
