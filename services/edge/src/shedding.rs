//! What the edge does not even begin to answer while it has too much to do.
//!
//! While more arrives than there is processor time for, everything is late, and soon everything is too late. So it is measured
//! how late the edge itself is, several times a second; and as long as it is late and many requests are under way, a
//! growing share is refused before anything is done for it: first of the background, then of the reads, then of the changes,
//! never of what is critical. Zhou et al., "Overload Control for Scaling WeChat Microservices" (2018), do the like.

use garde::Validate;
use platform::refusals::OVERLOADED;
use prometheus::{Gauge, IntCounterVec, Opts, Registry};
use serde::Deserialize;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use subjects::{Fault, Priority};
use tokio::time::Instant;

/// How often it is looked how late the edge is.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// After so many looks it is decided.
const LOOKS: u32 = 20;
/// How much more is refused each time, at the most; and how much less.
const FASTER: f64 = 0.3;
const SLOWER: f64 = 0.05;
/// Of reads and changes a few are always let through: what is refused wholly would never show that there is room again.
const MOST_OF_ONE: f64 = 0.98;
/// After how long whoever was refused should try again.
const RETRY_AFTER_MS: u64 = 1_000;
/// Levels are kept as whole thousandths.
const UNITS: f64 = 1_000.0;

/// The section `edge.shedding`: when requests are refused before anything is done for them.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct SheddingConfig {
    /// By how many milliseconds the edge may be late, on average over a tenth of a second.
    #[garde(range(min = 1, max = 60_000))]
    pub late_ms: u64,
    /// Fewer requests under way than this are never too many: somebody else takes the processor's time.
    #[garde(range(max = 1_000_000))]
    pub under_way: usize,
}

impl Default for SheddingConfig {
    fn default() -> SheddingConfig {
        SheddingConfig { late_ms: 5, under_way: 16 }
    }
}

/// How much is refused for the moment.
pub struct Shedding {
    config: SheddingConfig,
    /// 0 to 1: of the background; 1 to 2: of the reads, too; 2 to 3: of the changes, too. In thousandths.
    level: AtomicU32,
    under_way: AtomicUsize,
    shown: Gauge,
    refused: IntCounterVec,
}

/// A request that is being answered.
pub struct UnderWay<'a>(&'a AtomicUsize);

impl Shedding {
    /// # Errors
    /// The registry has such metrics already.
    pub fn new(config: &SheddingConfig, registry: &Registry) -> prometheus::Result<Shedding> {
        let shown = Gauge::new(
            "petpro_http_shedding",
            "What the edge refuses for want of time: up to 1 background, up to 2 reads, up to 3 changes.",
        )?;
        let refused = IntCounterVec::new(
            Opts::new("petpro_http_shed_total", "Requests that the edge refused for want of time."),
            &["priority"],
        )?;
        registry.register(Box::new(shown.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        let (level, under_way) = (AtomicU32::new(0), AtomicUsize::new(0));
        Ok(Shedding { config: config.clone(), level, under_way, shown, refused })
    }

    /// Begins a request, or refuses it; `lot` is a number from 0 to 1.
    ///
    /// # Errors
    /// `unavailable`: there is no time for it.
    pub fn begin(&self, priority: Priority, lot: f64) -> Result<UnderWay<'_>, Fault> {
        if lot < share(self.level(), priority) {
            self.refused.with_label_values(&[priority.as_str()]).inc();
            return Err(Fault::unavailable(RETRY_AFTER_MS).with_reason(OVERLOADED));
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Ok(UnderWay(&self.under_way))
    }

    /// Looks how late the edge is, for ever.
    pub async fn watch(&self) {
        loop {
            let mut late = Duration::ZERO;
            for _ in 0..LOOKS {
                let due = Instant::now() + LOOK_EVERY;
                tokio::time::sleep_until(due).await;
                late += due.elapsed();
            }
            self.follow(late / LOOKS);
        }
    }

    fn follow(&self, late: Duration) {
        let is_pressed = self.under_way.load(Ordering::Relaxed) >= self.config.under_way;
        let times = late.as_secs_f64() / Duration::from_millis(self.config.late_ms).as_secs_f64();
        let level = self.level();
        let next = if is_pressed && times > 1.0 { level + (SLOWER * times).min(FASTER) } else { level - SLOWER };
        let next = next.clamp(0.0, 3.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 3,000")]
        self.level.store((next * UNITS).round() as u32, Ordering::Relaxed);
        self.shown.set(next);
        if level == 0.0 && next > 0.0 {
            tracing::warn!(late_ms = late.as_secs_f64() * 1_000.0, "too much to do: refusing the less urgent");
        } else if level > 0.0 && next == 0.0 {
            tracing::info!("refusing nothing any more");
        }
    }

    fn level(&self) -> f64 {
        f64::from(self.level.load(Ordering::Relaxed)) / UNITS
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much of a priority is refused.
fn share(level: f64, priority: Priority) -> f64 {
    match priority {
        Priority::Critical => 0.0,
        Priority::Change => (level - 2.0).clamp(0.0, MOST_OF_ONE),
        Priority::Read => (level - 1.0).clamp(0.0, MOST_OF_ONE),
        Priority::Background => level.clamp(0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_millis(100);

    fn shedding() -> Shedding {
        Shedding::new(&SheddingConfig { late_ms: 20, under_way: 2 }, &Registry::new()).unwrap()
    }

    fn is_let_in(shedding: &Shedding) -> [bool; 4] {
        Priority::ALL.map(|priority| shedding.begin(priority, 0.5).is_ok())
    }

    #[test]
    fn the_least_urgent_is_refused_first_and_the_critical_never() {
        let shedding = shedding();
        let _two = [Priority::Read, Priority::Read].map(|priority| shedding.begin(priority, 0.5).unwrap());
        let mut seen = vec![is_let_in(&shedding)];
        for _ in 0..100 {
            shedding.follow(LATE);
            let now = is_let_in(&shedding);
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
        assert_eq!(
            seen,
            [[true; 4], [true, true, true, false], [true, true, false, false], [true, false, false, false]]
        );
        let refused = shedding.begin(Priority::Change, 0.5).err().unwrap();
        assert_eq!((&*refused.reason, refused.retry_after_ms), (OVERLOADED, Some(1_000)));
        assert!(shedding.begin(Priority::Change, 0.99).is_ok(), "a few are always let through");
        for _ in 0..60 {
            shedding.follow(Duration::ZERO);
        }
        assert_eq!(is_let_in(&shedding), [true; 4]);
    }

    #[test]
    fn who_has_little_to_do_refuses_nothing_however_late_it_is() {
        let shedding = shedding();
        let _one = shedding.begin(Priority::Read, 0.0).unwrap();
        (0..100).for_each(|_| shedding.follow(LATE));
        assert_eq!(is_let_in(&shedding), [true; 4]);
    }

    #[tokio::test]
    async fn it_notices_by_itself_that_it_is_late() {
        let shedding = shedding();
        let _two = [Priority::Read, Priority::Read].map(|priority| shedding.begin(priority, 0.5).unwrap());
        let blocking = async {
            while shedding.begin(Priority::Background, 0.0).is_ok() {
                std::thread::sleep(LATE);
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = shedding.watch() => {}
            () = blocking => {}
        }
        assert!(shedding.level() > 0.0);
    }
}
