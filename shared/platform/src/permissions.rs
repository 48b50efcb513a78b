//! NATS permissions, generated from what services declare: each identity may do what its code does, and no more.

use crate::answers::answers_of;
use crate::discovery::instance_ping;
use crate::ejection::{AWAY, group_ping, places_of};
use crate::nats::inbox_prefix;
use crate::provision::{DEAD_LETTERS, dead_letter_subject};
use crate::service::Declaration;
use crate::streams::lease_inboxes;
use crate::versions;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use subjects::event::{entity_filter, stream_name, type_filter};
use subjects::{Kind, Operation, catalogue};

/// The identity that keeps streams and consumers.
pub const PROVISION: &str = "provision";
/// The identity of people at the `nats` CLI.
pub const OPERATOR: &str = "operator";
/// The identity of services that are not of this platform: they ask and listen.
pub const NEIGHBOUR: &str = identity::keys::NEIGHBOUR;
/// The event type that every service follows; see `session.revoked`.
const FOLLOWED_BY_ALL: (&str, &str) = ("auth", "session.revoked");

/// What an identity may publish and subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Subjects that it may publish to.
    pub publish: BTreeSet<String>,
    /// Subjects that it may subscribe to; `subject queue` permits only that queue group.
    pub subscribe: BTreeSet<String>,
    /// Whether it may answer requests that it received.
    pub answers: bool,
}

/// The permissions of every identity: the declared services, `provision`, `operator` and `neighbour`.
pub fn permissions(declarations: &[Declaration]) -> BTreeMap<String, Permissions> {
    let mut all: BTreeMap<String, Permissions> =
        declarations.iter().map(|declaration| (declaration.name.to_owned(), of_service(declaration))).collect();
    all.insert(PROVISION.to_owned(), of_provision());
    all.insert(OPERATOR.to_owned(), of_operator());
    all.insert(NEIGHBOUR.to_owned(), of_neighbour());
    all
}

