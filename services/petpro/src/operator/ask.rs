//! Asking services as the operator.

use crate::cli::OperatorArgs;
use anyhow::Context as _;
use futures::future::join_all;
use identity::keys::{OPERATOR, Purpose};
use identity::{User, UserTokens};
use platform::metrics::Metrics;
use platform::nats::{self, NatsConfig, ServerSignals};
use platform::setup::KeysConfig;
use platform::{Settings, headers};
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;
use subjects::ids::{SessionId, UserId};
use subjects::ops::subject_of;
use subjects::{ErrorCode, Fault, Request, Role, catalogue};

/// How long NATS has to let the operator in. Services wait longer for it; people should be told.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a service has for an answer. What would take longer it does in parts.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much longer the command waits than the service has.
const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody who runs the platform, connected.
pub(crate) struct Operator {
    nats: async_nats::Client,
    signals: ServerSignals,
    tokens: UserTokens,
    user: User,
}

/// What services have answered, each by its name, and those that have not.
pub(crate) struct Answers<T> {
    pub(crate) answered: Vec<(&'static str, T)>,
    pub(crate) unanswered: Vec<Unanswered>,
}

impl Operator {
    /// Connects as the operator whose keys are in the settings' folder.
    pub(crate) async fn connect(args: &OperatorArgs) -> anyhow::Result<Operator> {
        let settings = Settings::load()?;
        let nats_config: NatsConfig = settings.section("nats")?;
        let keys_config: KeysConfig = settings.section("keys")?;
        let keys = keys_config.open()?;
        let metrics = Metrics::register(&prometheus::Registry::new())?;
        let connecting = nats::connect(&nats_config, OPERATOR, &keys, metrics);
        let connected = tokio::time::timeout(CONNECT_PATIENCE, connecting).await;
        let (nats, signals) = connected.with_context(|| {
            format!(
                "NATS does not answer at {}: is it running, and is that its address (PETPRO_NATS__URL)?",
                nats_config.url
            )
        })??;
        let tokens = UserTokens::new(keys.signing_key(OPERATOR, Purpose::User)?);
        let id = args.user.map_or_else(UserId::new, UserId);
        let user = User { id, session: SessionId::new(), roles: vec![Role::PlatformAdmin] };
        Ok(Operator { nats, signals, tokens, user })
    }

    /// The connection.
    pub(crate) fn nats(&self) -> &async_nats::Client {
        &self.nats
    }

    /// Asks one service a question of [`subjects::ops`].
    pub(crate) async fn ask<R: Request>(&self, service: &'static str, question: &R) -> Result<R::Reply, Unanswered> {
        let subject = subject_of::<R>(service);
        let asked = self.send(&subject, question).await;
        asked.map_err(|problem| Unanswered { service, subject, problem })
    }

    /// Asks several services the same at once.
    pub(crate) async fn ask_each<R: Request>(&self, services: &[&'static str], question: &R) -> Answers<R::Reply> {
        let asking = services.iter().map(|service| async move { (*service, self.ask(service, question).await) });
        let mut answers = Answers { answered: Vec::new(), unanswered: Vec::new() };
        for (service, outcome) in join_all(asking).await {
            match outcome {
                Ok(reply) => answers.answered.push((service, reply)),
                Err(unanswered) => answers.unanswered.push(unanswered),
            }
        }
        answers
    }

    async fn send<Q: Request>(&self, subject: &str, question: &Q) -> Result<Q::Reply, Problem> {
        let payload = serde_json::to_vec(question).map_err(|error| Problem::Unreadable(error.to_string()))?;
        let token = self.tokens.issue(&self.user, chrono::Utc::now());
        let mut headers = async_nats::HeaderMap::new();
        headers.insert(headers::AUTHORIZATION, format!("Bearer {token}").as_str());
        headers.insert(headers::TIMEOUT_MS, TIMEOUT.as_millis().to_string().as_str());
        let since = std::time::Instant::now();
        let request = async_nats::Request::new().headers(headers).payload(payload.into()).timeout(None);
        let reply = tokio::select! {
            reply = self.nats.send_request(subject.to_owned(), request) => match reply {
                Ok(reply) => reply,
                Err(error) if error.kind() == async_nats::RequestErrorKind::NoResponders => {
                    return Err(Problem::NobodyThere);
                }
                Err(error) => return Err(Problem::Unsent(error.to_string())),
            },
            () = self.signals.refused_publish(subject, since) => return Err(Problem::NotPermitted),
            () = tokio::time::sleep(TIMEOUT + PATIENCE) => return Err(Problem::Silent),
        };
        let failed = reply.headers.as_ref().is_some_and(|headers| headers.get(headers::SERVICE_ERROR_CODE).is_some());
        if failed {
            return Err(Problem::Refused(read(&reply.payload)?));
        }
        read(&reply.payload)
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(payload).map_err(|error| Problem::Unreadable(error.to_string()))
}

/// The name of a service as the catalogue has it. The command line takes no other.
pub(super) fn known(service: &str) -> Option<&'static str> {
    catalogue::SERVICES.into_iter().find(|known| *known == service)
}

/// The services that are named, or all of them when none is.
pub(crate) fn named(services: &[String]) -> Vec<&'static str> {
    match services {
        [] => catalogue::SERVICES.to_vec(),
        _ => services.iter().filter_map(|service| known(service)).collect(),
    }
}

/// That a service has not answered, and why.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) service: &'static str,
    pub(crate) subject: String,
    pub(crate) problem: Problem,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The service has refused.
    Refused(Fault),
    /// No replica of the service runs.
    NobodyThere,
    /// A replica has the question, and has not answered in time.
    Silent,
    /// NATS does not let the operator ask.
    NotPermitted,
    /// NATS could not be reached.
    Unsent(String),
    /// The answer, or the question, cannot be read.
    Unreadable(String),
}

impl Unanswered {
    /// Whether the service has answered that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(&self.problem, Problem::Refused(fault) if fault.code == ErrorCode::NotFound)
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unanswered { service, subject, problem } = self;
        match problem {
            Problem::Refused(fault) => {
                write!(f, "{service}: {}", fault.message)?;
                for violation in &fault.violations {
                    write!(f, "; {} {}", violation.pointer, violation.message)?;
                }
                write!(f, " ({})", fault.reason)?;
                match fault.code {
                    ErrorCode::Internal => write!(f, ": its log says what"),
                    ErrorCode::Unavailable => write!(f, ": try again in a moment"),
                    _ => Ok(()),
                }
            }
            Problem::NobodyThere => {
                write!(f, "{service}: nobody answers {subject}: start a replica (`petpro run {service}`)")
            }
            Problem::Silent => write!(
                f,
                "{service}: no answer to {subject} within {} s: it is stuck or far too busy; its log and \
                 petpro_requests_… of its metrics say more",
                TIMEOUT.as_secs()
            ),
            Problem::NotPermitted => write!(
                f,
                "{service}: NATS does not let the operator ask {subject}: write the permissions anew (`petpro \
                 nats-config`) and reload nats-server"
            ),
            Problem::Unsent(error) => write!(f, "{service}: {subject} could not be asked: {error}"),
            Problem::Unreadable(error) => write!(
                f,
                "{service}: the answer to {subject} cannot be read: {error}; is this `petpro` of another release?"
            ),
        }
    }
}

impl std::error::Error for Unanswered {}
