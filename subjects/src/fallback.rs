//! Answers that stand in for better ones, because a part that would be needed for those is away.

use crate::values::named_values;

named_values! {
    /// What a caller got in place of what was asked for. Each operation says which of these it may fall back on
    /// ([`Request::FALLBACKS`](crate::Request::FALLBACKS)), and each such answer says so in the header `Fallback`, at the edge in
    /// `X-Fallback`.
    pub enum Fallback {
        /// A kept answer that may be old by now: its service is away.
        StaleCache = "stale_cache",
        /// The schedule as booking's own copy has it: the vendor service is away. What is booked on it is `provisional`.
        ScheduleCopy = "schedule_copy",
        /// The answer without its vendor, who is named in `missing`: the vendor service is away.
        WithoutVendor = "without_vendor",
    }
}

/// What kind of answer stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FallbackKind {
    /// One that was given before.
    StaleCache,
    /// One made from a copy of what another service owns.
    ReadModel,
    /// A part of it.
    PartialAnswer,
}

impl Fallback {
    /// What kind of answer stands in.
    pub const fn kind(self) -> FallbackKind {
        match self {
            Fallback::StaleCache => FallbackKind::StaleCache,
            Fallback::ScheduleCopy => FallbackKind::ReadModel,
            Fallback::WithoutVendor => FallbackKind::PartialAnswer,
        }
    }
}

impl FallbackKind {
    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            FallbackKind::StaleCache => "stale cache",
            FallbackKind::ReadModel => "read model",
            FallbackKind::PartialAnswer => "partial answer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn each_is_declared_by_some_operation() {
        for fallback in Fallback::ALL {
            let declares =
                |operation: &&crate::Operation| operation.may_fall_back().any(|declared| declared == *fallback);
            assert!(catalogue::operations().any(|operation| declares(&operation)), "{fallback}");
        }
    }

    /// The edge would keep an answer that stands in, and give it for as good as any.
    #[test]
    fn nothing_is_kept_that_may_stand_in_for_something_better() {
        for operation in catalogue::operations().filter(|operation| operation.cache.is_some()) {
            assert!(operation.fallbacks.is_empty(), "{}", operation.subject);
        }
    }
}
