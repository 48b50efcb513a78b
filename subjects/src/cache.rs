//! Which answers may be kept and shared, and what makes them old.

/// Says of an operation that its answer to somebody who is not signed in is the answer to everybody who gets one: the
/// edge may keep it and share it, until an event about something that it was made of.
///
/// A caller who is refused without a token may still get an answer with one, which is never shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// What the answer is made of.
    pub made_of: &'static [Tag],
}

/// Something that an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// One aggregate of this entity: its events are `<entity>.*`, its id stands in this field of the answer.
    One {
        /// The entity, as the first token of its events has it.
        entity: &'static str,
        /// The field of the answer, in its JSON spelling.
        id_field: &'static str,
    },
    /// Every aggregate of this entity.
    All {
        /// The entity, as the first token of its events has it.
        entity: &'static str,
    },
}

impl Tag {
    /// The entity whose events make the answer old.
    pub const fn entity(&self) -> &'static str {
        match self {
            Tag::One { entity, .. } | Tag::All { entity } => entity,
        }
    }
}
