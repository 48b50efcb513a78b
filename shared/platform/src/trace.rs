//! Correlation ids and W3C Trace Context (level 1, version 00).

/// A new trace: with the sampled flag, unless only a share of the traces is exported and this is none of it.
pub fn new_traceparent() -> String {
    let trace_id = rand::random::<u128>() | 1;
    let flags = u8::from(crate::spans::samples_new_trace());
    format!("00-{trace_id:032x}-{:016x}-{flags:02x}", new_span_id())
}

/// A child span of `parent`; a new trace where `parent` is not valid.
pub fn child_of(parent: &str) -> String {
    match trace_id(parent) {
        Some(trace_id) => {
            let flags = parent.get(53..55).unwrap_or("01");
            format!("00-{trace_id}-{:016x}-{flags}", new_span_id())
        }
        None => new_traceparent(),
    }
}

/// The trace id of a valid `traceparent`, 32 hex digits.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let valid = version == "00"
        && parts.next().is_none()
        && hex(trace, 32)
        && hex(span, 16)
        && hex(flags, 2)
        && trace.bytes().any(|byte| byte != b'0')
        && span.bytes().any(|byte| byte != b'0');
    valid.then_some(trace)
}

/// Whether a correlation id that came from outside may be used: 1 to 128 characters that no log or header can
/// misread.
pub fn is_safe_correlation_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

fn new_span_id() -> u64 {
    rand::random::<u64>() | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_keeps_the_trace_and_changes_the_span() {
        let parent = new_traceparent();
        let child = child_of(&parent);
        assert_eq!(trace_id(&parent), trace_id(&child));
        assert_ne!(parent, child);
    }

    #[test]
    fn what_is_not_a_traceparent_starts_a_new_trace() {
        for broken in ["", "00", "00-0-0-0", &"x".repeat(55), &format!("00-{:032x}-{:016x}-01", 0, 1), "é-é-é-é"] {
            assert_eq!(trace_id(broken), None, "{broken}");
            assert!(trace_id(&child_of(broken)).is_some());
        }
    }

    #[test]
    fn correlation_ids_from_outside_are_bounded() {
        assert!(is_safe_correlation_id("req-1.a_b:c"));
        for unsafe_id in ["", "a b", "a\nb", "ü", &"a".repeat(129)] {
            assert!(!is_safe_correlation_id(unsafe_id));
        }
    }
}
