//! `petpro openapi` and `petpro asyncapi`.

pub(super) fn openapi() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&subjects::openapi::document())?);
    Ok(())
}

pub(super) fn asyncapi() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&subjects::asyncapi::document())?);
    Ok(())
}
