//! `faults run` is the harness; `faults platform …` is petpro itself, with the ledger among its services, as which the
//! harness starts this same program.

use clap::Parser as _;
use faults::command_line::{CommandLine, execute};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match execute(CommandLine::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            petpro::output::aside(format_args!("faults: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}
