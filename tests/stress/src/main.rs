//! `stress run` is the harness; `stress platform …` is petpro itself, as which the harness starts this same program.

use clap::Parser as _;
use std::process::ExitCode;
use stress::command_line::{CommandLine, execute};

#[tokio::main]
async fn main() -> ExitCode {
    match execute(CommandLine::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            petpro::output::aside(format_args!("stress: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}
