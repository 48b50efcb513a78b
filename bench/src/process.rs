//! What processes use of the machine, from `/proc` (proc(5)); nothing where there is no such folder.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// `/proc` counts processor time in hundredths of a second on every Linux (`getconf CLK_TCK`).
const TICKS_PER_SECOND: u64 = 100;
/// A process that has used no more than this ...
const IDLE_CPU: Duration = Duration::from_millis(20);
/// ... in this time is idle.
const IDLE_WINDOW: Duration = Duration::from_millis(200);
/// It is not waited for longer.
const IDLE_PATIENCE: Duration = Duration::from_secs(20);

/// Those that share the machine during a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `petpro`, or bare axum.
    Measured,
    /// nats-server.
    Nats,
    /// Postgres with all its backends.
    Postgres,
    /// redis-server.
    Redis,
    /// What makes the load: this process, with `wrk` or `pgbench`.
    Load,
}

impl Part {
    /// All of them, in the order of the columns.
    pub const ALL: [Part; 5] = [Part::Measured, Part::Nats, Part::Postgres, Part::Redis, Part::Load];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Part::Measured => "petpro",
            Part::Nats => "nats-server",
            Part::Postgres => "postgres",
            Part::Redis => "redis",
            Part::Load => "load generator",
        }
    }
}

/// What a part uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all its processes and threads, and of its children that have ended.
    pub cpu: Duration,
    /// Memory that is resident, in bytes. What several processes share is counted once.
    pub resident_bytes: u64,
}

/// What each part uses at one moment.
#[derive(Debug, Clone, Default)]
pub struct Usages(Vec<(Part, Usage)>);

impl Usages {
    /// Of a part; None when none of its processes was there.
    pub fn of(&self, part: Part) -> Option<Usage> {
        self.0.iter().find(|(known, _usage)| *known == part).map(|(_part, usage)| *usage)
    }

    /// The processor time since an earlier look, and the memory now.
    pub fn since(&self, earlier: &Usages) -> Usages {
        let since = self.0.iter().filter_map(|(part, now)| {
            let cpu = now.cpu.saturating_sub(earlier.of(*part)?.cpu);
            Some((*part, Usage { cpu, ..*now }))
        });
        Usages(since.collect())
    }

    #[cfg(test)]
    pub fn of_one(part: Part, usage: Usage) -> Usages {
        Usages::of_each(&[(part, usage)])
    }

    #[cfg(test)]
    pub fn of_each(usages: &[(Part, Usage)]) -> Usages {
        Usages(usages.to_vec())
    }
}

/// One line of `/proc/<id>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    id: u32,
    name: String,
    parent: u32,
    /// Its own time, and that of its children that have ended.
    cpu: Duration,
}

/// What this process and its descendants use by now. `measured` is the process that is measured.
pub fn usages(measured: Option<u32>) -> Usages {
    let processes = all_processes();
    let parents: HashMap<u32, u32> = processes.iter().map(|process| (process.id, process.parent)).collect();
    let own = std::process::id();
    let mut usages: Vec<(Part, Usage)> = Vec::new();
    for process in processes.iter().filter(|process| descends(process.id, own, &parents)) {
        let Some(part) = part_of(process, own, measured) else { continue };
        let used = Usage { cpu: process.cpu, resident_bytes: resident_bytes(process.id).unwrap_or_default() };
        match usages.iter_mut().find(|(known, _usage)| *known == part) {
            Some((_part, sum)) => {
                sum.cpu += used.cpu;
                sum.resident_bytes += used.resident_bytes;
            }
            None => usages.push((part, used)),
        }
    }
    Usages(usages)
}

/// Waits until the measured process has nearly nothing to do: a service goes on with what it has begun when its asker is
/// gone, and the relay publishes what is in the outbox.
pub async fn until_idle(measured: u32) {
    let started = Instant::now();
    let mut before = usages(Some(measured)).of(Part::Measured);
    while started.elapsed() < IDLE_PATIENCE {
        tokio::time::sleep(IDLE_WINDOW).await;
        let now = usages(Some(measured)).of(Part::Measured);
        match (before, now) {
            (Some(before), Some(now)) if now.cpu.saturating_sub(before.cpu) > IDLE_CPU => {}
            _ => return,
        }
        before = now;
    }
}

