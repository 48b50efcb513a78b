//! Reading a query string, strictly: what is not valid is refused rather than repaired.

use subjects::{ErrorCode, Fault};

/// The names and values of a query, decoded, in their order.
///
/// # Errors
/// `bad_request` for a bad percent sign or bytes that are not UTF-8.
pub fn parse(query: &str) -> Result<Vec<(String, String)>, Fault> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    });
    let pairs: Option<Vec<(String, String)>> = decoded.collect();
    pairs.ok_or_else(|| {
        Fault::new(ErrorCode::BadRequest, "the query is not valid percent-encoded UTF-8").with_reason("malformed_query")
    })
}

fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A query with one value set, whatever it was before.
pub fn with(query: &str, name: &str, value: &str) -> String {
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some(name);
    let others = query.split('&').filter(is_other).map(str::to_owned);
    others.chain([format!("{name}={}", encode(value))]).collect::<Vec<_>>().join("&")
}

fn encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let pairs = parse("q=kucing+besar&city=S%C3%A3o&&flag").unwrap();
        let expected = [("q", "kucing besar"), ("city", "São"), ("flag", "")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_is_not_valid_is_refused() {
        for bad in ["a=%", "a=%2", "a=%zz", "%ff=1", "a=%C3"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_takes_the_place_of_the_old_one() {
        assert_eq!(with("limit=2&cursor=old", "cursor", "a+b="), "limit=2&cursor=a%2Bb%3D");
        assert_eq!(with("", "cursor", "x"), "cursor=x");
    }
}
