//! The headers that change what a request does: `If-Match` and `Idempotency-Key`.

use crate::context::single;
use http::{HeaderMap, HeaderName, header};
use subjects::{Effect, ErrorCode, Fault};
use uuid::Uuid;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longer keys are refused.
const MAX_KEY_LENGTH: usize = 128;

/// The version in `If-Match: "<version>"`. Without the header the service decides whether it needs one.
///
/// # Errors
/// `bad_request` for anything but one strong version: weak ones never match (RFC 9110), and `*` would be no check.
pub fn expected_version(headers: &HeaderMap) -> Result<Option<i64>, Fault> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let version = single(headers, &header::IF_MATCH).and_then(|value| {
        let digits = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    });
    version.map(Some).ok_or_else(|| {
        let message = "If-Match must be one version in quotes, as the ETag header had it";
        Fault::new(ErrorCode::BadRequest, message).with_reason("malformed_if_match")
    })
}

/// The request's idempotency key. A changing request that can be repeated under a key gets one here when its client
/// gave none, so that it survives the death of the replica that worked on it.
///
/// # Errors
/// `bad_request` for a key that is empty, too long or not printable ASCII.
pub fn idempotency_key(headers: &HeaderMap, effect: Effect) -> Result<Option<String>, Fault> {
    if effect != Effect::Keyed {
        return Ok(None);
    }
    if !headers.contains_key(&IDEMPOTENCY_KEY) {
        return Ok(Some(Uuid::now_v7().to_string()));
    }
    let is_fit =
        |key: &&str| (1..=MAX_KEY_LENGTH).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    single(headers, &IDEMPOTENCY_KEY).filter(is_fit).map(|key| Some(key.to_owned())).ok_or_else(|| {
        let message = format!("Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters");
        Fault::new(ErrorCode::BadRequest, message).with_reason("malformed_idempotency_key")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn only_one_strong_version_is_taken() {
        assert_eq!(expected_version(&HeaderMap::new()), Ok(None));
        assert_eq!(expected_version(&headers("if-match", "\"12\"")), Ok(Some(12)));
        for bad in ["W/\"12\"", "12", "*", "\"12\", \"13\"", "\"\"", "\"-1\"", "\"99999999999999999999\"", "\"abc\""] {
            assert!(expected_version(&headers("if-match", bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_taken_or_made_where_it_has_a_meaning() {
        let given = headers("idempotency-key", "order-1");
        assert_eq!(idempotency_key(&given, Effect::Keyed), Ok(Some("order-1".to_owned())));
        assert_eq!(idempotency_key(&given, Effect::Read), Ok(None));
        assert!(idempotency_key(&HeaderMap::new(), Effect::Keyed).unwrap().is_some());
        for bad in ["", "a b", &"x".repeat(129)] {
            assert!(idempotency_key(&headers("idempotency-key", bad), Effect::Keyed).is_err(), "{bad}");
        }
    }
}
