//! `petpro`: the one binary. `petpro --help` teaches it.

use clap::Parser as _;
use petpro::cli::Cli;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match petpro::commands::execute(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            petpro::output::aside(format_args!("petpro: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}
