//! HTTP load from `wrk`: <https://github.com/wg/wrk>.

use crate::load::Found;
use anyhow::{Context as _, bail};
use http::{Method, StatusCode};
use serde::Deserialize;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// What each thread of `wrk` runs.
const SCRIPT: &str = include_str!("load.lua");
/// An answer that takes longer counts as late.
const TIMEOUT: &str = "10s";

/// What is asked again and again.
pub struct Asked {
    /// The method.
    pub method: Method,
    /// Paths with their queries, one after the other.
    pub paths: Vec<String>,
    /// What is answered when all is well.
    pub status: StatusCode,
    /// A text whose presence in the answer makes it an error all the same.
    pub unwanted: Option<&'static str>,
    /// Whether an answer that does not come from the edge's cache is an error.
    pub kept: bool,
    /// Access tokens, one after the other; none: nobody asks.
    pub tokens: Vec<String>,
    /// Bodies, one after the other.
    pub bodies: Vec<String>,
    /// Times to book, instead of bodies.
    pub slots: Option<Slots>,
}

/// Times that nobody has taken yet.
pub struct Slots {
    /// What is booked.
    pub service: String,
    /// With whom, one after the other.
    pub staff: Vec<String>,
    /// When the first visit of each of them begins, in seconds since 1970.
    pub first_visit: i64,
    /// How far the next one is from it.
    pub visit_seconds: i64,
    /// How many of the times are taken already.
    pub first_slot: u64,
}

/// What `wrk` has found.
pub struct Answered {
    /// The figures.
    pub found: Found,
    /// How many requests it has made at the most: no later slot is taken.
    pub asked: u64,
}

/// The line that the script prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    answers: usize,
    microseconds: u64,
    p50: u64,
    p95: u64,
    p99: u64,
    unexpected: usize,
    said: String,
    broken: usize,
    late: usize,
    most_asked: u64,
}

impl Asked {
    /// `GET` of a path by nobody, answered with 200.
    pub fn get(path: &str) -> Asked {
        Asked::get_each_of(vec![path.to_owned()])
    }

    /// Likewise of several, one after the other; at least one.
    pub fn get_each_of(paths: Vec<String>) -> Asked {
        Asked {
            method: Method::GET,
            paths,
            status: StatusCode::OK,
            unwanted: None,
            kept: false,
            tokens: Vec::new(),
            bodies: Vec::new(),
            slots: None,
        }
    }

    /// The plan as a Lua table.
    fn plan(&self, threads: usize) -> String {
        let Asked { method, paths, status, unwanted, kept, tokens, bodies, slots } = self;
        let mut plan = format!(
            "return {{ threads = {threads}, kept = {kept}, method = {}, paths = {}, status = {}, tokens = {}, bodies = {}",
            quoted(method.as_str()),
            list(paths),
            status.as_u16(),
            list(tokens),
            list(bodies),
        );
        // Writing to a String cannot fail.
        if let Some(unwanted) = unwanted {
            let _infallible = write!(plan, ", unwanted = {}", quoted(unwanted));
        }
        if let Some(Slots { service, staff, first_visit, visit_seconds, first_slot }) = slots {
            let (service, staff) = (quoted(service), list(staff));
            let _infallible = write!(
                plan,
                ", slots = {{ service = {service}, staff = {staff}, first_visit = {first_visit}, \
                 visit_seconds = {visit_seconds}, first_slot = {first_slot} }}"
            );
        }
        plan.push_str(" }\n");
        plan
    }
}

/// Asks over `at_a_time` connections for whole seconds. The script and its plan go into `folder`.
///
/// # Errors
/// `wrk` is not installed, or fails.
pub async fn ask(
    asked: &Asked,
    address: SocketAddr,
    at_a_time: usize,
    length: Duration,
    folder: &Path,
) -> anyhow::Result<Answered> {
    let threads = at_a_time.min(std::thread::available_parallelism().map_or(1, usize::from));
    let (script, plan) = (folder.join("load.lua"), folder.join("plan.lua"));
    std::fs::write(&script, SCRIPT)?;
    std::fs::write(&plan, asked.plan(threads))?;
    let wrk = Command::new("wrk")
        .args(["--threads", &threads.to_string(), "--connections", &at_a_time.to_string()])
        .args(["--duration", &format!("{}s", length.as_secs()), "--timeout", TIMEOUT])
        .arg("--script")
        .arg(&script)
        .arg(format!("http://{address}"))
        .arg("--")
        .arg(&plan)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = wrk.await.context("cannot start wrk; deploy/ensure-bench-tools.sh installs it, or says how")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("wrk ended with {}: {printed}{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    read(&printed, threads).with_context(|| format!("wrk printed: {printed}"))
}

fn read(printed: &str, threads: usize) -> anyhow::Result<Answered> {
    let line = printed.lines().find(|line| line.starts_with('{')).context("no line with the figures")?;
    let line: Line = serde_json::from_str(line)?;
    // None at all is an error of its own, however few were asked.
    let errors = (line.unexpected + line.broken + line.late).max(usize::from(line.answers == 0));
    let good = line.answers.saturating_sub(line.unexpected);
    let first_error = match &line {
        Line { said, .. } if !said.is_empty() => Some(said.clone()),
        Line { broken, late, .. } if broken + late > 0 => {
            Some(format!("{broken} broken connections, {late} late answers"))
        }
        Line { answers: 0, .. } => Some("no answer while it was measured".to_owned()),
        _ => None,
    };
    let found = Found {
        per_second: good as f64 / Duration::from_micros(line.microseconds).as_secs_f64(),
        p50: Duration::from_micros(line.p50),
        p95: Duration::from_micros(line.p95),
        p99: Duration::from_micros(line.p99),
        answers: good,
        errors,
        first_error,
    };
    Ok(Answered { found, asked: line.most_asked * threads as u64 })
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("{{{}}}", quoted.join(", "))
}

/// As a Lua string; every byte that could end it is written as its number.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '\0'..='\x1f' => {
                let _infallible = write!(quoted, "\\{:03}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_lua() {
        let mut asked = Asked::get("/a");
        asked.bodies = vec!["{\"a\":\"\\n\"}".to_owned()];
        asked.unwanted = Some("no");
        let plan = asked.plan(2);
        assert_eq!(
            plan,
            "return { threads = 2, kept = false, method = \"GET\", paths = {\"/a\"}, status = 200, tokens = {}, \
             bodies = {\"{\\034a\\034:\\034\\092n\\034}\"}, unwanted = \"no\" }\n"
        );
    }

    #[test]
    fn errors_are_those_of_the_answers_and_of_the_connections() {
        let line = r#"{"answers":100,"microseconds":2000000,"p50":150,"p95":700,"p99":900,"unexpected":10,"said":"409 no","broken":2,"late":3,"mostAsked":60}"#;
        let answered = read(&format!("Running 2s test\n{line}\n"), 2).unwrap();
        assert_eq!((answered.found.answers, answered.found.errors, answered.asked), (90, 15, 120));
        assert_eq!(answered.found.per_second, 45.0);
        assert_eq!(answered.found.first_error.as_deref(), Some("409 no"));
        assert!(read("nothing", 1).is_err());
    }
}
