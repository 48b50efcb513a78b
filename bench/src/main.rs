//! `bench`: the platform beside what it is made of. See docs/performance.md.

mod busy;
mod clinics;
mod compare;
mod connection;
mod durability;
mod events;
mod kept;
mod load;
mod machine;
mod measuring;
mod mesh;
mod options;
mod page;
#[cfg(test)]
mod page_tests;
mod people;
mod pgbench;
mod process;
mod raw_http;
mod raw_nats;
mod raw_postgres;
mod run;
mod search_plan;
mod shop;
mod subject;
mod watching;
mod world;
mod wrk;

use clap::Parser as _;
use options::{Options, Part, Plan};
use petpro::progress::step;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use world::World;

/// What a shell tells of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    match &options.part {
        Some(Part::BareAxum(bare_axum)) => raw_http::serve(bare_axum).await.map(|()| ExitCode::SUCCESS),
        Some(Part::Durability(durability)) => durability::measure(durability).await.map(|()| ExitCode::SUCCESS),
        None => bench(&options).await,
    }
}

async fn bench(options: &Options) -> anyhow::Result<ExitCode> {
    let interrupted = interruption()?;
    // Not given up half-way: what has been started must be known to be stopped.
    let mut world = World::start(options).await?;
    let plan = options.plan();
    let page: Option<anyhow::Result<String>> = tokio::select! {
        biased;
        () = interrupted.cancelled() => None,
        page = page(&mut world, &plan) => Some(page),
    };
    if let Some(Err(_)) = &page {
        eprintln!("\nThe end of the platform's log:\n{}", world.log_end());
    }
    let stopping = step("stopping everything");
    let stopped = world.stop().await;
    match page {
        Some(page) => {
            println!("{}", page?);
            stopped?;
            stopping.done();
            Ok(ExitCode::SUCCESS)
        }
        // A platform that was interrupted while it started does not end as it should, and need not.
        None => {
            match stopped {
                Ok(()) => stopping.done(),
                Err(error) => eprintln!("  {error:#}"),
            }
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

async fn page(world: &mut World, plan: &Plan) -> anyhow::Result<String> {
    if plan.is_about_events_only() {
        return run::events_only(world, plan).await;
    }
    Ok(run::everything(world, plan).await?.to_string())
}

/// Set on Ctrl-C or SIGTERM; a second one ends this program at once, and its servers follow it.
fn interruption() -> anyhow::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let interrupted = CancellationToken::new();
    let token = interrupted.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if token.is_cancelled() {
                std::process::exit(i32::from(INTERRUPTED));
            }
            eprintln!("\nStopping everything; once more ends this at once and may leave the temporary folder behind.");
            token.cancel();
        }
    });
    Ok(interrupted)
}
