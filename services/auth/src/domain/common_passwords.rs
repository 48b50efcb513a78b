//! Which passwords are too common to be chosen.
//!
//! OWASP ASVS 5.0 (6.2.4) asks for a check against at least the top 3,000 passwords. Most of those are a few hundred
//! words with digits and signs around them, the same with look-alike letters, and runs along the keyboard. So words
//! are listed and the rest are rules, which hold for more variants than any list of that length.

use std::collections::HashSet;
use std::sync::LazyLock;

static STEMS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_stems.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
});

/// Along which common passwords run, forwards and backwards.
const RUNS: [&str; 8] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujm",
];

/// How many digits and signs around a word leave it as common as it was.
const MAX_DECORATION: usize = 4;

/// Whether a password is one of those that are tried first.
pub fn is_common(password: &str) -> bool {
    let lower_case = password.to_lowercase();
    is_listed(&lower_case)
        || is_listed(&without_look_alikes(&lower_case))
        || repeats_a_short_block(&lower_case)
        || follows_a_run(&lower_case)
        || is_a_date(&lower_case)
}

fn is_listed(password: &str) -> bool {
    if STEMS.contains(password) {
        return true;
    }
    let stem = password.trim_matches(|character: char| !character.is_alphabetic());
    let decoration = password.chars().count() - stem.chars().count();
    decoration <= MAX_DECORATION && (STEMS.contains(stem) || STEMS.contains(without_look_alikes(stem).as_str()))
}

fn without_look_alikes(password: &str) -> String {
    password
        .chars()
        .map(|character| match character {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// `aaaaaaaa`, `12121212`, `abcabcabc`, `passpass`.
fn repeats_a_short_block(password: &str) -> bool {
    let characters: Vec<char> = password.chars().collect();
    (1..=4).any(|length| {
        let shifted = characters.iter().skip(length);
        characters.len() >= 2 * length && characters.iter().zip(shifted).all(|(one, next)| one == next)
    })
}

/// `12345678`, `qwertyuiop`, `hgfedcba`.
fn follows_a_run(password: &str) -> bool {
    let backwards: String = password.chars().rev().collect();
    RUNS.iter().any(|run| run.contains(password) || run.contains(&backwards))
}

/// Eight digits that read as a day, in any of the usual orders: `17081945`, `08171945`, `19450817`.
fn is_a_date(password: &str) -> bool {
    let is_eight_digits = password.len() == 8 && password.bytes().all(|byte| byte.is_ascii_digit());
    if !is_eight_digits {
        return false;
    }
    ["%d%m%Y", "%m%d%Y", "%Y%m%d"].iter().any(|order| {
        chrono::NaiveDate::parse_from_str(password, order)
            .is_ok_and(|date| (1900..2100).contains(&chrono::Datelike::year(&date)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_common() {
        for password in [
            "password",
            "Password",
            "password1",
            "Password123!",
            "p@ssw0rd",
            "P4$$w0rd",
            "12345678",
            "1234567890",
            "987654321",
            "qwertyui",
            "QWERTYUIOP",
            "1q2w3e4r",
            "1qaz2wsx",
            "zaq12wsx",
            "iloveyou",
            "ILoveYou2",
            "sunshine",
            "Sunshine2024",
            "aaaaaaaa",
            "11111111",
            "12121212",
            "abcabcabc",
            "passpass",
            "letmein!",
            "welcome1",
            "Welcome2025",
            "football",
            "princess",
            "sayangku",
            "bismillah",
            "indonesia45",
            "rahasia1",
            "17081945",
            "19990101",
            "abcdefgh",
            "hgfedcba",
            "trustno1",
            "adminadmin",
            "changeme",
            "persija28",
            "P4ssword",
            "dr4g0n123",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn what_nobody_tries_is_not() {
        for password in [
            "correct horse battery staple",
            "kucing tidur di atas lemari",
            "vT7#qLm2",
            "93847561",
            "sunshine-over-Makassar",
            "xkqzjwvy",
            "日本語のパスワード",
            "dragon83920184756",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn the_list_is_in_lower_case() {
        assert!(STEMS.len() > 700);
        assert!(STEMS.iter().all(|stem| stem.to_lowercase() == **stem));
    }
}
