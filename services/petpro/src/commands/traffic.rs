//! `petpro traffic`: which share of a service's requests goes to which of its versions.

use crate::cli::TrafficArgs;
use crate::operator::{Cell, Colour, Operator, Table, print_json};
use crate::output::{aside, say};
use anyhow::bail;
use platform::discovery::versions;
use platform::setup::KeysConfig;
use platform::{STABLE, Settings, Traffic};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long replicas may take to tell that they are there.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// How many replicas of each version of a service there are.
type Replicas = BTreeMap<String, usize>;

pub(super) async fn execute(args: &TrafficArgs) -> anyhow::Result<()> {
    let keys: KeysConfig = Settings::load()?.section("keys")?;
    let path = Traffic::path(&keys.dir);
    let mut traffic = Traffic::read(&path)?;
    let services: Vec<String> = match &args.service {
        Some(service) => vec![service.clone()],
        None => traffic.services().map(str::to_owned).collect(),
    };
    let replicas = replicas(args, &services).await;
    let changes = args.reset || !args.shares.is_empty();
    if let Some(service) = args.service.as_ref().filter(|_| changes) {
        change(&mut traffic, args, service, replicas.get(service))?;
        traffic.write(&path)?;
    }
    show(args, &traffic, &services, &replicas)?;
    if changes && !args.operator.json {
        say!(
            "\nNATS has to be told: `petpro nats-config > permissions.conf`, and reload it (`nats-server --signal reload`, \
             in a cluster at every node). `petpro dev` tells its own by itself within {} s.",
            keys.refresh().as_secs().max(1)
        )?;
    }
    Ok(())
}

/// Without a service where NATS could not be asked: shares are given without it, too.
async fn replicas(args: &TrafficArgs, services: &[String]) -> BTreeMap<String, Replicas> {
    if services.is_empty() {
        return BTreeMap::new();
    }
    let asked = async {
        let operator = Operator::connect(&args.operator).await?;
        let mut all = BTreeMap::new();
        for service in services {
            all.insert(service.clone(), versions(operator.nats(), service, ANSWERS_WITHIN).await?);
        }
        anyhow::Ok(all)
    };
    asked.await.unwrap_or_else(|error| {
        aside(format_args!("which replicas there are is not known: {error:#}\n"));
        BTreeMap::new()
    })
}

fn change(traffic: &mut Traffic, args: &TrafficArgs, service: &str, replicas: Option<&Replicas>) -> anyhow::Result<()> {
    if args.reset {
        traffic.reset(service);
    }
    // What some have had makes room for what others get.
    for share in &args.shares {
        traffic.set(service, &share.version, 0)?;
    }
    for share in &args.shares {
        let version = &share.version;
        traffic.set(service, version, share.percent)?;
        let is_missing = replicas.is_some_and(|replicas| !replicas.contains_key(version));
        if share.percent > 0 && is_missing && !args.unseen {
            bail!(
                "no replica of {service} {version} answers: start one (`PETPRO_TRAFFIC__VERSION={version} petpro run \
                 {service}`), or say --unseen"
            );
        }
    }
    Ok(())
}

fn show(
    args: &TrafficArgs,
    traffic: &Traffic,
    services: &[String],
    replicas: &BTreeMap<String, Replicas>,
) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for service in services {
        let there = replicas.get(service);
        let mut shares: BTreeMap<&str, u8> = there.into_iter().flatten().map(|(name, _)| (name.as_str(), 0)).collect();
        shares.extend(traffic.shares(service));
        // The stable one first.
        let (stable, others): (Vec<_>, Vec<_>) = shares.into_iter().partition(|(version, _)| *version == STABLE);
        for (version, percent) in stable.into_iter().chain(others) {
            let count = there.map(|there| there.get(version).copied().unwrap_or(0));
            rows.push((service, version.to_owned(), percent, count));
        }
    }
    if args.operator.json {
        let items: Vec<_> = rows
            .iter()
            .map(|(service, version, percent, replicas)| {
                json!({ "service": service, "version": version, "percent": percent, "replicas": replicas })
            })
            .collect();
        return print_json(&json!({ "items": items }));
    }
    if rows.is_empty() {
        say!("All requests go to the stable replicas.")?;
        return Ok(());
    }
    let mut table = Table::new(&["SERVICE", "VERSION", "REQUESTS", "REPLICAS"]);
    for (service, version, percent, replicas) in rows {
        let is_missing = percent > 0 && replicas == Some(0);
        let colour = if is_missing { Colour::Red } else { Colour::Plain };
        table.row(vec![
            Cell::text(service),
            Cell::text(version),
            Cell::number(format!("{percent} %")),
            Cell::number(replicas.map_or_else(|| "?".to_owned(), |count| count.to_string())).in_colour(colour),
        ]);
    }
    table.print()?;
    Ok(())
}
