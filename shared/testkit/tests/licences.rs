//! Everything that is linked in may be used as we use it.

use crate::layers::metadata;

/// Licences that ask for nothing but their notice; MPL-2.0 also for changes to its own files.
const ALLOWED: [&str; 16] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "bzip2-1.0.6",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Evaluates an SPDX expression over the allowed licences: OR needs one side, AND both; AND binds closer.
fn is_allowed(expression: &str) -> bool {
    // `MIT/Apache-2.0` is what SPDX had before OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut position = 0;
    let allowed = one_side(&words, &mut position);
    allowed && position == words.len()
}

fn one_side(words: &[&str], position: &mut usize) -> bool {
    let mut allowed = both_sides(words, position);
    while words.get(*position) == Some(&"OR") {
        *position += 1;
        let right = both_sides(words, position);
        allowed = allowed || right;
    }
    allowed
}

fn both_sides(words: &[&str], position: &mut usize) -> bool {
    let mut allowed = one_licence(words, position);
    while words.get(*position) == Some(&"AND") {
        *position += 1;
        let right = one_licence(words, position);
        allowed = allowed && right;
    }
    allowed
}

fn one_licence(words: &[&str], position: &mut usize) -> bool {
    let Some(word) = words.get(*position) else {
        return false;
    };
    *position += 1;
    if *word == "(" {
        let allowed = one_side(words, position);
        // The closing parenthesis.
        *position += 1;
        return allowed;
    }
    if words.get(*position) == Some(&"WITH") {
        let exception = words.get(*position + 1).copied().unwrap_or_default();
        *position += 2;
        return ALLOWED.contains(&format!("{word} WITH {exception}").as_str()) || ALLOWED.contains(word);
    }
    ALLOWED.contains(word)
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let metadata = metadata();
    let refused: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| !is_allowed(package.license.as_deref().unwrap_or_default()))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(refused.is_empty(), "not in the list of allowed licences:\n{}", refused.join("\n"));
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    assert!(is_allowed("MIT"));
    assert!(is_allowed("GPL-3.0 OR MIT"));
    assert!(is_allowed("MIT/Apache-2.0"));
    assert!(is_allowed("(MIT OR GPL-3.0) AND Unicode-3.0"));
    assert!(is_allowed("MIT OR GPL-3.0 AND LGPL-3.0"));
    assert!(is_allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
    assert!(!is_allowed("GPL-3.0"));
    assert!(!is_allowed("MIT AND GPL-3.0"));
    assert!(!is_allowed("(MIT OR Apache-2.0) AND GPL-3.0"));
    assert!(!is_allowed("GPL-2.0 WITH Classpath-exception-2.0"));
    assert!(!is_allowed(""));
}
