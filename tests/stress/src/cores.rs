//! The platform on one core and the load on the other, so that neither takes the other's time; and how much time the
//! platform took.

use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// The kernel counts time of processes in hundredths of a second (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// Puts this process on the second core and everything that it has started on the first.
///
/// # Errors
/// There is only one core, or `taskset` is missing.
pub fn part() -> anyhow::Result<()> {
    ensure!(std::thread::available_parallelism()?.get() >= 2, "the load needs a core of its own");
    pin(std::process::id(), "1")?;
    for process in started()?.keys() {
        // It may just have ended.
        if fs::exists(format!("/proc/{process}"))? {
            pin(*process, "0")?;
        }
    }
    Ok(())
}

/// Lets this process run on every core again, and what it starts from now on.
///
/// # Errors
/// `taskset` is missing, or there is no `/sys`.
pub fn unite() -> anyhow::Result<()> {
    let all = fs::read_to_string("/sys/devices/system/cpu/online").context("there is no /sys/devices/system/cpu")?;
    pin(std::process::id(), all.trim())
}

fn pin(process: u32, core: &str) -> anyhow::Result<()> {
    let done = Command::new("taskset").args(["-a", "-c", "-p", core, &process.to_string()]).output();
    let done = done.context("taskset is missing: install util-linux")?;
    ensure!(done.status.success(), "taskset: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// The time of the processor that everything has used so far that this process has started and that still runs.
///
/// # Errors
/// There is no `/proc`.
pub fn time_used() -> anyhow::Result<Duration> {
    let ticks: u64 = started()?.values().sum();
    #[expect(clippy::cast_precision_loss, reason = "years of it would fit")]
    Ok(Duration::from_secs_f64(ticks as f64 / TICKS_A_SECOND))
}

/// The children of this process and their children, with the ticks that each has used.
fn started() -> anyhow::Result<BTreeMap<u32, u64>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("there is no /proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has ended meanwhile is not there.
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        if let Some((parent, ticks)) = parent_and_ticks(&stat) {
            all.insert(process, (parent, ticks));
        }
    }
    let own = std::process::id();
    let is_ours = |process: u32| {
        let mut next = process;
        while let Some((parent, _)) = all.get(&next) {
            if *parent == own {
                return true;
            }
            next = *parent;
        }
        false
    };
    Ok(all.iter().filter(|(process, _)| is_ours(**process)).map(|(process, (_, ticks))| (*process, *ticks)).collect())
}

/// Fields 4, 14 and 15 of `/proc/<pid>/stat`; the name before them may hold anything (proc(5)).
fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some((fields.get(1)?.parse().ok()?, ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_name() {
        let stat = "7 (a) b (c) S 3 7 7 0 -1 4194304 1 2 3 4 120 30 0 0 20 0 1 0 5 6 7";
        assert_eq!(parent_and_ticks(stat), Some((3, 150)));
        assert_eq!(parent_and_ticks("7 nonsense"), None);
    }

    #[test]
    fn what_a_child_uses_is_counted() {
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        while time_used().unwrap() < Duration::from_millis(50) {
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
