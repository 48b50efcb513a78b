//! The words of a search.

/// How many words of a search count.
const MAX_WORDS: usize = 8;

/// The words that all have to be found, in order. Marks between words count for nothing.
pub fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_not_words() {
        assert_eq!(words("  Klinik, Hewan-Sehat! "), ["Klinik", "Hewan", "Sehat"]);
        assert!(words("%_ --").is_empty());
        assert_eq!(words("a b c d e f g h i j").len(), 8);
    }
}
