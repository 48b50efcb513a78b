//! A person's key, in use.

use super::cipher::{self, KEY};
use super::sealed::SealedText;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::sync::Arc;
use subjects::Fault;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A person's key. Cheap to clone; wiped from memory with the last clone.
#[derive(Clone)]
pub struct PersonKey {
    subject: Uuid,
    key: Arc<Zeroizing<[u8; KEY]>>,
}

impl PersonKey {
    pub(super) fn new(subject: Uuid, key: Zeroizing<[u8; KEY]>) -> PersonKey {
        PersonKey { subject, key: Arc::new(key) }
    }

    /// Whose key it is.
    #[cfg(test)]
    pub(super) fn subject(&self) -> Uuid {
        self.subject
    }

    /// How many clones of it there are.
    #[cfg(test)]
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.key)
    }

    /// Seals a text for one place, for example `<id of the row>/notes`: elsewhere it does not open.
    ///
    /// # Errors
    /// `internal` for a text of more than 256 GB.
    pub fn seal(&self, place: &str, text: &str) -> Result<SealedText, Fault> {
        let sealed = cipher::encrypt(&self.key, &self.context(place), text.as_bytes()).map_err(Fault::internal)?;
        Ok(SealedText::of(&URL_SAFE_NO_PAD.encode(sealed)))
    }

    fn open(&self, place: &str, ciphertext: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(ciphertext).ok()?;
        let text = cipher::decrypt(&self.key, &self.context(place), &sealed)?;
        String::from_utf8(text).ok()
    }

    fn context(&self, place: &str) -> Vec<u8> {
        [b"petpro text 1\0", self.subject.as_bytes().as_slice(), place.as_bytes()].concat()
    }
}

/// The text that was sealed for a place; none where its key is not there, because it was destroyed. Text that is not
/// sealed is told as it stands.
pub fn open(key: Option<&PersonKey>, place: &str, text: &SealedText) -> Option<String> {
    match text.ciphertext() {
        Ok(ciphertext) => key?.open(place, ciphertext),
        Err(plain) => Some(plain.to_owned()),
    }
}

/// Without the key.
impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonKey").field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::mangled::check_reading_text;

    fn key_of(subject: Uuid) -> PersonKey {
        PersonKey::new(subject, Zeroizing::new(rand::random()))
    }

    #[test]
    fn text_opens_with_its_key_at_its_place_alone() {
        let key = key_of(Uuid::now_v7());
        let sealed = key.seal("a/notes", "shy, é").unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("shy"));
        assert_eq!(open(Some(&key), "a/notes", &sealed).as_deref(), Some("shy, é"));
        assert_eq!(open(Some(&key), "b/notes", &sealed), None);
        assert_eq!(open(Some(&key_of(key.subject)), "a/notes", &sealed), None);
        assert_eq!(open(None, "a/notes", &sealed), None);
    }

    #[test]
    fn spoiled_text_opens_as_what_it_was_or_not_at_all() {
        let key = key_of(Uuid::now_v7());
        let sealed = key.seal("a/notes", "shy, é").unwrap();
        let ciphertext = sealed.ciphertext().unwrap();
        let read = |text: &str| {
            let opened = open(Some(&key), "a/notes", &SealedText::of(text))?;
            assert_eq!(opened, "shy, é", "another text opens");
            Some(opened)
        };
        check_reading_text(&[ciphertext], read, |_opened| ciphertext.to_owned());
    }

    #[test]
    fn text_from_before_is_read_as_it_stands() {
        let plain: SealedText = serde_json::from_str("\"sealed with a kiss\"").unwrap();
        assert_eq!(open(None, "a/notes", &plain).as_deref(), Some("sealed with a kiss"));
        let looks_sealed: SealedText = serde_json::from_str("\"sealed:1:?\"").unwrap();
        assert_eq!(open(Some(&key_of(Uuid::now_v7())), "a/notes", &looks_sealed), None);
        assert_eq!(format!("{plain:?}"), "SealedText");
    }
}
