//! The headers that change what a request does: `If-Match` and `Idempotency-Key`.

use crate::context::single;
use crate::representation::etag::HAL_SUFFIX;
use http::{HeaderMap, HeaderName, header};
use subjects::openapi::takes_version;
use subjects::{Effect, ErrorCode, Fault, Method, Rest};
use uuid::Uuid;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longer keys are refused.
const MAX_KEY_LENGTH: usize = 128;

/// The version in `If-Match: "<version>"` of a change. Without the header the service decides whether it needs one. For
/// a read the header is compared with what comes back: see [`crate::representation::etag`].
///
/// # Errors
/// `bad_request` for anything but one strong version: weak ones never match (RFC 9110), and `*` would be no check.
/// Likewise where the route has no version to compare it with: a condition must not be passed over in silence.
pub fn expected_version(headers: &HeaderMap, rest: &Rest) -> Result<Option<i64>, Fault> {
    if rest.method == Method::Get || !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    if !takes_version(rest) {
        let message = "If-Match has no meaning here: only changes of one thing can depend on its version";
        return Err(Fault::new(ErrorCode::BadRequest, message).with_reason("if_match_not_supported"));
    }
    let version = single(headers, &header::IF_MATCH).and_then(|value| {
        let digits = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        let digits = digits.strip_suffix(HAL_SUFFIX).unwrap_or(digits);
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
        let put = Rest::put("/vendors/{id}");
        assert_eq!(expected_version(&HeaderMap::new(), &put), Ok(None));
        assert_eq!(expected_version(&headers("if-match", "\"12\""), &put), Ok(Some(12)));
        assert_eq!(expected_version(&headers("if-match", "\"12-hal\""), &put), Ok(Some(12)));
        for bad in ["W/\"12\"", "12", "*", "\"12\", \"13\"", "\"\"", "\"-1\"", "\"99999999999999999999\"", "\"abc\""] {
            assert!(expected_version(&headers("if-match", bad), &put).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_is_refused_where_there_is_none_to_compare_it_with() {
        let twelve = headers("if-match", "\"12\"");
        for none in [Rest::post("/vendors", 201), Rest::delete("/vendors/{id}", 204)] {
            assert_eq!(expected_version(&twelve, &none).unwrap_err().reason, "if_match_not_supported");
        }
        assert_eq!(expected_version(&twelve, &Rest::post("/vendors/{id}/approve", 200)), Ok(Some(12)));
        assert_eq!(expected_version(&twelve, &Rest::get("/vendors/{id}")), Ok(None));
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
