//! The command line.

use crate::scenario::{Run, Scenario, Size};
use clap::{Args, Parser, Subcommand};
use faults::ledger;
use petpro::cli::Cli;

/// The stress harness: the real platform as processes, with more to do than it can, or with a part of it slow or gone.
#[derive(Debug, Parser)]
#[command(name = "stress", max_term_width = 100)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `stress` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the platform, press it, and print figures
    Run(RunArgs),
    /// petpro itself
    Platform(Cli),
}

/// How to run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Only these; all of them, one after the other, when not given
    #[arg(long, value_enum, value_name = "SCENARIO")]
    pub only: Vec<Scenario>,
    /// A cut of a minute or so each, as the tests have it
    #[arg(long)]
    pub short: bool,
}

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong.
pub async fn execute(command_line: CommandLine) -> anyhow::Result<()> {
    petpro::services::add(vec![ledger::entry()]);
    match command_line.command {
        Command::Platform(cli) => petpro::commands::execute(cli).await,
        Command::Run(args) => {
            let size = if args.short { Size::Short } else { Size::Full };
            let chosen = if args.only.is_empty() { Scenario::ALL.to_vec() } else { args.only };
            let run = Run { size, program: std::env::current_exe()? };
            for scenario in chosen {
                run.play(scenario).await?;
            }
            Ok(())
        }
    }
}
