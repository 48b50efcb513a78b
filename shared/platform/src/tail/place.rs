//! Where in a service's event stream somebody is.

use std::fmt;
use std::str::FromStr;

/// A position in an event stream: everything up to it has been told.
///
/// Sequences mean nothing beyond the stream that gave them: one that was deleted and made again counts from one. So a
/// place names its stream, too, by the microsecond in which it was created. Written `<incarnation>-<sequence>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// When the stream was created, in microseconds of Unix time.
    pub incarnation: i64,
    /// The sequence of the last message that was told. Zero: none.
    pub sequence: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.incarnation, self.sequence)
    }
}

/// A text that is not a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place: <incarnation>-<sequence>")]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Place, NotAPlace> {
        let (incarnation, sequence) = text.split_once('-').ok_or(NotAPlace)?;
        Ok(Place { incarnation: decimal(incarnation)?, sequence: decimal(sequence)? })
    }
}

/// Digits alone: the number types would also take a sign.
fn decimal<N: FromStr>(text: &str) -> Result<N, NotAPlace> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAPlace);
    }
    text.parse().map_err(|_out_of_range| NotAPlace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let place = Place { incarnation: 1_760_000_000_000_001, sequence: 42 };
        assert_eq!(place.to_string(), "1760000000000001-42");
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    #[test]
    fn what_is_not_a_place_is_refused() {
        for text in ["", "-", "1", "1-", "-1", "1-+2", "+1-2", "1-2-3", "a-1", "1-99999999999999999999999", "1 -2"] {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }
}
