//! What is done in a run, and in which order: decided by the seed alone.

use crate::scenario::Target;
use crate::seeded::Seeded;
use crate::world::Layout;
use std::time::Duration;

/// One thing that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Kill -9.
    Kill(Target),
    /// The JetStream store is deleted.
    DeleteStore,
    /// A copy of it, so old, is put back.
    PutOldCopyBack(Duration),
    /// A process of consumers stands still for so long.
    Stop(&'static str, Duration),
    /// Events are poisoned.
    Poison,
    /// So many events become dead letters and are replayed.
    DeadLetters(i64),
}

impl Step {
    /// The name by which `--only` picks it.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Kill(_) => "kills",
            Step::DeleteStore => "store-deleted",
            Step::PutOldCopyBack(_) => "old-copy",
            Step::Stop(..) => "stopped",
            Step::Poison => "poison",
            Step::DeadLetters(_) => "dead-letters",
        }
    }
}

/// The names that `--only` knows.
pub const NAMES: [&str; 6] = ["kills", "store-deleted", "old-copy", "stopped", "poison", "dead-letters"];

/// How many kills there are of what: 40 in all.
const KILLS: [(Kind, usize); 5] =
    [(Kind::Process, 16), (Kind::Relay, 10), (Kind::Nats, 6), (Kind::Postgres, 5), (Kind::Redis, 3)];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Process,
    Relay,
    Nats,
    Postgres,
    Redis,
}

/// The full run.
pub fn full(seed: u64, layout: &Layout) -> Vec<Step> {
    let mut chance = Seeded::of(seed, "plan");
    let mut steps = kills(&mut chance, layout);
    let third = steps.len() / 3;
    // From the back, so that the places stay.
    steps.extend([Step::Stop("ledger-1", Duration::from_secs(180)), Step::Poison, Step::DeadLetters(10_000)]);
    steps.insert(2 * third, Step::DeleteStore);
    steps.insert(third, Step::PutOldCopyBack(Duration::from_secs(30)));
    steps.insert(third / 2, Step::DeleteStore);
    steps
}

fn kills(chance: &mut Seeded, layout: &Layout) -> Vec<Step> {
    let mut names: Vec<&'static str> = layout.0.iter().map(|member| member.name).collect();
    chance.shuffle(&mut names);
    let mut processes = names.into_iter().cycle();
    let mut relays = ["booking", "catalog", "auth"].into_iter().cycle();
    let mut steps = Vec::new();
    for (kind, count) in KILLS {
        for _ in 0..count {
            let target = match kind {
                Kind::Process => processes.next().map(Target::Process),
                Kind::Relay => relays.next().map(Target::RelayOf),
                Kind::Nats => Some(Target::Nats),
                Kind::Postgres => Some(Target::Postgres),
                Kind::Redis => Some(Target::Redis),
            };
            steps.extend(target.map(Step::Kill));
        }
    }
    chance.shuffle(&mut steps);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_run_has_forty_kills_spread_over_everything_and_is_the_same_for_its_seed() {
        let layout = Layout::full();
        let steps = full(7, &layout);
        assert_eq!(steps, full(7, &layout));
        assert_ne!(steps, full(8, &layout));
        assert_eq!(steps.iter().filter(|step| step.name() == "kills").count(), 40);
        for member in &layout.0 {
            assert!(steps.contains(&Step::Kill(Target::Process(member.name))), "{}", member.name);
        }
        assert_eq!(steps.iter().filter(|step| **step == Step::DeleteStore).count(), 2);
        assert!(steps.iter().all(|step| NAMES.contains(&step.name())));
    }
}
