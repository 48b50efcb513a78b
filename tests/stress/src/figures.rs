//! What is made of many requests.

use crate::shot::{Kind, Outcome, Shot};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How many kinds of failures are shown.
const SHOWN: usize = 5;

/// What came of requests that were sent for a while.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// For how long they were sent.
    pub time: Duration,
    /// By what they were.
    pub kinds: BTreeMap<Kind, OfKind>,
}

/// What came of those of one kind.
#[derive(Debug, Clone, Default)]
pub struct OfKind {
    /// How long each took that was done, sorted.
    pub good: Vec<Duration>,
    /// How long each took that was refused and said when to come back, sorted.
    pub refused: Vec<Duration>,
    /// The reasons of those.
    pub reasons: BTreeMap<String, usize>,
    /// How many were due and not sent, because the load itself has no more under way at a time.
    pub unsent: usize,
    /// How many ended otherwise.
    pub failed: usize,
    /// How they did, and how many of each.
    pub failures: BTreeMap<String, usize>,
}

impl Figures {
    /// Of all that has ended.
    pub fn of(time: Duration, shots: Vec<Shot>) -> Figures {
        let mut figures = Figures { time, kinds: BTreeMap::new() };
        for Shot { kind, took, outcome } in shots {
            let of_kind = figures.kinds.entry(kind).or_default();
            match outcome {
                Outcome::Good => of_kind.good.push(took),
                Outcome::Refused(reason) => {
                    of_kind.refused.push(took);
                    *of_kind.reasons.entry(reason).or_default() += 1;
                }
                Outcome::Unsent => of_kind.unsent += 1,
                Outcome::Failed(how) => {
                    of_kind.failed += 1;
                    *of_kind.failures.entry(how).or_default() += 1;
                }
            }
        }
        for of_kind in figures.kinds.values_mut() {
            of_kind.good.sort_unstable();
            of_kind.refused.sort_unstable();
        }
        figures
    }

    /// Those of a kind.
    pub fn of_kind(&self, kind: Kind) -> OfKind {
        self.kinds.get(&kind).cloned().unwrap_or_default()
    }

    /// All kinds together.
    pub fn all(&self) -> OfKind {
        let mut all = OfKind::default();
        for of_kind in self.kinds.values() {
            all.good.extend(&of_kind.good);
            all.refused.extend(&of_kind.refused);
            all.failed += of_kind.failed;
            all.unsent += of_kind.unsent;
            add(&mut all.failures, &of_kind.failures);
            add(&mut all.reasons, &of_kind.reasons);
        }
        all.good.sort_unstable();
        all.refused.sort_unstable();
        all
    }

    /// How many were done a second.
    pub fn goodput(&self) -> f64 {
        as_f64(self.all().good.len()) / self.time.as_secs_f64()
    }
}

impl OfKind {
    /// How many there were.
    pub fn sent(&self) -> usize {
        self.good.len() + self.refused.len() + self.failed
    }

    /// Of 100 how many were done.
    pub fn good_percent(&self) -> f64 {
        100.0 * as_f64(self.good.len()) / as_f64(self.sent().max(1))
    }

    /// The time that so many of 1,000 that were done did not exceed.
    pub fn good_within(&self, per_mille: usize) -> Duration {
        percentile(&self.good, per_mille)
    }
}

impl fmt::Display for OfKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        write!(
            f,
            "{} sent, {} done (p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms)",
            self.sent(),
            self.good.len(),
            ms(self.good_within(500)),
            ms(self.good_within(990)),
            ms(self.good_within(1_000)),
        )?;
        if !self.refused.is_empty() {
            let within = |per_mille| ms(percentile(&self.refused, per_mille));
            write!(f, ", {} refused (p50 {:.1} ms, p99 {:.1} ms)", self.refused.len(), within(500), within(990))?;
            for (reason, count) in &self.reasons {
                write!(f, " {reason} {count}")?;
            }
        }
        if self.unsent > 0 {
            write!(f, ", {} more not sent", self.unsent)?;
        }
        if self.failed > 0 {
            let some: Vec<_> = self.failures.iter().take(SHOWN).collect();
            write!(f, ", {} FAILED: {some:?}", self.failed)?;
        }
        Ok(())
    }
}

fn add(all: &mut BTreeMap<String, usize>, more: &BTreeMap<String, usize>) {
    for (what, count) in more {
        *all.entry(what.clone()).or_default() += count;
    }
}

/// A number of requests, for shares of it.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
pub fn as_f64(count: usize) -> f64 {
    count as f64
}

fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1_000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_by_what_came_of_them() {
        let shot = |ms: u64, outcome| Shot { kind: Kind::Read, took: Duration::from_millis(ms), outcome };
        let shots = vec![
            shot(3, Outcome::Good),
            shot(1, Outcome::Good),
            shot(2, Outcome::Refused("overloaded".to_owned())),
            shot(9, Outcome::Failed("500".to_owned())),
            shot(0, Outcome::Unsent),
        ];
        let figures = Figures::of(Duration::from_secs(2), shots);
        let reads = figures.of_kind(Kind::Read);
        assert_eq!((reads.sent(), reads.good_within(500), reads.failed), (4, Duration::from_millis(1), 1));
        assert!((figures.goodput() - 1.0).abs() < 1e-9 && (reads.good_percent() - 50.0).abs() < 1e-9);
        assert!(reads.to_string().contains("overloaded 1, 1 more not sent"), "{reads}");
        assert_eq!(figures.of_kind(Kind::Change).sent(), 0);
    }
}
