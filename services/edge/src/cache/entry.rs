//! An answer that is kept.

use super::things::{Part, Recipe};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// An answer to somebody who was not signed in, and what has to be known to use it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The answer, JSON.
    pub body: Bytes,
    /// The version of what it shows, where that has one.
    pub version: Option<i64>,
    /// What it is made of. Empty where it does not say: such an answer is not kept.
    pub parts: Vec<Part>,
    /// No event before this moment makes it old: the service was asked after it, or another edge has answered for it.
    pub since: Instant,
    /// When the service was asked: by this its age counts.
    pub fetched: Instant,
}

impl Entry {
    /// A fetched answer.
    pub fn read(recipe: &Recipe, body: Bytes, since: Instant, fetched: Instant) -> Entry {
        let fields: BTreeMap<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
        let version = fields.get("version").and_then(Value::as_i64);
        Entry { parts: recipe.parts(&fields).unwrap_or_default(), body, version, since, fetched }
    }

    /// Whether it shows no older a version than a caller wants to see.
    pub fn satisfies(&self, minimum_version: Option<i64>) -> bool {
        minimum_version.is_none_or(|minimum| self.version.is_some_and(|version| version >= minimum))
    }

    /// Whether it may take the place of one that is kept: an old version never replaces a newer one, nor an earlier look
    /// at the same version a later one.
    pub fn replaces(&self, kept: &Entry) -> bool {
        match (self.version, kept.version) {
            (Some(version), Some(kept_version)) if version != kept_version => version > kept_version,
            _ => self.since >= kept.since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn entry(version: Option<i64>, seconds: u64) -> Entry {
        let moment = Instant::now() + Duration::from_secs(seconds);
        Entry { body: Bytes::new(), version, parts: Vec::new(), since: moment, fetched: moment }
    }

    #[test]
    fn an_old_version_never_replaces_a_newer_one() {
        let kept = entry(Some(7), 10);
        assert!(entry(Some(8), 1).replaces(&kept));
        assert!(!entry(Some(6), 100).replaces(&kept));
        assert!(entry(Some(7), 11).replaces(&kept) && !entry(Some(7), 9).replaces(&kept));
        let list = entry(None, 10);
        assert!(entry(None, 11).replaces(&list) && !entry(None, 9).replaces(&list));
    }

    #[test]
    fn what_has_no_version_satisfies_nobody_who_wants_one() {
        assert!(entry(Some(7), 0).satisfies(None) && entry(None, 0).satisfies(None));
        assert!(entry(Some(7), 0).satisfies(Some(7)) && entry(Some(8), 0).satisfies(Some(7)));
        assert!(!entry(Some(6), 0).satisfies(Some(7)) && !entry(None, 0).satisfies(Some(1)));
    }
}
