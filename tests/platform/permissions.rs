//! The matrix identity × subject: NATS takes exactly what the services have declared, and nothing else.

use crate::world::World;
use petpro::services;
use platform::nats::ServerSignals;
use platform::provision::{AWAY, DEAD_LETTERS};
use platform::{ConsumerDeclaration, Declaration};
use std::collections::BTreeSet;
use std::time::Instant;
use subjects::{EventType, Kind, Operation, Who, catalogue, event};

/// Fewer than the client's queue of events holds, so that no refusal is dropped.
const AT_A_TIME: usize = 40;
/// Fewer than a connection remembers refusals.
const ON_A_CONNECTION: usize = 800;
/// How subjects begin that only look.
const LOOKS: [&str; 7] = [
    "$SRV.",
    "$JS.API.STREAM.INFO.",
    "$JS.API.STREAM.MSG.GET.",
    "$JS.API.CONSUMER.INFO.",
    "$JS.API.CONSUMER.NAMES.",
    "$JS.API.CONSUMER.LIST.",
    "$JS.API.DIRECT.GET.",
];
/// Nobody may publish or subscribe to it.
const FORBIDDEN: &str = "forbidden.to.all";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_may_publish_what_it_has_declared_and_nothing_else() {
    let world = World::without_services().await;
    for service in services::declarations() {
        let (allowed, tried) = (may_publish(&service), every_published_subject());
        let refused = refused_publishes(&world, service.name, &tried).await;
        assert!(refused.contains(FORBIDDEN));
        let taken: BTreeSet<String> = tried.difference(&refused).cloned().collect();
        assert_eq!(taken, allowed, "what {} may publish", service.name);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_may_answer_its_own_subjects_and_nothing_else() {
    let world = World::without_services().await;
    let owners: Vec<(String, &str)> = catalogue::operations()
        .flat_map(|operation| every_form(operation).map(move |subject| (subject, operation.service)))
        .collect();
    for service in services::declarations() {
        let (client, signals) = world.connect(service.name).await;
        let mut subscriptions = Vec::new();
        for chunk in owners.chunks(AT_A_TIME) {
            for (subject, owner) in chunk {
                subscriptions.push(client.queue_subscribe(subject.clone(), (*owner).to_owned()).await.unwrap());
            }
            until_refused(&client, &signals).await;
        }
        let refused: BTreeSet<String> = signals.refused_subscriptions().into_iter().collect();
        let expected: BTreeSet<String> =
            owners.iter().filter(|(_, owner)| *owner != service.name).map(|(subject, _)| subject.clone()).collect();
        assert_eq!(refused, expected, "what {} may not answer", service.name);

        // Without the queue group, somebody else's inbox, and everybody's events.
        let (client, signals) = world.connect(service.name).await;
        let mut elsewhere: BTreeSet<String> =
            service.operations.iter().map(|operation| operation.subject.to_owned()).collect();
        elsewhere.extend(
            services::names().iter().filter(|name| **name != service.name).map(|name| format!("_INBOX_{name}.>")),
        );
        let inboxes = ["operator", "neighbour", "provision"].map(|identity| format!("_INBOX_{identity}.>"));
        elsewhere.extend(inboxes);
        elsewhere.extend(
            ["event.>", "dead_letter.>", "relay.wake.*", "_INBOX.>", "$JS.>", "$SYS.>", "$SRV.>", ">"]
                .map(str::to_owned),
        );
        for subject in &elsewhere {
            subscriptions.push(client.subscribe(subject.clone()).await.unwrap());
        }
        until_refused(&client, &signals).await;
        let refused: BTreeSet<String> = signals.refused_subscriptions().into_iter().collect();
        assert_eq!(refused, elsewhere, "what {} may not listen to", service.name);
    }
    world.stop().await;
}

#[test]
fn the_generated_permissions_in_the_repository_are_those_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../nats/permissions.conf");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let generated = petpro::commands::nats_permissions_with_variables();
    assert!(committed == generated, "run: cargo run -p petpro -- nats-config --variables > nats/permissions.conf");
}

/// What the declaration itself says, without looking at the generated permissions.
fn may_publish(service: &Declaration) -> BTreeSet<String> {
    let mut allowed: BTreeSet<String> = service.calls.iter().map(|subject| (*subject).to_owned()).collect();
    allowed.extend(service.operations.iter().flat_map(every_form));
    // What it asks may be sent to any version of who answers it; its own versions are its own.
    allowed.extend(service.operations.iter().flat_map(every_form_at_a_version));
    for operation in catalogue::operations().filter(|operation| is_shared_out(operation)) {
        let asked = operation.subjects().filter(|subject| service.calls.contains(subject));
        allowed.extend(asked.map(|subject| at_a_version(operation, subject)));
    }
    // Whether NATS has a majority, and how it goes with JetStream.
    allowed.insert("$JS.API.INFO".to_owned());
    if service.name == "edge" {
        allowed.insert("$SRV.PING".to_owned());
    }
    if service.publishes_events {
        let own = catalogue::events().filter(|event| event.service == service.name);
        allowed.extend(own.flat_map(every_partition));
        allowed.insert(format!("relay.wake.{}", service.name));
        // Its relay sees to it that all is there that it has published.
        let stream = event::stream_name(service.name);
        allowed.insert(format!("$JS.API.STREAM.INFO.{stream}"));
        allowed.insert(format!("$JS.API.STREAM.MSG.GET.{stream}"));
        // Under any name: it is its own stream.
        allowed.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.x"));
        let on_it = services::consumers().into_iter().filter(|consumer| consumer.source == service.name);
        allowed.extend(on_it.map(|consumer| about_consumer("CREATE", &consumer)));
        allowed.insert(format!("$JS.FC.{stream}.x"));
    }
    for consumer in &service.consumers {
        allowed.insert(next_message(&consumer.stream(), &consumer.durable_name()));
        allowed.insert(ack(&consumer.stream(), &consumer.durable_name()));
        allowed.insert(format!("$JS.API.STREAM.INFO.{}", consumer.stream()));
        allowed.insert(format!("$JS.API.STREAM.MSG.GET.{}", consumer.stream()));
        allowed.insert(about_consumer("INFO", consumer));
        if consumer.ordered {
            allowed.insert(about_consumer("UNPIN", consumer));
        }
    }
    if !service.consumers.is_empty() {
        allowed.insert(format!("dead_letter.{}.x", service.name));
        allowed.insert(format!("$JS.API.STREAM.INFO.{DEAD_LETTERS}"));
    }
    allowed.insert(format!("$SRV.PING.{}.x", service.name));
    if !service.operations.is_empty() {
        // Whoever would leave its queue group looks at its own, and takes a place of its own.
        allowed.insert(format!("$SRV.PING.{}", service.name));
        allowed.insert(format!("away.{}.0", service.name));
        allowed.extend(answer_inboxes(service.name));
    }
    // Every service follows revoked sessions, and no other event that it has not declared.
    allowed.insert(FOLLOW_REVOCATIONS.to_owned());
    allowed.insert("$JS.FC.EVENTS_AUTH.x".to_owned());
    for followed in &service.follows {
        let stream = event::stream_name(followed.source);
        allowed.insert(follow_entity(&stream, followed.entity));
        allowed.insert(format!("$JS.FC.{stream}.x"));
        allowed.insert(format!("$JS.API.STREAM.INFO.{stream}"));
    }
    if service.operations.iter().any(|operation| operation.kind == Kind::Stream) {
        allowed.extend(lease_inboxes(service.name));
        allowed.extend(["_INBOX_operator.a.b", "_INBOX_neighbour.a.b"].map(str::to_owned));
    }
    allowed
}

fn follow_entity(stream: &str, entity: &str) -> String {
    format!("$JS.API.CONSUMER.CREATE.{stream}.x.event.{entity}.>")
}

/// Where a service answers each service that asks it.
fn answer_inboxes(service: &str) -> impl Iterator<Item = String> {
    services::names().into_iter().map(move |asker| format!("_INBOX_{asker}.answer.{service}.a.b"))
}

/// What operators ask goes to replicas of any version alike.
fn is_shared_out(operation: &Operation) -> bool {
    !operation.subject.starts_with("ops.")
}

/// Where NATS sends a request that a version of the service gets.
fn at_a_version(operation: &Operation, subject: &str) -> String {
    format!("version.{}.v2.{subject}", operation.service)
}

fn every_form_at_a_version(operation: &Operation) -> Vec<String> {
    let forms = every_form(operation).filter(|_| is_shared_out(operation));
    forms.map(|form| at_a_version(operation, &form)).collect()
}

/// Where a service tells each watcher of its streams.
fn lease_inboxes(service: &str) -> impl Iterator<Item = String> {
    let watchers = catalogue::SERVICES.into_iter().chain(["edge"]);
    watchers.map(move |watcher| format!("_INBOX_{watcher}.lease.{service}.x"))
}

const FOLLOW_REVOCATIONS: &str = "$JS.API.CONSUMER.CREATE.EVENTS_AUTH.x.event.session.revoked.0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_looks_and_asks_neighbours_ask_and_provision_keeps_streams_and_none_does_more() {
    let world = World::without_services().await;
    let requests: BTreeSet<String> = catalogue::operations().flat_map(Operation::subjects).map(str::to_owned).collect();
    let of_persons = ["auth", "user", "role", "permission", "privacy"];
    let mut for_neighbours = BTreeSet::new();
    for operation in catalogue::operations() {
        let (entity, admitted) = (operation.subject.split('.').next().unwrap(), operation.access.0);
        let is_theirs = admitted.iter().any(|who| *who != Who::Service) && !of_persons.contains(&entity);
        if is_theirs || admitted.contains(&Who::Public) {
            for_neighbours.extend(every_form(operation));
            for_neighbours.extend(every_form_at_a_version(operation));
        }
    }
    let versions: BTreeSet<String> = catalogue::operations()
        .filter(|operation| is_shared_out(operation))
        .flat_map(|operation| operation.subjects().map(move |subject| at_a_version(operation, subject)))
        .collect();
    let is_look = |subject: &str| {
        ["$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST"].contains(&subject)
            || LOOKS.iter().any(|prefix| subject.starts_with(prefix))
    };
    let is_keeping = |subject: &str| {
        let verbs_of_streams = ["CREATE", "UPDATE", "INFO"].into_iter();
        let mut of_streams = verbs_of_streams
            .flat_map(|verb| [DEAD_LETTERS, AWAY].map(|stream| format!("$JS.API.STREAM.{verb}.{stream}")));
        let begins = |verb: &&str| {
            subject.strip_prefix("$JS.API.").is_some_and(|rest| rest.starts_with(&format!("{verb}.EVENTS_")))
        };
        let verbs = ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.INFO", "CONSUMER.CREATE", "CONSUMER.INFO"];
        subject == "$JS.API.INFO" || of_streams.any(|one| one == subject) || verbs.iter().any(begins)
    };
    for identity in ["operator", "neighbour", "provision"] {
        let tried = every_published_subject();
        let may = |subject: &String| match identity {
            "operator" => requests.contains(subject) || versions.contains(subject) || is_look(subject),
            "neighbour" => for_neighbours.contains(subject),
            // Without a name the filter would stand in the body, where permissions cannot see it.
            _ => {
                is_keeping(subject) && !subject.split('.').next_back().unwrap().starts_with("EVENTS_")
                    || is_keeping(subject) && subject.contains(".STREAM.")
            }
        };
        let refused = refused_publishes(&world, identity, &tried).await;
        let taken: BTreeSet<String> = tried.difference(&refused).cloned().collect();
        let expected: BTreeSet<String> = tried.iter().filter(|subject| may(subject)).cloned().collect();
        assert_eq!(taken, expected, "what {identity} may publish");
    }
    assert!(for_neighbours.contains(r#"{"cmd":"get-booking"}"#) && !for_neighbours.contains("auth.validate"));
    assert!(for_neighbours.contains("auth.login") && !for_neighbours.contains("privacy.erase"));

    // A neighbour hears events and its own answers, and takes nobody's requests.
    let (client, signals) = world.connect("neighbour").await;
    let mut subscriptions = Vec::new();
    for subject in ["event.>", "event.booking.*.*", "_INBOX_neighbour.x.*"] {
        subscriptions.push(client.subscribe(subject).await.unwrap());
    }
    let elsewhere: BTreeSet<String> =
        ["booking.findOne", r#"{"cmd":"get-booking"}"#, "_INBOX_edge.>", "_INBOX.>", ">", "$JS.>"]
            .map(str::to_owned)
            .into();
    for subject in &elsewhere {
        subscriptions.push(client.subscribe(subject.clone()).await.unwrap());
        subscriptions.push(client.queue_subscribe(subject.clone(), "booking".to_owned()).await.unwrap());
    }
    until_refused(&client, &signals).await;
    let refused: BTreeSet<String> = signals.refused_subscriptions().into_iter().collect();
    assert_eq!(refused, elsewhere, "what a neighbour may not listen to");
    world.stop().await;
}

/// Everything that anybody might want to publish, and what nobody may.
fn every_published_subject() -> BTreeSet<String> {
    let mut subjects: BTreeSet<String> = catalogue::operations().flat_map(every_form).collect();
    subjects.extend(catalogue::operations().flat_map(every_form_at_a_version));
    subjects.extend(catalogue::events().flat_map(every_partition));
    subjects.extend(["$SRV.PING", "$SRV.INFO", "$SRV.STATS", "$SYS.REQ.SERVER.PING"].map(str::to_owned));
    // What concerns all of JetStream.
    let account = ["INFO", "STREAM.NAMES", "STREAM.LIST", "META.LEADER.STEPDOWN", "SERVER.REMOVE", "ACCOUNT.PURGE.x"];
    subjects.extend(account.map(|verb| format!("$JS.API.{verb}")));
    subjects.extend(catalogue::SERVICES.into_iter().flat_map(lease_inboxes));
    subjects.extend(services::names().into_iter().flat_map(answer_inboxes));
    subjects.extend(["_INBOX_operator.a.b", "_INBOX_neighbour.a.b"].map(str::to_owned));
    for event in catalogue::events() {
        subjects.insert(follow_entity(&event::stream_name(event.service), event.entity()));
    }
    for name in services::names() {
        subjects.insert(format!("_INBOX_{name}.a.b"));
        subjects.insert(format!("relay.wake.{name}"));
        subjects.insert(format!("dead_letter.{name}.x"));
        subjects.insert(format!("$SRV.PING.{name}.x"));
        subjects.insert(format!("$SRV.PING.{name}"));
        subjects.insert(format!("away.{name}.0"));
    }
    subjects.insert(FOLLOW_REVOCATIONS.to_owned());
    let streams = catalogue::SERVICES.map(event::stream_name);
    for stream in streams.iter().map(String::as_str).chain([DEAD_LETTERS, AWAY]) {
        let changes = ["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE"];
        let others = ["INFO", "MSG.GET", "LEADER.STEPDOWN", "PEER.REMOVE"];
        subjects.extend(changes.iter().chain(&others).map(|verb| format!("$JS.API.STREAM.{verb}.{stream}")));
        subjects.extend(["NAMES", "LIST"].map(|verb| format!("$JS.API.CONSUMER.{verb}.{stream}")));
        subjects.insert(format!("$JS.API.DIRECT.GET.{stream}"));
        subjects.insert(format!("$JS.API.DIRECT.GET.{stream}.event.x"));
        subjects.insert(format!("$JS.API.CONSUMER.CREATE.{stream}"));
        subjects.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.x"));
        subjects.insert(format!("$JS.API.CONSUMER.CREATE.{stream}.x.event.>"));
        subjects.insert(format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.x"));
        subjects.insert(format!("$JS.FC.{stream}.x"));
    }
    for consumer in services::consumers() {
        subjects.insert(next_message(&consumer.stream(), &consumer.durable_name()));
        subjects.insert(ack(&consumer.stream(), &consumer.durable_name()));
        let verbs = ["INFO", "UNPIN", "PAUSE", "DELETE", "CREATE", "DURABLE.CREATE", "LEADER.STEPDOWN"];
        subjects.extend(verbs.map(|verb| about_consumer(verb, &consumer)));
    }
    let (streams, consumers) = (streams.len() + 2, services::consumers().len());
    let least = catalogue::operations().count() * 2 + streams * 17 + consumers * 9;
    assert!(
        subjects.len() > least,
        "{} subjects, at least {least} of operations, streams and consumers",
        subjects.len()
    );
    subjects
}

/// An event, of the partition that there is and of one that there is not.
fn every_partition(event: &EventType) -> [String; 2] {
    ["0", "1"].map(|partition| format!("event.{}.{partition}", event.event_type))
}

/// The subject and its aliases, each by itself and as a command of NestJS.
fn every_form(operation: &Operation) -> impl Iterator<Item = String> + use<> {
    operation.subjects().flat_map(|subject| [subject.to_owned(), format!(r#"{{"cmd":"{subject}"}}"#)])
}

fn next_message(stream: &str, durable: &str) -> String {
    format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}")
}

fn about_consumer(verb: &str, consumer: &ConsumerDeclaration) -> String {
    format!("$JS.API.CONSUMER.{verb}.{}.{}", consumer.stream(), consumer.durable_name())
}

fn ack(stream: &str, durable: &str) -> String {
    format!("$JS.ACK.{stream}.{durable}.1.1.1.1.0")
}

/// Those that NATS does not take from an identity.
async fn refused_publishes(world: &World, identity: &str, tried: &BTreeSet<String>) -> BTreeSet<String> {
    let tried: Vec<&String> = tried.iter().collect();
    let mut refused = BTreeSet::new();
    for part in tried.chunks(ON_A_CONNECTION) {
        let (client, signals) = world.connect(identity).await;
        for chunk in part.chunks(AT_A_TIME) {
            for subject in chunk {
                client.publish(subject.to_string(), "".into()).await.unwrap();
            }
            until_refused(&client, &signals).await;
        }
        refused.extend(signals.refused_publishes());
    }
    refused
}

/// The server answers in order: once this one is refused, all refusals before it have been heard.
async fn until_refused(client: &async_nats::Client, signals: &ServerSignals) {
    let since = Instant::now();
    client.publish(FORBIDDEN, "".into()).await.unwrap();
    tokio::time::timeout(crate::world::PATIENCE, signals.refused_publish(FORBIDDEN, since)).await.unwrap();
}
