//! Personal data as tests make it up: it can be told from everything else wherever it turns up, and what turns up where it
//! must not fails the test ([`crate::Leaks`]).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Stands in every text of a person.
const MARK: &str = "qzpersonal";
/// Stands in every number of a person.
const DIGITS: &str = "890517026";
/// The domains of the addresses of those who are made up: nobody else has one.
const DOMAINS: [&str; 3] = ["@example.com", "@example.org", "@petpro.example"];
/// How a token begins: `{"alg":` or `{"typ":` in base64.
const TOKENS: [&str; 2] = ["eyJhbGciOi", "eyJ0eXAiOi"];

/// The password of whoever is made up.
pub const PASSWORD: &str = "qzpersonal tidur di atas lemari";

/// A telephone number.
pub const PHONE: &str = "+62890517026";

/// The number of a microchip.
pub const MICROCHIP: &str = "360098890517026";

/// Secrets that the platform has made, as tests have met them.
static SECRETS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Any text of a person: a name, a street, a note.
pub fn text(text: &str) -> String {
    format!("{MARK}-{text}")
}

/// The address of somebody who is called so.
pub fn email(name: &str) -> String {
    format!("{name}.{MARK}@example.com")
}

/// Takes note of a token or a code that the platform has made: it must be found nowhere either.
pub fn secret(secret: &str) {
    // Of tokens the beginning is looked for.
    if TOKENS.iter().any(|begin| secret.starts_with(begin)) {
        return;
    }
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
}

/// What is looked for. Short codes only where they stand alone, since a time may have the same digits.
pub(crate) fn sought() -> Vec<String> {
    let fixed = [MARK, DIGITS].into_iter().chain(DOMAINS).chain(TOKENS);
    let mut sought: Vec<String> = fixed.map(str::to_owned).collect();
    for secret in SECRETS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if secret.len() > 12 {
            sought.push(secret.clone());
        } else {
            sought.extend([format!("\"{secret}\""), format!(" {secret} "), format!("={secret} ")]);
        }
    }
    // As columns of bytes show it.
    let hex = |text: &String| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let in_hex: Vec<String> = sought.iter().map(hex).collect();
    sought.extend(in_hex);
    sought
}
