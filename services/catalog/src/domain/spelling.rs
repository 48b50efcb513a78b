//! Which words somebody may have meant who mistyped one.

/// The words among those that look alike that are the least keystrokes away from a word: at most three, and none that is
/// too far away to be meant. One keystroke in a word of up to four letters is forgiven, two in a longer one.
pub fn meant<'a>(word: &str, alike: &'a [String]) -> Vec<&'a str> {
    let forgiven = if word.chars().count() <= 4 { 1 } else { 2 };
    let mut distances: Vec<(usize, &str)> =
        alike.iter().map(|known| (distance(word, known), known.as_str())).filter(|found| found.0 <= forgiven).collect();
    distances.sort_unstable();
    let least = distances.first().map_or(0, |found| found.0);
    distances.into_iter().filter(|found| found.0 == least).map(|found| found.1).take(3).collect()
}

/// How many keystrokes make one word of another: a letter more, less or otherwise, or two neighbours swapped (the optimal
/// string alignment distance).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_other = None;
        for (column, other_letter) in other.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, column) + usize::from(letter != other_letter);
            let mut best = replaced.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let are_swapped = previous_letter == Some(other_letter) && previous_other == Some(letter);
            if are_swapped && column > 0 {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
            previous_other = Some(other_letter);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_letter = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keystrokes_are_counted() {
        for (one, other, keystrokes) in [
            ("kucing", "kucing", 0),
            ("kucng", "kucing", 1),
            ("cannin", "canin", 1),
            ("makanna", "makanan", 1),
            ("wiskas", "whiskas", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(one, other), distance(other, one)), (keystrokes, keystrokes), "{one} {other}");
        }
    }

    #[test]
    fn only_what_is_near_enough_was_meant() {
        let known = ["kucing", "kuning", "kacang", "dog", "canin"].map(str::to_owned);
        assert_eq!(meant("kucng", &known), ["kucing"]);
        assert_eq!(meant("cannin", &known), ["canin"]);
        assert_eq!(meant("xyzzy", &known), [""; 0]);
    }
}
