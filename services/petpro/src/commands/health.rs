//! `petpro health`.

use crate::cli::HealthArgs;
use crate::output::say;
use anyhow::{Context as _, bail};
use platform::Settings;
use platform::admin::AdminConfig;
use std::time::Duration;

pub(super) async fn execute(args: &HealthArgs) -> anyhow::Result<()> {
    let url = match &args.url {
        Some(url) => url.clone(),
        None => {
            let config: AdminConfig = Settings::load()?.section("admin")?;
            format!("http://127.0.0.1:{}", config.listen.port())
        }
    };
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).build()?;
    let response = client.get(format!("{url}/health/ready")).send().await.context("the admin port does not answer")?;
    let ready = response.status().is_success();
    say!("{}", response.text().await?)?;
    if !ready {
        bail!("not ready");
    }
    Ok(())
}
