//! What was found about events.

use std::fmt;
use std::time::Duration;

/// Everything about events.
#[derive(Debug, Clone)]
pub struct Events {
    /// The steady rate.
    pub per_second: u32,
    /// At that rate, with few rows in the outbox.
    pub few: Latency,
    /// Likewise, with many.
    pub many: Latency,
    /// All at once, with few rows in the outbox besides.
    pub backlog_few: Backlog,
    /// Likewise, with many.
    pub backlog_many: Backlog,
    /// A consumer alone, over events that stand in the stream.
    pub consumer: Rate,
    /// The relay alone.
    pub filling: Rate,
    /// How many rows many are.
    pub rows: i64,
}

/// How long events took from their commit until the handler had them.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Half of them took no longer.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// None took longer.
    pub longest: Duration,
}

/// How a backlog went.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// Its size.
    pub events: usize,
    /// Until all of it was published and noted.
    pub published: Duration,
    /// Until the handler had all of it.
    pub heard: Duration,
}

/// Events in a time.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How many.
    pub events: usize,
    /// How long.
    pub took: Duration,
}

impl Rate {
    fn per_second(self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Events { per_second, few, many, backlog_few, backlog_many, consumer, filling, rows } = self;
        writeln!(f, "\n| Events | few rows in the outbox | {rows} rows |\n|---|--:|--:|")?;
        let (few_ms, many_ms) = (milliseconds(few), milliseconds(many));
        for ((name, few), (_, many)) in few_ms.into_iter().zip(many_ms) {
            writeln!(f, "| commit to consumer at {per_second}/s, {name} | {few:.1} ms | {many:.1} ms |")?;
        }
        let (few, many) = (backlog_few, backlog_many);
        let seconds = |time: &Duration| time.as_secs_f64();
        let size = few.events;
        writeln!(
            f,
            "| a backlog of {size}, until published | {:.1} s | {:.1} s |",
            seconds(&few.published),
            seconds(&many.published)
        )?;
        writeln!(
            f,
            "| likewise, until its consumer had all of it | {:.1} s | {:.1} s |",
            seconds(&few.heard),
            seconds(&many.heard)
        )?;
        writeln!(f, "\n| One at a time | events | events/s |\n|---|--:|--:|")?;
        let (events, rate) = (filling.events, filling.per_second());
        writeln!(f, "| relay, nobody consumes | {events} | {rate:.0} |")?;
        let (events, rate) = (consumer.events, consumer.per_second());
        writeln!(f, "| consumer with inbox, nothing is published | {events} | {rate:.0} |")
    }
}

fn milliseconds(latency: &Latency) -> [(&'static str, f64); 3] {
    let Latency { p50, p99, longest } = latency;
    [("p50", p50), ("p99", p99), ("the longest", longest)].map(|(name, time)| (name, time.as_secs_f64() * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_tell_everything() {
        let latency = |p50| Latency {
            p50: Duration::from_millis(p50),
            p99: Duration::from_millis(p50 * 2),
            longest: Duration::from_millis(p50 * 3),
        };
        let backlog = |seconds| Backlog {
            events: 100_000,
            published: Duration::from_secs(seconds),
            heard: Duration::from_secs(seconds + 1),
        };
        let rate = |events| Rate { events, took: Duration::from_secs(10) };
        let events = Events {
            per_second: 500,
            few: latency(5),
            many: latency(6),
            backlog_few: backlog(7),
            backlog_many: backlog(9),
            consumer: rate(60_000),
            filling: rate(200_000),
            rows: 1_300_000,
        };
        let text = events.to_string();
        for line in [
            "| Events | few rows in the outbox | 1300000 rows |",
            "| commit to consumer at 500/s, p50 | 5.0 ms | 6.0 ms |",
            "| commit to consumer at 500/s, p99 | 10.0 ms | 12.0 ms |",
            "| a backlog of 100000, until published | 7.0 s | 9.0 s |",
            "| likewise, until its consumer had all of it | 8.0 s | 10.0 s |",
            "| relay, nobody consumes | 200000 | 20000 |",
            "| consumer with inbox, nothing is published | 60000 | 6000 |",
        ] {
            assert!(text.contains(line), "{line:?} is missing in {text}");
        }
    }
}
