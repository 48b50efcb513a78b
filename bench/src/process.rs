//! What a process uses of the machine, from `/proc` (proc(5)); nothing where there is no such folder.

use std::time::Duration;

/// `/proc` counts processor time in hundredths of a second on every Linux (`getconf CLK_TCK`).
const TICKS_PER_SECOND: u64 = 100;

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, of all threads.
    pub cpu: Duration,
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
}

impl Usage {
    /// The processor time from one look to the next, and the memory at the second one.
    pub fn between(before: Option<Usage>, after: Option<Usage>) -> Option<Usage> {
        let (before, after) = (before?, after?);
        Some(Usage { cpu: after.cpu.saturating_sub(before.cpu), resident_bytes: after.resident_bytes })
    }
}

/// What a process uses by now.
pub fn usage(process_id: u32) -> Option<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?;
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    Some(Usage { cpu: cpu(&stat)?, resident_bytes: resident_bytes(&status)? })
}

/// The sum of `utime` and `stime`, fields 14 and 15. Field 2, the name, may hold spaces and ends with the last bracket.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut from_field_14 = after_name.split_whitespace().skip(11);
    let user: u64 = from_field_14.next()?.parse().ok()?;
    let system: u64 = from_field_14.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_move_the_fields() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 900 0 3 0 150 25 0 0 20 0 9 0 777 1000 200";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu("nonsense"), None);
    }

    #[test]
    fn resident_memory_is_in_kibibytes() {
        assert_eq!(resident_bytes("VmHWM:\t 9 kB\nVmRSS:\t   2048 kB\n"), Some(2048 * 1024));
        assert_eq!(resident_bytes(""), None);
    }
}