fn of_service(service: &Declaration) -> Permissions {
    let name = service.name;
    let mut publish = BTreeSet::new();
    let mut subscribe = BTreeSet::from([format!("{}.>", inbox_prefix(name))]);
    for subject in service.operations.iter().flat_map(Operation::subjects) {
        subscribe.insert(format!("{subject} {name}"));
        // A leaving subscription is filled up with messages that mean nothing; see the dispatcher.
        publish.insert(subject.to_owned());
    }
    for subject in service.operations.iter().flat_map(Operation::command_subjects) {
        subscribe.insert(format!("{subject} {name}"));
        publish.insert(subject);
    }
    publish.extend(service.calls.iter().map(|subject| (*subject).to_owned()));
    publish.extend(versions::of_asked(&service.calls, false));
    publish.insert(crate::majority::ACCOUNT_INFO.to_owned());
    for verb in ["PING", "INFO", "STATS"] {
        subscribe.insert(format!("$SRV.{verb}"));
        subscribe.insert(format!("$SRV.{verb}.{name}"));
        subscribe.insert(format!("$SRV.{verb}.{name}.*"));
    }
    publish.insert(instance_ping(name, "*"));
    if !service.operations.is_empty() {
        // Before one leaves its queue group it looks at the others, and takes the place of one who may.
        publish.insert(group_ping(name));
        publish.insert(places_of(name));
        publish.insert(answers_of(name));
        // What NATS sends to one of its versions, and its own messages that end a leaving subscription.
        subscribe.insert(format!("{} {name}", versions::of_service(name)));
        publish.insert(versions::of_service(name));
    }
    if name == "edge" {
        publish.insert("$SRV.PING".to_owned());
    }
    if service.publishes_events {
        publish.extend(catalogue::stream_subjects(name));
        let stream = stream_name(name);
        publish.insert(format!("$JS.API.STREAM.INFO.{stream}"));
        // The relay reads its stream, to see whether all is there that it published.
        publish.insert(format!("$JS.API.STREAM.MSG.GET.{stream}"));
        publish.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.*"));
        publish.insert(format!("$JS.FC.{stream}.>"));
        publish.insert(relay_wake(name));
        subscribe.insert(relay_wake(name));
    }
    for consumer in &service.consumers {
        let (stream, durable) = (consumer.stream(), consumer.durable_name());
        publish.insert(format!("$JS.API.CONSUMER.INFO.{stream}.{durable}"));
        publish.insert(format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"));
        publish.insert(format!("$JS.ACK.{stream}.{durable}.>"));
        publish.insert(format!("$JS.ACK.*.*.{stream}.{durable}.>"));
        // When the stream was made: sequences mean something only with it.
        publish.insert(format!("$JS.API.STREAM.INFO.{stream}"));
        // For events that no client takes as messages.
        publish.insert(format!("$JS.API.STREAM.MSG.GET.{stream}"));
        if consumer.ordered {
            publish.insert(format!("$JS.API.CONSUMER.UNPIN.{stream}.{durable}"));
        }
    }
    if !service.consumers.is_empty() {
        publish.insert(dead_letter_subject(name, "*"));
        publish.insert(format!("$JS.API.STREAM.INFO.{DEAD_LETTERS}"));
    }
    let (source, event_type) = FOLLOWED_BY_ALL;
    let stream = stream_name(source);
    publish.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.*.{}", type_filter(event_type)));
    publish.insert(format!("$JS.FC.{stream}.>"));
    for followed in &service.follows {
        let stream = stream_name(followed.source);
        publish.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.*.{}", entity_filter(followed.entity)));
        publish.insert(format!("$JS.API.STREAM.INFO.{stream}"));
        publish.insert(format!("$JS.FC.{stream}.>"));
    }
    if service.operations.iter().any(|operation| operation.kind == Kind::Stream) {
        publish.extend(stream_inboxes(name));
    }
    Permissions { publish, subscribe, answers: true }
}

/// Where a service that has streams may tell them. `allow_responses` would not do: it would have NATS remember each of
/// its other answers, too, until the time for a whole stream is over.
fn stream_inboxes(service: &str) -> impl Iterator<Item = String> {
    let of_services = catalogue::SERVICES.into_iter().chain([identity::keys::EDGE]);
    // People and neighbours are told in the inbox of their request.
    let of_people = [OPERATOR, NEIGHBOUR].map(|identity| format!("{}.>", inbox_prefix(identity)));
    of_services.map(move |watcher| lease_inboxes(watcher, service)).chain(of_people)
}

/// The subject on which a replica tells the others that its outbox has something to relay.
pub fn relay_wake(service: &str) -> String {
    format!("relay.wake.{service}")
}

fn of_provision() -> Permissions {
    let mut publish = BTreeSet::from(["$JS.API.INFO".to_owned()]);
    let event_streams = catalogue::SERVICES.map(stream_name);
    for stream in event_streams.iter().map(String::as_str).chain([DEAD_LETTERS, AWAY]) {
        for verb in ["CREATE", "UPDATE", "INFO"] {
            publish.insert(format!("$JS.API.STREAM.{verb}.{stream}"));
        }
    }
    for stream in event_streams {
        publish.insert(format!("$JS.API.CONSUMER.INFO.{stream}.*"));
        publish.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.>"));
    }
    Permissions { publish, subscribe: inbox_only(PROVISION), answers: false }
}

/// People ask services, look at streams and listen to events; they change no stream.
fn of_operator() -> Permissions {
    let asked: Vec<&str> = catalogue::operations().flat_map(Operation::subjects).collect();
    let mut publish: BTreeSet<String> = asked.iter().map(|subject| (*subject).to_owned()).collect();
    publish.extend(versions::of_asked(&asked, false));
    let read_only = [
        "$SRV.>",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.STREAM.MSG.GET.*",
        "$JS.API.DIRECT.GET.>",
        "$JS.API.CONSUMER.NAMES.*",
        "$JS.API.CONSUMER.LIST.*",
        "$JS.API.CONSUMER.INFO.*.*",
    ];
    publish.extend(read_only.map(str::to_owned));
    let mut subscribe = inbox_only(OPERATOR);
    subscribe.insert("event.>".to_owned());
    subscribe.insert("dead_letter.>".to_owned());
    Permissions { publish, subscribe, answers: false }
}

/// What begins the names of operations on accounts, on what they may do, and on all that is known of a person.
const OF_PERSONS: [&str; 5] = ["auth.", "user.", "role.", "permission.", "privacy."];

/// Neighbours ask what users may ask, by either form of its name, and listen to events; what only services may ask is
/// not theirs. They sign for whomever they name, so what becomes of accounts and persons is for these to ask themselves.
fn of_neighbour() -> Permissions {
    let mut publish = BTreeSet::new();
    let mut asked = Vec::new();
    for operation in catalogue::operations().filter(|operation| operation.access.admits_users()) {
        let concerns_persons = OF_PERSONS.iter().any(|prefix| operation.subject.starts_with(prefix));
        if concerns_persons && !operation.access.is_public() {
            continue;
        }
        asked.extend(operation.subjects());
        publish.extend(operation.subjects().map(str::to_owned));
        publish.extend(operation.command_subjects());
    }
    publish.extend(versions::of_asked(&asked, true));
    let mut subscribe = inbox_only(NEIGHBOUR);
    subscribe.insert("event.>".to_owned());
    Permissions { publish, subscribe, answers: false }
}

fn inbox_only(identity: &str) -> BTreeSet<String> {
    BTreeSet::from([format!("{}.>", inbox_prefix(identity))])
}

/// Writes permissions as the `authorization` block of a nats-server configuration. `nkey` gives each identity's
/// public key, or a `$VARIABLE` that holds it.
pub fn render(permissions: &BTreeMap<String, Permissions>, nkey: impl Fn(&str) -> String) -> String {
    render_with_several(permissions, |identity| vec![nkey(identity)])
}

/// [`render`] with any number of nkeys for an identity, each of which may do the same: while keys are rotated, there are
/// two.
pub fn render_with_several(permissions: &BTreeMap<String, Permissions>, nkeys: impl Fn(&str) -> Vec<String>) -> String {
    let mut text = String::from("authorization {\n  users = [\n");
    let users = permissions
        .iter()
        .flat_map(|(identity, allowed)| nkeys(identity).into_iter().map(move |nkey| (identity, nkey, allowed)));
    for (identity, nkey, allowed) in users {
        let answers = if allowed.answers { "\n        allow_responses: { max: 1, expires: \"1m\" }" } else { "" };
        // Writing to a String cannot fail.
        let _infallible = write!(
            text,
            "    # {identity}\n    {{\n      nkey: {nkey}\n      permissions: {{\n        publish: {{ allow: [{publish}\
             \n        ] }}\n        subscribe: {{ allow: [{subscribe}\n        ] }}{answers}\n      }}\n    }}\n",
            publish = list(&allowed.publish),
            subscribe = list(&allowed.subscribe),
        );
    }
    text.push_str("  ]\n}\n");
    text
}

fn list(subjects: &BTreeSet<String>) -> String {
    let quoted = |subject: &String| subject.replace('\\', "\\\\").replace('"', "\\\"");
    subjects.iter().map(|subject| format!("\n          \"{}\"", quoted(subject))).collect()
}
