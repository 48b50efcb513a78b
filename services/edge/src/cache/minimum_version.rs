//! `X-Minimum-Version`: the version below which a caller does not want to see a thing, as a rule that of its own write.

use crate::context::single;
use http::{HeaderMap, HeaderName};
use subjects::{ErrorCode, Fault};

/// The header.
pub const MINIMUM_VERSION: HeaderName = HeaderName::from_static("x-minimum-version");

/// The version that a request wants to see at least.
///
/// # Errors
/// `bad_request` for anything but one number: a wish must not be passed over in silence.
pub fn read(headers: &HeaderMap) -> Result<Option<i64>, Fault> {
    if !headers.contains_key(&MINIMUM_VERSION) {
        return Ok(None);
    }
    let number = single(headers, &MINIMUM_VERSION).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|digits| digits.parse().ok()).map(Some).ok_or_else(|| {
        let message = "X-Minimum-Version must be one version, as the field version of the answer to a change has it";
        Fault::new(ErrorCode::BadRequest, message).with_reason("malformed_minimum_version")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_version_is_read() {
        let headers = |values: &[&str]| {
            let mut map = HeaderMap::new();
            for value in values {
                map.append(MINIMUM_VERSION, value.parse().unwrap());
            }
            map
        };
        assert_eq!(read(&HeaderMap::new()), Ok(None));
        assert_eq!(read(&headers(&["12"])), Ok(Some(12)));
        for bad in [&[""][..], &["-1"], &["+1"], &["\"12\""], &["1.0"], &["99999999999999999999"], &["1", "2"]] {
            assert_eq!(read(&headers(bad)).unwrap_err().reason, "malformed_minimum_version", "{bad:?}");
        }
    }
}
