//! `petpro`: the one binary. `petpro --help` teaches it.

use clap::Parser as _;
use petpro::cli::Cli;
use std::process::ExitCode;

// Requests allocate much and briefly, and password hashing in large pieces: the system's own allocator keeps far more of
// that than is in use, and takes longer for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
