//! Entity tags (RFC 9110, 8.8.3), and the conditions that name them.

use super::Representation;
use crate::context::single;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use xxhash_rust::xxh3::xxh3_128;

/// What the tag of an entity with links ends in: its bytes are others than those of the entity alone.
pub const HAL_SUFFIX: &str = "-hal";

/// The tag of a versioned entity. With it a change is asked for in `If-Match`.
pub fn of_version(version: i64, representation: Representation) -> String {
    let suffix = if representation == Representation::Hal { HAL_SUFFIX } else { "" };
    format!("\"{version}{suffix}\"")
}

/// The tag of anything else. Weak: it is made in a hurry, and compressed answers have the same.
pub fn of_bytes(body: &[u8]) -> String {
    format!("W/\"{:032x}\"", xxh3_128(body))
}

/// Whether `If-None-Match` names the tag, so that its client has the answer already.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    names(headers, &header::IF_NONE_MATCH, |listed| opaque(listed) == opaque(tag))
}

/// Whether `If-Match`, where it is there, names the tag by the strong comparison.
pub fn is_expected(headers: &HeaderMap, tag: &str) -> bool {
    let is_same_and_strong = |listed: &str| listed == tag && !tag.starts_with("W/");
    !headers.contains_key(header::IF_MATCH) || names(headers, &header::IF_MATCH, is_same_and_strong)
}

fn names(headers: &HeaderMap, header: &HeaderName, is_it: impl Fn(&str) -> bool) -> bool {
    if single(headers, header).is_some_and(|value| value.trim() == "*") {
        return true;
    }
    let values = headers.get_all(header).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    // No tag of ours has a comma in it.
    values.flat_map(|value| value.split(',')).any(|listed| is_it(listed.trim()))
}

/// The tag without the mark of a weak one.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn what_is_known_is_compared_weakly() {
        for known in ["\"7\"", "W/\"7\"", "\"6\", \"7\"", "*", " \"7\" "] {
            assert!(is_known(&headers(header::IF_NONE_MATCH, known), "\"7\""), "{known}");
        }
        for other in ["\"6\"", "7", "\"77\"", "\"7-hal\"", ""] {
            assert!(!is_known(&headers(header::IF_NONE_MATCH, other), "\"7\""), "{other}");
        }
        assert!(!is_known(&HeaderMap::new(), "\"7\""));
    }

    #[test]
    fn what_is_expected_is_compared_strongly() {
        let expects = |value: &str, tag: &str| is_expected(&headers(header::IF_MATCH, value), tag);
        assert!(expects("\"7\"", "\"7\"") && expects("*", "W/\"a\""));
        assert!(!expects("W/\"7\"", "\"7\"") && !expects("W/\"a\"", "W/\"a\"") && !expects("\"6\"", "\"7\""));
        assert!(is_expected(&HeaderMap::new(), "\"7\""));
    }

    #[test]
    fn tags_tell_bodies_apart() {
        assert_ne!(of_bytes(b"a"), of_bytes(b"b"));
        assert_eq!(of_version(7, Representation::Json), "\"7\"");
        assert_eq!(of_version(7, Representation::Hal), "\"7-hal\"");
    }
}
