//! `petpro openapi` and `petpro asyncapi`.

use crate::output::say;

pub(super) fn openapi() -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(&subjects::openapi::document())?)?;
    Ok(())
}

pub(super) fn asyncapi() -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(&subjects::asyncapi::document())?)?;
    Ok(())
}
