//! Personal texts at rest.
//!
//! What people write is kept only sealed under a key of the person whom it is about, so that destroying the key
//! destroys the text wherever a copy of it lies: in rows, in histories that only grow, in backups of them.
//!
//! - [`PersonKeys`] keeps the keys, wrapped under the service's data key, in the table `person_keys` of its schema.
//! - [`PersonKey`] seals and opens; [`SealedText`] is what is stored.
//! - [`export()`] reads what a service keeps of a person, a page at a time; [`forget_person`] drops the answers that were
//!   stored under idempotency keys and belong to the person or name them; [`only_for_privacy`] says who may ask.

mod cipher;
mod export;
mod forget;
mod held;
mod key;
mod keys;
mod sealed;

pub use export::{Section, export, only_for_privacy};
pub use forget::forget_person;
pub use key::{PersonKey, open};
pub use keys::{KeysOfMany, PersonKeys};
pub use sealed::SealedText;