/// The first process of Postgres that this process has started, directly or not.
pub fn postgres() -> Option<u32> {
    let processes = all_processes();
    let parents: HashMap<u32, u32> = processes.iter().map(|process| (process.id, process.parent)).collect();
    let own = std::process::id();
    let of_ours = processes.iter().filter(|process| process.name == "postgres" && descends(process.id, own, &parents));
    of_ours.map(|process| process.id).min()
}

fn part_of(process: &Stat, own: u32, measured: Option<u32>) -> Option<Part> {
    match process.name.as_str() {
        _ if process.id == own => Some(Part::Load),
        _ if Some(process.id) == measured => Some(Part::Measured),
        "nats-server" => Some(Part::Nats),
        "postgres" => Some(Part::Postgres),
        "redis-server" => Some(Part::Redis),
        _ => None,
    }
}

fn descends(id: u32, ancestor: u32, parents: &HashMap<u32, u32>) -> bool {
    let mut line = std::iter::successors(Some(id), |id| parents.get(id).copied());
    line.any(|id| id == ancestor)
}

fn all_processes() -> Vec<Stat> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| parse(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect()
}

/// Fields 1, 2 and 4, and the sum of 14 to 17. Field 2, the name, may hold spaces and ends with the last bracket.
fn parse(stat: &str) -> Option<Stat> {
    let (start, after_name) = stat.rsplit_once(')')?;
    let (id, name) = start.split_once(" (")?;
    let mut from_field_3 = after_name.split_whitespace();
    let parent = from_field_3.nth(1)?.parse().ok()?;
    let times = from_field_3.skip(9).take(4).map(|ticks| ticks.parse::<u64>().ok());
    let ticks: u64 = times.sum::<Option<u64>>()?;
    let cpu = Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND);
    Some(Stat { id: id.parse().ok()?, name: name.to_owned(), parent, cpu })
}

/// The proportional set size, which divides shared pages among those who share them.
fn resident_bytes(id: u32) -> Option<u64> {
    kibibytes(&std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?, "Pss:").map(|size| size * 1024)
}

fn kibibytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_move_the_fields() {
        let stat = "42 (a (b) c) S 7 42 42 0 -1 4194304 900 0 3 0 150 25 10 5 20 0 9 0 777 1000 200";
        let cpu = Duration::from_millis(1900);
        assert_eq!(parse(stat), Some(Stat { id: 42, name: "a (b) c".to_owned(), parent: 7, cpu }));
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn memory_is_in_kibibytes() {
        assert_eq!(kibibytes("Rss:\t 9 kB\nPss:\t   2048 kB\nPss_Dirty: 1 kB\n", "Pss:"), Some(2048));
        assert_eq!(kibibytes("", "Pss:"), None);
    }

    #[test]
    fn descent_goes_over_several_generations() {
        let parents = HashMap::from([(4, 3), (3, 2), (2, 1), (1, 0), (9, 1)]);
        assert!(descends(4, 2, &parents) && descends(2, 2, &parents));
        assert!(!descends(9, 2, &parents) && !descends(77, 2, &parents));
    }

    #[test]
    fn time_is_taken_from_one_look_to_the_next() {
        let used = |cpu| Usage { cpu: Duration::from_secs(cpu), resident_bytes: cpu };
        let (before, after) = (Usages::of_one(Part::Nats, used(3)), Usages::of_one(Part::Nats, used(5)));
        let between = Usage { cpu: Duration::from_secs(2), resident_bytes: 5 };
        assert_eq!(after.since(&before).of(Part::Nats), Some(between));
        assert_eq!(after.since(&Usages::default()).of(Part::Nats), None);
    }
}
