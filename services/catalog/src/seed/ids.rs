//! Ids and choices that are always the same for the same names and numbers.

use uuid::Uuid;

/// The millisecond from which the demo's ids are: 1 January 2025, 00:00 UTC.
const IDS_FROM_MILLISECOND: u64 = 1_735_689_600_000;

/// An id of version 7 that is always the same for the same kind and seed.
pub fn demo_id(kind: &str, seed: u64) -> Uuid {
    let (high, low) = (mixed(of_text(kind) ^ seed), mixed(of_text(kind).wrapping_add(mixed(seed))));
    let mut tail = [0_u8; 10];
    for (byte, random) in tail.iter_mut().zip(high.to_le_bytes().into_iter().chain(low.to_le_bytes())) {
        *byte = random;
    }
    uuid::Builder::from_unix_timestamp_millis(IDS_FROM_MILLISECOND, &tail).into_uuid()
}

/// A number for a text (FNV-1a).
pub fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A number as a seed.
pub fn of_number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A number that looks like chance (the finaliser of splitmix64).
pub fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One of some things, by a seed and what it is chosen for.
pub fn choose<'a, T>(things: &'a [T], seed: u64, what_for: &str) -> Option<&'a T> {
    let index = below(things.len(), seed, what_for);
    things.get(index)
}

/// A number below a bound, by a seed and what it is for.
pub fn below(bound: usize, seed: u64, what_for: &str) -> usize {
    let bound = of_number(bound.max(1));
    usize::try_from(mixed(seed ^ of_text(what_for)) % bound).unwrap_or_default()
}
