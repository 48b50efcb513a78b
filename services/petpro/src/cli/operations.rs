//! The commands of those who run the platform: events, dead letters, outboxes, consumers, read models.

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::time::Duration;
use subjects::ids::EventId;
use subjects::ops::{DeadLetterReason, RefillMode};
use uuid::Uuid;

/// How an operator asks and is answered.
#[derive(Debug, Clone, Args)]
pub struct OperatorArgs {
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    pub json: bool,
    /// Your user id, for the logs of the services
    #[arg(long, global = true, value_name = "ID")]
    pub user: Option<Uuid>,
}

/// Of events.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: EventsCommand,
    /// How
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What can be done with events.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Show events as they are told, until Ctrl-C
    #[command(
        after_help = "Examples:\n  petpro events tail\n  petpro events tail --type booking.created --type hours\n  \
                            petpro events tail --service catalog --count 10 --json"
    )]
    Tail(TailArgs),
    /// Show an event: what it tells, where it is kept, who has handled it and who has not yet
    #[command(after_help = "Example:\n  petpro events show 019a7f3e-5a1c-7cc0-b1d8-5f3a8c2e9d11")]
    Show {
        /// The event
        id: EventId,
    },
    /// Show what followed from a request: its events, their handlers, and what these told in turn
    #[command(
        after_help = "Examples:\n  petpro events lineage 019a7f3e-5a1c-7cc0-b1d8-5f3a8c2e9d11     by an event of \
                            it\n  petpro events lineage checkout-4711                              by its \
                            x-correlation-id"
    )]
    Lineage {
        /// An event, or the x-correlation-id of the request
        id: String,
    },
}

/// Which events to show.
#[derive(Debug, Args)]
pub struct TailArgs {
    /// Only events of this type, for example booking.created, or of this entity, for example booking; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only events that this service tells; may be repeated
    #[arg(long = "service", value_name = "SERVICE", value_parser = service())]
    pub services: Vec<String>,
    /// End after so many
    #[arg(long)]
    pub count: Option<u64>,
}

/// Of dead letters.
#[derive(Debug, Args)]
pub struct DlqArgs {
    /// What to do
    #[command(subcommand)]
    pub command: DlqCommand,
    /// How
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What can be done with dead letters: events that a handler could not deal with.
#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// List dead letters, those that have been so for longest first
    #[command(after_help = "Examples:\n  petpro dlq list\n  petpro dlq list --service booking --reason unreadable")]
    List {
        /// Which
        #[command(flatten)]
        which: DlqFilter,
        /// Only those that are dead letters for this reason: unreadable, refused, exhausted, behind
        #[arg(long)]
        reason: Option<DeadLetterReason>,
        /// How many at the most
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Show a dead letter with its headers and body
    #[command(after_help = "Example:\n  petpro dlq show 019a7f3e-5a1c-7cc0-b1d8-5f3a8c2e9d11")]
    Show {
        /// The event
        id: EventId,
        /// Which
        #[command(flatten)]
        which: DlqFilter,
    },
    /// Have dead letters handled again; what fails again stays
    #[command(
        after_help = "Examples:\n  petpro dlq replay 019a7f3e-5a1c-7cc0-b1d8-5f3a8c2e9d11 --dry-run\n  petpro dlq replay \
                      --service booking --handler hours_updated\n  petpro dlq replay --all"
    )]
    Replay {
        /// Which
        #[command(flatten)]
        chosen: DlqChoice,
        /// Run the handlers and take back what they have done: say what would succeed
        #[arg(long)]
        dry_run: bool,
    },
    /// Give dead letters up: their handlers never deal with them
    #[command(
        after_help = "Example:\n  petpro dlq drop 019a7f3e-5a1c-7cc0-b1d8-5f3a8c2e9d11 --why \"sent by hand in a test\""
    )]
    Drop {
        /// Which
        #[command(flatten)]
        chosen: DlqChoice,
        /// Why; it is logged
        #[arg(long)]
        why: String,
    },
}

/// Narrows dead letters down.
#[derive(Debug, Default, Args)]
pub struct DlqFilter {
    /// Only those of handlers of this service
    #[arg(long, value_name = "SERVICE", value_parser = service())]
    pub service: Option<String>,
    /// Only those of this handler
    #[arg(long)]
    pub handler: Option<String>,
    /// Only events of this type, for example hours.updated
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,
}

/// Says which dead letters are meant: one event, those that filters name, or all.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["id", "service", "handler", "event_type", "all"]).required(true).multiple(true))]
pub struct DlqChoice {
    /// The event
    pub id: Option<EventId>,
    /// Which
    #[command(flatten)]
    pub which: DlqFilter,
    /// All of them, of every service
    #[arg(long, conflicts_with_all = ["id", "service", "handler", "event_type"])]
    pub all: bool,
}

/// Of outboxes.
#[derive(Debug, Args)]
pub struct OutboxArgs {
    /// What to do
    #[command(subcommand)]
    pub command: OutboxCommand,
    /// How
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What can be done with outboxes: the events that services have written down and publish from there.
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// Show what waits to be published, what is kept, and how the streams are
    #[command(after_help = "Examples:\n  petpro outbox status\n  petpro outbox status booking --json")]
    Status {
        /// Which services; all of them when none is named
        #[arg(value_parser = service())]
        services: Vec<String>,
    },
    /// Publish again what JetStream has lost, or all that is kept; nobody handles an event twice for it
    #[command(
        after_help = "Examples:\n  petpro outbox refill booking --dry-run         count what the stream has lost\n  \
                            petpro outbox refill booking                   publish that again\n  petpro outbox refill \
                            --mode all --since 2h    all of the last two hours, whatever the streams have"
    )]
    Refill(RefillArgs),
}

