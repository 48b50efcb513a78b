//! The command line.

use crate::ledger;
use crate::plan::NAMES;
use crate::run::{self, RunOptions};
use crate::three_nodes;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use petpro::cli::Cli;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The fault harness: the real platform as processes, under load, while things break.
#[derive(Debug, Parser)]
#[command(name = "faults", max_term_width = 100)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `faults` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the platform, break it, and look whether anything was lost
    Run(RunArgs),
    /// petpro itself, with the ledger among its services
    Platform(Cli),
    /// Run the ledger: the service of the harness that writes down every effect of every event
    Ledger,
}

/// How to run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Decides on everything that chance decides; another one each time when not given
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many minutes it may take
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u64).range(5..=600))]
    pub minutes: u64,
    /// Only steps of this name
    #[arg(long, value_name = "STEPS", value_parser = PossibleValuesParser::new(NAMES.into_iter().chain([three_nodes::NAME])))]
    pub only: Option<String>,
    /// Writes a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub rate: u32,
    /// Leave data and logs where they are; without it they stay only when something was found
    #[arg(long)]
    pub keep: bool,
    /// Have the platform make a mistake: ignore_inbox, ack_before_commit, relay_skips_row, no_refill
    #[arg(long, value_name = "MISTAKE")]
    pub planted: Option<String>,
}

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong.
pub async fn execute(command_line: CommandLine) -> anyhow::Result<()> {
    petpro::services::add(vec![ledger::entry()]);
    match command_line.command {
        Command::Run(args) => {
            let options = options(args)?;
            let only = options.only.as_deref();
            if only.is_none_or(|only| only != three_nodes::NAME) {
                let time = options.time.saturating_sub(if only.is_none() { three_nodes::TIME } else { Duration::ZERO });
                run::full(RunOptions { time, ..options.clone() }).await?;
            }
            if only.is_none_or(|only| only == three_nodes::NAME) {
                three_nodes::full(options).await?;
            }
            Ok(())
        }
        Command::Platform(cli) => {
            warn_of_planted();
            petpro::commands::execute(cli).await
        }
        Command::Ledger => {
            warn_of_planted();
            let cli = Cli::parse_from(["petpro", "run", ledger::NAME]);
            petpro::commands::execute(cli).await
        }
    }
}

fn options(args: RunArgs) -> anyhow::Result<RunOptions> {
    let RunArgs { seed, minutes, only, rate, keep, planted } = args;
    let by_the_clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    Ok(RunOptions {
        seed: seed.unwrap_or_else(by_the_clock),
        time: Duration::from_secs(60 * minutes),
        only,
        rate,
        keep,
        program: std::env::current_exe()?,
        planted,
    })
}

fn warn_of_planted() {
    if let Ok(mistake) = std::env::var("PLANTED_FAULT") {
        petpro::output::aside(format_args!("THIS PROCESS MAKES A PLANTED MISTAKE: {mistake}\n"));
    }
}
