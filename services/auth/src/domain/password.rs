//! Which passwords may be chosen (OWASP ASVS 5.0, 6.2). Their length is checked with the message.

use super::common_passwords::is_common;
use subjects::Violation;

/// What is wrong with a password that somebody chooses, at the JSON Pointer of its field. There are no rules of
/// composition: any character may stand anywhere.
pub fn violations(pointer: &str, password: &str, email: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    if is_common(password) {
        found.push(Violation::new(pointer, "is one of the passwords that are tried first; choose another"));
    }
    let lower_case = password.to_lowercase();
    let local_part = email.split('@').next().unwrap_or(email);
    if lower_case == email || lower_case == local_part {
        found.push(Violation::new(pointer, "must not be the e-mail address"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(password: &str) -> usize {
        violations("/password", password, "sari.dewi@example.com").len()
    }

    #[test]
    fn any_characters_will_do() {
        assert_eq!(messages("lowercaseonlybutlong"), 0);
        assert_eq!(messages("kucing oren 🐈"), 0);
    }

    #[test]
    fn common_ones_and_the_address_will_not() {
        assert_eq!(messages("password123"), 1);
        assert_eq!(messages("Sari.Dewi"), 1);
        assert_eq!(messages("sari.dewi@example.com"), 1);
        assert_eq!(violations("/newPassword", "12345678", "a@b.c")[0].pointer, "/newPassword");
    }
}
