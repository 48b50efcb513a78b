//! How Postgres goes about a search: the plans of the very statements that the service runs, from `auto_explain`, which
//! comes with Postgres (<https://www.postgresql.org/docs/15/auto-explain.html>).

use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The role that searches. New connections of it write the plan of every statement to the server's log.
const EXPLAIN: &str = "alter role petpro_catalog set session_preload_libraries = 'auto_explain'; \
                       alter role petpro_catalog set auto_explain.log_min_duration = 0; \
                       alter role petpro_catalog set auto_explain.log_analyze = on; \
                       alter role petpro_catalog set auto_explain.log_timing = off";
const NO_MORE: &str = "alter role petpro_catalog reset all";
/// The table that only searches read.
const SEARCHED: &str = "product_search";
/// How long the server may take to write a plan down.
const PATIENCE: Duration = Duration::from_secs(5);

/// The plans of the statements of one search.
#[derive(Debug, Clone)]
pub struct SearchPlan {
    /// Each plan as Postgres writes it.
    pub statements: Vec<String>,
}

/// The log of the server, from now on.
pub struct PlanLog {
    path: PathBuf,
    already_there: usize,
}

/// Has the plans of all statements of the catalog service written down, of connections that are opened from now on.
///
/// # Errors
/// The database is away.
pub async fn begin(admin_url: &str) -> anyhow::Result<()> {
    execute(admin_url, EXPLAIN).await
}

/// The opposite of [`begin`].
///
/// # Errors
/// The database is away.
pub async fn end(admin_url: &str) -> anyhow::Result<()> {
    execute(admin_url, NO_MORE).await
}

impl PlanLog {
    /// Looks at where the log ends. `stack` is the folder of the stack.
    ///
    /// # Errors
    /// There is no log.
    pub fn open(stack: &Path) -> anyhow::Result<PlanLog> {
        let path = stack.join("postgres").join("postgres.log");
        let already_there = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
        Ok(PlanLog { path, already_there })
    }

    /// What was written since: the plans in which products were searched.
    ///
    /// # Errors
    /// There is none after a while.
    pub async fn read(&self) -> anyhow::Result<SearchPlan> {
        let started = Instant::now();
        loop {
            let log = std::fs::read(&self.path)?;
            let new = String::from_utf8_lossy(log.get(self.already_there..).unwrap_or_default()).into_owned();
            let statements = plans(&new);
            if !statements.is_empty() {
                return Ok(SearchPlan { statements });
            }
            ensure!(started.elapsed() < PATIENCE, "Postgres has written no plan of a search");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Each entry begins with a line that has `plan:` in it; what belongs to it is indented. The plan begins after the
/// statement's text.
fn plans(log: &str) -> Vec<String> {
    let mut plans = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.contains("plan:") {
            continue;
        }
        let mut entry = Vec::new();
        while let Some(of_the_entry) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            entry.push(of_the_entry.trim_end());
        }
        let plan: Vec<&str> = entry.into_iter().skip_while(|line| !line.contains("(cost=")).collect();
        if plan.iter().any(|line| line.contains(SEARCHED)) {
            plans.push(plan.join("\n"));
        }
    }
    plans
}

impl SearchPlan {
    /// The indexes that are used, in the order of their names.
    fn indexes(&self) -> BTreeSet<&str> {
        let mut indexes = BTreeSet::new();
        for line in self.statements.iter().flat_map(|plan| plan.lines()) {
            let after =
                ["Index Scan using ", "Index Only Scan using ", "Index Scan Backward using ", "Bitmap Index Scan on "]
                    .iter()
                    .find_map(|kind| Some(line.split_once(kind)?.1));
            indexes.extend(after.and_then(|after| after.split_whitespace().next()));
        }
        indexes
    }

    /// The tables that are read from end to end.
    fn scanned(&self) -> BTreeSet<&str> {
        let lines = self.statements.iter().flat_map(|plan| plan.lines());
        lines.filter_map(|line| line.split_once("Seq Scan on ")?.1.split_whitespace().next()).collect()
    }
}

impl fmt::Display for SearchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        let (indexes, scanned) = (list(self.indexes()), list(self.scanned()));
        let or_none = |names: String| if names.is_empty() { "none".to_owned() } else { names };
        writeln!(
            f,
            "\nA search with words, a category, an attribute, stock and facets uses these indexes: {}.",
            or_none(indexes)
        )?;
        writeln!(f, "Tables that it reads from end to end: {}.", or_none(scanned))?;
        writeln!(f, "\n<details><summary>The plans of its statements</summary>\n")?;
        for plan in &self.statements {
            writeln!(f, "```text\n{plan}\n```\n")?;
        }
        writeln!(f, "</details>")
    }
}

async fn execute(admin_url: &str, sql: &'static str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(admin_url).await.context("cannot connect to Postgres")?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-03-01 LOG:  duration: 0.5 ms  plan:\n\tQuery Text: select 1\n\tResult  (cost=0.00..0.01 rows=1)\n\
                       2026-03-01 LOG:  duration: 9.5 ms  plan:\n\tQuery Text: select\n\t    product_search\n\
                       \tLimit  (cost=0.00..0.01 rows=1)\n\t  ->  Bitmap Heap Scan on product_search (cost=1..2 rows=3)\n\
                       \t        ->  Bitmap Index Scan on product_search_words_index  (cost=1..2 rows=3)\n\
                       \t  ->  Seq Scan on vendors  (cost=1..2 rows=3)\n2026-03-01 LOG:  something else\n";

    #[test]
    fn only_plans_of_searches_count_and_they_name_their_indexes() {
        let statements = plans(LOG);
        assert_eq!(statements.len(), 1);
        let search = SearchPlan { statements };
        assert_eq!(search.indexes(), BTreeSet::from(["product_search_words_index"]));
        assert_eq!(search.scanned(), BTreeSet::from(["vendors"]));
        assert!(search.to_string().contains("uses these indexes: product_search_words_index."));
        assert!(!search.to_string().contains("Query Text"));
    }
}
