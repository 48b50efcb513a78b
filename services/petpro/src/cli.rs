//! The command line.

mod keys;
mod operations;
mod traffic;

pub use keys::{KeysArgs, KeysCommand};
pub use operations::{
    ConsumersArgs, ConsumersCommand, DlqArgs, DlqChoice, DlqCommand, DlqFilter, EventsArgs, EventsCommand, Mode,
    OperatorArgs, OutboxArgs, OutboxCommand, ProjectionArgs, ProjectionCommand, RefillArgs, TailArgs,
};
pub use traffic::{Share, TrafficArgs};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// PetPro: a marketplace for pet care, as services that talk over NATS.
///
/// First time here? `petpro dev` starts everything on this machine (`./just up` builds it first), and `petpro demo`
/// walks through a visit and a purchase.
///
/// Settings come from petpro.toml (or the file that PETPRO_CONFIG names) and from variables such as
/// PETPRO_NATS__URL; `petpro check-config` shows what is in force.
#[derive(Debug, Parser)]
#[command(name = "petpro", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `petpro` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run services until Ctrl-C or SIGTERM, each under its own NATS identity
    #[command(
        after_help = "Examples:\n  petpro run                 every service in one process\n  petpro run booking vendor  \
                            these two only; more replicas join their queue groups"
    )]
    Run(RunArgs),
    /// Start NATS, Postgres and Redis of this checkout, demo data and every service; stays until Ctrl-C
    Dev(DevArgs),
    /// Walk the story over HTTP against a running platform: a pet, a visit, a search, stock that is watched
    Demo(DemoArgs),
    /// Bring the database to the state that this build needs
    #[command(after_help = "Needs PETPRO_MIGRATE__ADMIN_URL, a role that may create roles and schemas.")]
    Migrate(MigrateArgs),
    /// Keep streams and consumers as the code declares them, until Ctrl-C
    Provision(ProvisionArgs),
    /// Make the keys and passwords that are missing; list, rotate and seal them
    #[command(after_help = "Without a command it makes what is missing; what is there stays.")]
    Keys(KeysArgs),
    /// Print the NATS server's users and permissions, generated from the code
    NatsConfig(NatsConfigArgs),
    /// Read and check every setting, connect to nothing
    CheckConfig,
    /// Print the OpenAPI 3.1 document of the REST face
    Openapi,
    /// Print the AsyncAPI 3 document of subjects and events
    Asyncapi,
    /// Print a token for the `nats` command line, valid for a minute
    #[command(after_help = "Example:\n  nats req booking.findAll '{}' -H \"Authorization:Bearer $(petpro token --as \
                            budi@petpro.example)\"")]
    Token(TokenArgs),
    /// Send a request to a subject and print the reply
    #[command(after_help = "Example:\n  petpro call clinic.findAll '{\"text\":\"jakarta\"}'")]
    Call(CallArgs),
    /// Follow events, show one, or show all that followed from a request
    Events(EventsArgs),
    /// List, show, replay or drop dead letters: events that a handler could not deal with
    Dlq(DlqArgs),
    /// Show what waits to be published, or publish again what JetStream has lost
    Outbox(OutboxArgs),
    /// List the handlers of events, pause or resume one
    Consumers(ConsumersArgs),
    /// List read models, or build one anew from its owner's snapshot
    Projection(ProjectionArgs),
    /// Show how a service's requests are shared out among its versions, or give a version a share of them
    #[command(
        after_help = "Examples:\n  PETPRO_TRAFFIC__VERSION=v2 petpro run booking    a replica of another version\n  petpro \
                      traffic booking v2=10                    a tenth of booking's requests go to it\n  petpro traffic \
                      booking                          show it\n  petpro traffic booking --reset                  all of them go to \
                      the stable replicas again"
    )]
    Traffic(TrafficArgs),
    /// Ask an admin port whether its process is ready; for container health checks
    Health(HealthArgs),
}

/// Which services to run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// auth, profile, vendor, booking, catalog, edge; all of them when none is named
    pub services: Vec<String>,
}

/// How to run the local stack.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Where data, keys and logs are kept
    #[arg(long, default_value = ".petpro")]
    pub data: PathBuf,
}

/// Where the platform is.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The edge; the one that the settings name when not given
    #[arg(long)]
    pub url: Option<String>,
}

/// What to migrate.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// List migrations and whether they are applied, change nothing
    #[arg(long, conflicts_with = "down")]
    pub status: bool,
    /// Take back the last migration of this service
    #[arg(long, value_name = "SERVICE")]
    pub down: Option<String>,
}

/// How long to keep streams.
#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// Look once and return
    #[arg(long)]
    pub once: bool,
}

/// How to write the NATS configuration.
#[derive(Debug, Args)]
pub struct NatsConfigArgs {
    /// Name the public keys as $PETPRO_NKEY_… variables instead of writing them out
    #[arg(long)]
    pub variables: bool,
}

/// Whom a token is for.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// A person of the demo data, by email
    #[arg(long = "as", value_name = "EMAIL", conflicts_with = "user")]
    pub demo_user: Option<String>,
    /// A user's id; nobody in particular when not given
    #[arg(long)]
    pub user: Option<uuid::Uuid>,
    /// The user's roles on the platform; customer with --user, platform_admin when nobody is named
    #[arg(long = "role", value_name = "ROLE", conflicts_with = "demo_user")]
    pub roles: Vec<String>,
}

/// What to send.
#[derive(Debug, Args)]
pub struct CallArgs {
    /// For example booking.findOne
    pub subject: String,
    /// The request
    #[arg(default_value = "{}")]
    pub json: String,
    /// Whom the request is for
    #[command(flatten)]
    pub token: TokenArgs,
    /// An If-Match version, for changes
    #[arg(long)]
    pub if_match: Option<i64>,
}

/// Whom to ask.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The admin port; the one that the settings name when not given
    #[arg(long)]
    pub url: Option<String>,
}