/// What to publish again.
#[derive(Debug, Args)]
pub struct RefillArgs {
    /// Which services; all of them when none is named
    #[arg(value_parser = service())]
    pub services: Vec<String>,
    /// What the streams have lost, or everything that is kept
    #[arg(long, value_enum, default_value_t = Mode::Lost)]
    pub mode: Mode,
    /// Only events since then: a time such as 2027-03-01T02:00:00Z, or how long ago, such as 90s, 15m, 2h, 3d
    #[arg(long, value_parser = since)]
    pub since: Option<DateTime<Utc>>,
    /// Only count
    #[arg(long)]
    pub dry_run: bool,
}

/// [`RefillMode`] at the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// What the streams have lost
    Lost,
    /// All that is kept, whether the streams have it or not
    All,
}

impl From<Mode> for RefillMode {
    fn from(mode: Mode) -> RefillMode {
        match mode {
            Mode::Lost => RefillMode::Lost,
            Mode::All => RefillMode::All,
        }
    }
}

/// Of consumers.
#[derive(Debug, Args)]
pub struct ConsumersArgs {
    /// What to do
    #[command(subcommand)]
    pub command: ConsumersCommand,
    /// How
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What can be done with consumers: the handlers of events.
#[derive(Debug, Subcommand)]
pub enum ConsumersCommand {
    /// List consumers: how far behind each is, whether it is paused, and its dead letters
    #[command(after_help = "Examples:\n  petpro consumers list\n  petpro consumers list booking --behind")]
    List {
        /// Which services; all of them when none is named
        #[arg(value_parser = service())]
        services: Vec<String>,
        /// Only those that lag, are paused, have dead letters, or are asked for by nobody
        #[arg(long)]
        behind: bool,
    },
    /// Have a handler take no more events, in all replicas, until it is resumed; they wait for it
    #[command(
        after_help = "Example:\n  petpro consumers pause booking hours_updated --reason \"wrong slots since the release\""
    )]
    Pause {
        /// The service
        #[arg(value_parser = service())]
        service: String,
        /// The handler, as `petpro consumers list` names it
        handler: String,
        /// Why; others see it in the list
        #[arg(long)]
        reason: String,
    },
    /// Have a handler take events again
    #[command(after_help = "Example:\n  petpro consumers resume booking hours_updated")]
    Resume {
        /// The service
        #[arg(value_parser = service())]
        service: String,
        /// The handler
        handler: String,
    },
}

/// Of read models.
#[derive(Debug, Args)]
pub struct ProjectionArgs {
    /// What to do
    #[command(subcommand)]
    pub command: ProjectionCommand,
    /// How
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What can be done with read models: a service's copies of what others own.
#[derive(Debug, Subcommand)]
pub enum ProjectionCommand {
    /// List read models, whose copies they are, and when they were built
    #[command(after_help = "Examples:\n  petpro projection list\n  petpro projection list booking")]
    List {
        /// Which services; all of them when none is named
        #[arg(value_parser = service())]
        services: Vec<String>,
    },
    /// Build a read model anew from its owner's snapshot, while it serves
    #[command(after_help = "Example:\n  petpro projection rebuild booking staff")]
    Rebuild {
        /// The service
        #[arg(value_parser = service())]
        service: String,
        /// The read model, as `petpro projection list` names it
        model: String,
    },
}

/// Takes the name of a service that keeps an event log.
pub(super) fn service() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(subjects::catalogue::SERVICES)
}

/// A time, or how long ago it was.
fn since(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc));
    }
    let unit = text.chars().last().and_then(|unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    });
    let count = text.get(..text.len().saturating_sub(1)).and_then(|count| count.parse::<u32>().ok());
    match (count, unit) {
        (Some(count), Some(unit)) => Ok(Utc::now() - Duration::from_secs(u64::from(count) * unit)),
        _ => Err("give a time such as 2027-03-01T02:00:00Z, or how long ago, such as 90s, 15m, 2h, 3d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;

    fn refused(arguments: &[&str]) -> String {
        let all: Vec<&str> = std::iter::once("petpro").chain(arguments.iter().copied()).collect();
        Cli::try_parse_from(all).unwrap_err().to_string()
    }

    #[test]
    fn times_are_given_or_counted_back() {
        assert_eq!(since("2027-03-01T09:00:00+07:00").unwrap().to_rfc3339(), "2027-03-01T02:00:00+00:00");
        let now = Utc::now();
        let two_hours_ago = since("2h").unwrap();
        assert!(two_hours_ago >= now - Duration::from_secs(7_200), "{two_hours_ago}");
        assert!(two_hours_ago <= Utc::now() - Duration::from_secs(7_200), "{two_hours_ago}");
        for broken in ["", "h", "2", "2w", "-2h", "é", "99999999999d"] {
            assert!(since(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_changes_many_dead_letters_has_to_say_which() {
        assert!(refused(&["dlq", "replay"]).contains("--all"));
        assert!(refused(&["dlq", "replay", "--all", "--service", "booking"]).contains("cannot be used"));
        assert!(refused(&["dlq", "drop", "--all"]).contains("--why"));
        assert!(refused(&["consumers", "pause", "bookings", "x", "--reason", "y"]).contains("profile"));
        for good in [&["dlq", "replay", "--handler", "x"][..], &["dlq", "replay", "--all"], &["outbox", "status"]] {
            assert!(Cli::try_parse_from(["petpro"].iter().chain(good)).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
