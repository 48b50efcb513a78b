//! What decoders of outside bytes are tested with: anything at all, what is right with parts of it spoiled, and what is
//! huge or deep.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use proptest::strategy::Union;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::fmt::Debug;

/// How much is tried where nothing else is said.
const CASES: u32 = 256;
/// How deep is deep: more than any decoder should follow.
const DEPTH: usize = 100_000;

/// Has a decoder read everything that is made of the samples. It must take the samples as they are; anything else it may
/// take or refuse, but not panic at; and what it has taken it must take again, as the same, when it is written.
///
/// # Panics
/// It does not; the text has the shortest input that was found.
pub fn check_reading<T: PartialEq + Debug>(
    samples: &[Vec<u8>],
    read: impl Fn(&[u8]) -> Option<T>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    for sample in samples {
        assert!(read(sample).is_some(), "a good sample is refused: {}", String::from_utf8_lossy(sample));
    }
    check_reading_of(samples, CASES, read, write);
}

/// Likewise for a decoder of text.
///
/// # Panics
/// Likewise.
pub fn check_reading_text<T: PartialEq + Debug>(
    samples: &[&str],
    read: impl Fn(&str) -> Option<T>,
    write: impl Fn(&T) -> String,
) {
    let bytes: Vec<Vec<u8>> = samples.iter().map(|sample| sample.as_bytes().to_vec()).collect();
    check_reading(&bytes, |bytes| read(&String::from_utf8_lossy(bytes)), |value| write(value).into_bytes());
}

/// Likewise for what is read of a text whatever it is, as headers are: all that is asked is that nothing panics.
///
/// # Panics
/// Likewise.
pub fn check_passing_over(samples: &[&str], read: impl Fn(&str)) {
    let read = |text: &str| {
        read(text);
        Some(())
    };
    check_reading_text(samples, read, |()| String::new());
}

/// Likewise, so often, and with samples that need not be taken.
///
/// # Panics
/// Likewise.
#[expect(clippy::panic, reason = "the test has to fail")]
pub fn check_reading_of<T: PartialEq + Debug>(
    samples: &[Vec<u8>],
    cases: u32,
    read: impl Fn(&[u8]) -> Option<T>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
    let outcome = TestRunner::new(config).run(&mangled(samples), |bytes| {
        let Some(value) = read(&bytes) else { return Ok(()) };
        let written = write(&value);
        let again = read(&written);
        if again.as_ref() == Some(&value) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&written).into_owned();
        Err(TestCaseError::fail(format!("{value:?} is written as {shown:.300} and read as {again:?}")))
    });
    if let Err(error) = outcome {
        panic!("{error:.3000}");
    }
}

/// Bytes as whoever means harm, or does not know better, sends them.
fn mangled(samples: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let edits = (select(samples.to_vec()), vec(edit(), 1..6));
    let spoiled = edits.prop_map(|(sample, edits)| edits.iter().fold(sample, |bytes, edit| edit.make(bytes)));
    Union::new_weighted(vec![
        (2, vec(any::<u8>(), 0..200).boxed()),
        (1, any::<String>().prop_map(String::into_bytes).boxed()),
        (8, spoiled.boxed()),
        (1, select(huge()).boxed()),
    ])
}

#[derive(Debug, Clone)]
struct Edit {
    what: What,
    place: Index,
    length: usize,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Flip,
    CutOut,
    CutOff,
    Repeat,
    Insert,
    Replace,
}

fn edit() -> impl Strategy<Value = Edit> {
    let what = select(vec![What::Flip, What::CutOut, What::CutOff, What::Repeat, What::Insert, What::Replace]);
    // What means something to one decoder or another.
    let telling: Vec<Vec<u8>> = [
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b"\\ud800",
        b",",
        b":",
        b"-",
        b".",
        b"%",
        b"=",
        b"&",
        b"/",
        b";",
        b"*",
        b"0",
        b"-1",
        b"1e999",
        b"9223372036854775808",
        b"null",
        b"true",
        b"{}",
        b"[]",
        b"\0",
        b"\n",
        b"\xff",
        b"\xc0",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        "é".as_bytes(),
        "\u{202e}".as_bytes(),
        "🐾".as_bytes(),
        "٣".as_bytes(),
    ]
    .iter()
    .map(|bytes| bytes.to_vec())
    .collect();
    let bytes = Union::new_weighted(vec![(3, select(telling).boxed()), (1, vec(any::<u8>(), 1..8).boxed())]);
    (what, any::<Index>(), 1_usize..20, bytes).prop_map(|(what, place, length, bytes)| Edit {
        what,
        place,
        length,
        bytes,
    })
}

impl Edit {
    fn make(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let start = self.place.index(bytes.len() + 1);
        let end = (start + self.length).min(bytes.len());
        match self.what {
            What::Flip => {
                if let Some(byte) = bytes.get_mut(start) {
                    *byte ^= 1 << (self.length % 8);
                }
            }
            What::CutOut => drop(bytes.drain(start..end)),
            What::CutOff => bytes.truncate(start),
            What::Repeat => {
                let part: Vec<u8> = bytes.get(start..end).unwrap_or_default().to_vec();
                bytes.splice(start..start, part);
            }
            What::Insert => drop(bytes.splice(start..start, self.bytes.iter().copied())),
            What::Replace => drop(bytes.splice(start..end, self.bytes.iter().copied())),
        }
        bytes
    }
}

/// What is long, deep, or says that it is.
fn huge() -> Vec<Vec<u8>> {
    let deep_text = [&b"["[..], b"{\"a\":", b"\"", b"\\", b"%", b"-"];
    // In MessagePack: arrays and maps of one thing each.
    let deep_binary = [&b"\x91"[..], b"\x81\xa1a"];
    let long = [&b"1"[..], b"a", b"9,", b"a=1&", b" ", b"\0", "é".as_bytes()];
    let mut huge: Vec<Vec<u8>> =
        deep_text.iter().chain(&deep_binary).chain(&long).map(|part| part.repeat(DEPTH)).collect();
    huge.push([b"[".repeat(DEPTH), b"]".repeat(DEPTH)].concat());
    // Lengths in MessagePack, of which nothing comes.
    for start in [b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"] {
        huge.push([&start[..], b"\xff\xff\xff\xff"].concat());
    }
    huge.push(Vec::new());
    huge
}
