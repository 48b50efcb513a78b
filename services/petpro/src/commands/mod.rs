//! What `petpro` can do, a file each.

mod call;
mod check_config;
mod consumers;
mod demo;
mod dev;
mod dlq;
mod documents;
mod events;
mod health;
mod keys;
mod migrate;
mod nats_config;
mod outbox;
mod projection;
mod provision;
mod run;
pub mod seed;
mod token;
mod traffic;

use crate::cli::{Cli, Command};
use tokio_util::sync::CancellationToken;

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong, with what to do about it.
pub async fn execute(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Run(args) => run::execute(&args).await,
        Command::Dev(args) => dev::execute(&args).await,
        Command::Demo(args) => demo::execute(&args).await,
        Command::Migrate(args) => migrate::execute(&args).await,
        Command::Provision(args) => provision::execute(&args).await,
        Command::Keys(args) => keys::execute(&args),
        Command::NatsConfig(args) => nats_config::execute(&args),
        Command::CheckConfig => check_config::execute(),
        Command::Openapi => documents::openapi(),
        Command::Asyncapi => documents::asyncapi(),
        Command::Token(args) => token::execute(&args),
        Command::Call(args) => call::execute(&args).await,
        Command::Events(args) => events::execute(&args).await,
        Command::Dlq(args) => dlq::execute(&args).await,
        Command::Outbox(args) => outbox::execute(&args).await,
        Command::Consumers(args) => consumers::execute(&args).await,
        Command::Projection(args) => projection::execute(&args).await,
        Command::Traffic(args) => traffic::execute(&args).await,
        Command::Health(args) => health::execute(&args).await,
    }
}

/// Set on Ctrl-C or SIGTERM; a second one ends the process at once.
pub(crate) fn shutdown_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        let mut asked_before = false;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if asked_before {
                std::process::exit(130);
            }
            asked_before = true;
            token.cancel();
        }
    });
    Ok(shutdown)
}

pub(crate) use migrate::logins;
pub use nats_config::with_keys as nats_permissions;
pub use nats_config::with_variables as nats_permissions_with_variables;
