//! How a caller stands, as the headers of `draft-ietf-httpapi-ratelimit-headers` tell it.

use super::{Outcome, Share};
use http::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const CURRENT: HeaderName = HeaderName::from_static("ratelimit");

/// The two header fields of an answer, each a list with one member for each budget (structured fields, RFC 9651).
#[derive(Debug, Clone)]
pub struct Standing {
    policy: HeaderValue,
    current: HeaderValue,
}

impl Standing {
    /// After a request. `q` requests in `w` seconds; `r` of them are left, and in `t` seconds all will be.
    pub(super) fn of(shares: &[Share], outcome: &Outcome) -> Option<Standing> {
        let policy = |share: &Share| {
            format!("\"{}\";q={};w={}", share.budget, share.policy.quota, share.policy.window.as_secs())
        };
        let current = |(share, backlog_us): (&Share, &i64)| {
            let remaining = share.policy.remaining(*backlog_us);
            let whole_again_s = backlog_us.max(&0).unsigned_abs().div_ceil(1_000_000);
            format!("\"{}\";r={remaining};t={whole_again_s}", share.budget)
        };
        let policies: Vec<String> = shares.iter().map(policy).collect();
        let currents: Vec<String> = shares.iter().zip(&outcome.backlogs_us).map(current).collect();
        Some(Standing {
            policy: HeaderValue::from_str(&policies.join(", ")).ok()?,
            current: HeaderValue::from_str(&currents.join(", ")).ok()?,
        })
    }

    /// Tells it with an answer.
    pub fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy.clone());
        headers.insert(CURRENT, self.current.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::gcra::Policy;
    use std::time::Duration;

    #[test]
    fn each_budget_is_a_member_of_both_lists() {
        let share = |budget, quota| {
            let policy = Policy { quota, window: Duration::from_secs(900) };
            Share { budget, key: String::new(), policy }
        };
        let shares = [share("credentials", 20), share("general", 100)];
        let outcome = Outcome { taken: true, backlogs_us: vec![900_000_000, 9_000_001] };
        let mut headers = HeaderMap::new();
        Standing::of(&shares, &outcome).unwrap().tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"credentials\";q=20;w=900, \"general\";q=100;w=900");
        assert_eq!(headers["ratelimit"], "\"credentials\";r=0;t=900, \"general\";r=98;t=10");
    }
}
