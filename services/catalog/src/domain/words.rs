//! Words, of products and of searches.

use std::collections::BTreeSet;

/// How many words of a search count.
const MAX_WORDS: usize = 8;
/// How many letters a word has at the least and at the most, to be worth setting right.
const LETTERS: std::ops::RangeInclusive<usize> = 2..=40;

/// Indonesian words that say nothing of a product; Postgres knows the English ones itself.
const INDONESIAN_STOP_WORDS: [&str; 16] = [
    "untuk", "dan", "yang", "dengan", "di", "ke", "dari", "atau", "pada", "ini", "itu", "bagi", "dalam", "oleh",
    "para", "juga",
];

/// Whether a word says nothing of a product, in Indonesian.
pub fn says_nothing(word: &str) -> bool {
    INDONESIAN_STOP_WORDS.contains(&word.to_lowercase().as_str())
}

/// The words of a text, in order. Marks between words count for nothing.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The words of a search, in order.
pub fn of_search(text: &str) -> Vec<String> {
    words(text).take(MAX_WORDS).map(str::to_owned).collect()
}

/// The words that a product has, each once.
pub fn of_product(name: &str, brand: Option<&str>, description: &str) -> Vec<String> {
    let all = words(name).chain(words(brand.unwrap_or_default())).chain(words(description));
    let worth_it = all.filter(|word| LETTERS.contains(&word.chars().count()));
    worth_it.map(str::to_lowercase).collect::<BTreeSet<String>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_not_words() {
        assert_eq!(of_search("  Royal-Canin, 2 kg! "), ["Royal", "Canin", "2", "kg"]);
        assert!(of_search("%_ --").is_empty());
        assert_eq!(of_product("Pakan Ikan", Some("Ikan"), "a b, pakan"), ["ikan", "pakan"]);
    }
}
