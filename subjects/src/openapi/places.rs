//! The places at which a path of the contract answers, and where a version of what is there can be named.

use crate::request::{Method, Rest};

/// Where versioned routes answer; the first is the canonical one.
pub const PREFIXES: [&str; 3] = ["/api/v1", "/api", ""];

/// Paths of document 004 that lead to other paths. They go on answering, and say that they are deprecated.
pub const MIRRORS: &[Mirror] = &[Mirror { original: "/bookings", mirror: "/appointments", since: 1_767_225_600 }];

/// Whether a change may be made to depend on the version of what it changes, by `If-Match`: PUT and PATCH must, and
/// an action upon one thing may.
pub fn takes_version(rest: &Rest) -> bool {
    match rest.method {
        Method::Put | Method::Patch => true,
        Method::Post => rest.path.contains("{id}/"),
        Method::Get | Method::Delete => false,
    }
}

/// One path that stands for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mirror {
    /// The beginning of the paths that are meant.
    pub original: &'static str,
    /// The beginning of the paths that lead there.
    pub mirror: &'static str,
    /// Since when it is deprecated: Unix time in seconds.
    pub since: i64,
}

impl Mirror {
    /// The path that leads to `path`; none where this mirror is not about it.
    pub fn of(&self, path: &str) -> Option<String> {
        replace_beginning(path, self.original, self.mirror)
    }

    /// The path that `mirrored` leads to; none where this mirror is not about it.
    pub fn original_of(&self, mirrored: &str) -> Option<String> {
        replace_beginning(mirrored, self.mirror, self.original)
    }
}

fn replace_beginning(path: &str, old: &str, new: &str) -> Option<String> {
    let rest = path.strip_prefix(old)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| format!("{new}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_are_mirrored() {
        let mirror = Mirror { original: "/bookings", mirror: "/appointments", since: 0 };
        assert_eq!(mirror.of("/bookings/{id}").as_deref(), Some("/appointments/{id}"));
        assert_eq!(mirror.of("/bookings").as_deref(), Some("/appointments"));
        assert_eq!(mirror.of("/bookingsystem"), None);
        assert_eq!(mirror.original_of("/appointments/7").as_deref(), Some("/bookings/7"));
    }
}
