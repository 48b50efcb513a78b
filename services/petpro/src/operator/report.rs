//! How commands end.

use super::ask::Unanswered;
use crate::output::{aside, say};
use serde_json::Value;

/// Prints a JSON document.
pub(crate) fn print_json(document: &Value) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(document)?)?;
    Ok(())
}

/// Ends a command well, or says which services have not answered and fails.
pub(crate) fn finish(unanswered: &[Unanswered]) -> anyhow::Result<()> {
    let Some((last, others)) = unanswered.split_last() else { return Ok(()) };
    for problem in others {
        aside(format_args!("petpro: {problem}\n"));
    }
    anyhow::bail!("{last}")
}
