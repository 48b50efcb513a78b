//! Everybody × every route of the contract: whoever is let in is exactly whom the contract's access rule lets in at the
//! row that is asked about. What the rule means for a caller and a row is said once, in `rule`; a new route without a
//! place there fails the test.

use crate::hostile::scene::{Answer, Scene, all};
use crate::hostile::storage::Storage;
use crate::samples::{Sample, routes};
use crate::world::World;
use identity::ServiceTokens;
use identity::keys::{EDGE, Purpose};
use platform::headers;
use rule::{CALLERS, Caller, Whose};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use subjects::{Method, Operation, RouteCaller, catalogue};

#[path = "matrix/rule.rs"]
mod rule;
#[path = "matrix/spare.rs"]
mod spare;

/// A version that no row has: a change that is let in goes no further, and the row stays for the others.
const NO_VERSION: i64 = i64::MAX;

/// A request that differs from one caller to the next in nothing but who sends it.
struct Line {
    sample: Sample,
    whose: Whose,
    version: Option<i64>,
}

/// What a caller is to get, and what it got.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    /// The path leads to another route for this caller.
    Elsewhere,
    LetIn(u16),
    Refused(u16),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_let_in_exactly_where_the_contract_says() {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__LIMITS_PROFILE", "bench");
    world.set("PETPRO_PROFILE__PRIVACY_SETTLING_MS", "100");
    world.run("all", &[]).await;
    world.until_heard().await;
    let scene = Scene::of(&world).await;
    let spares = spare::make(&scene, &world).await;
    let mesh = Mesh::of(&world).await;
    let mut lines = vec![];
    for sample in routes() {
        lines.push(Line::of(&scene, &world, sample).await);
    }

    // Those who may not come first: they change nothing.
    let before = Storage::look(&world).await;
    let mut table: BTreeMap<(String, usize), Cell> = BTreeMap::new();
    let mut wrong = vec![];
    let refused = lines.iter().flat_map(|line| {
        CALLERS
            .iter()
            .enumerate()
            .filter(|(_, caller)| line.expects(**caller) == Some(false))
            .map(move |cell| (line, cell))
    });
    let (scene, mesh_of_all) = (&scene, &mesh);
    let tasks = refused.map(|(line, (column, caller))| async move {
        (line, column, *caller, mesh_of_all.answer(scene, line, *caller, None).await)
    });
    for (line, column, caller, seen) in all(tasks.collect()).await {
        if !line.is_the_right_refusal(caller, &seen) {
            wrong.push(format!("{}: {caller:?} is not refused as declared: {seen:?}", line.name()));
        }
        table.insert((line.name(), column), Cell::Refused(seen.status));
    }
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
    before.check_unchanged(&world, "somebody who may not").await;

    // Then all others, what ends a row last.
    lines.sort_by_key(|line| rule::how_much_it_ends(&line.sample));
    for line in &lines {
        for (column, caller) in CALLERS.iter().enumerate() {
            let cell = match line.expects(*caller) {
                None => Cell::Elsewhere,
                Some(false) => continue,
                Some(true) => {
                    let seen = mesh.answer(scene, line, *caller, spares.for_removal(line, *caller)).await;
                    if !line.is_let_in(&seen) {
                        wrong.push(format!("{}: {caller:?} is not let in: {seen:?}", line.name()));
                    }
                    Cell::LetIn(seen.status)
                }
            };
            table.insert((line.name(), column), cell);
        }
    }
    print(&lines, &table);
    check_counts(&lines, &table);
    wrong.extend(mesh.check_operations_without_routes(scene).await);
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
    world.stop().await;
}

impl Line {
    async fn of(scene: &Scene, world: &World, sample: Sample) -> Line {
        let whose = Whose::of(&sample);
        let (mut sample, _) = scene.real(world, sample).await;
        if sample.rest.path == "/profiles/me" {
            // Whose it is says the caller.
            sample = sample.without("userId");
        }
        let is_of_one = match sample.rest.method {
            Method::Put | Method::Patch => true,
            Method::Post => sample.rest.path.contains("{id}/"),
            Method::Get | Method::Delete => false,
        };
        Line { sample, whose, version: is_of_one.then_some(NO_VERSION) }
    }

    fn name(&self) -> String {
        // Two routes have the same method and path.
        format!("{} → {}", self.sample.name(), self.sample.operation.subject)
    }

    /// Whether the caller is to be let in. None: the route is not for this caller to reach.
    fn expects(&self, caller: Caller) -> Option<bool> {
        let is_signed_in = matches!(caller, Caller::User(_));
        let is_elsewhere = match self.sample.rest.caller {
            RouteCaller::Any => false,
            RouteCaller::Anonymous => is_signed_in,
            RouteCaller::SignedIn => caller == Caller::Anonymous,
        };
        (!is_elsewhere).then(|| rule::lets_in(&self.sample, self.whose, caller))
    }

    /// Whether an answer comes from behind the door. Whether there is a row at all is not told to those outside.
    fn is_let_in(&self, answer: &Answer) -> bool {
        match (answer.status, answer.reason()) {
            (401, reason) => !["unauthenticated", "invalid_token", "service_not_recognised"].contains(&reason),
            (403, reason) => reason != "forbidden",
            (404, _) => !self.whose.is_a_row(),
            _ => true,
        }
    }

    /// Whoever could sign in is asked to; whoever has is told that it is not theirs, or that it is not there.
    fn is_the_right_refusal(&self, caller: Caller, answer: &Answer) -> bool {
        match caller {
            Caller::Anonymous => answer.status == 401,
            Caller::User(_) => answer.status == rule::refusal(&self.sample, self.whose, caller),
            Caller::Service(name) => answer.status == rule::refusal_of_service(&self.sample, name),
        }
    }
}

/// Those who ask inside.
struct Mesh {
    client: async_nats::Client,
    /// By service and audience.
    tokens: BTreeMap<&'static str, ServiceTokens>,
}

impl Mesh {
    async fn of(world: &World) -> Mesh {
        let key = |service: &str| world.stack.keys.signing_key(service, Purpose::Service).unwrap();
        let tokens = [EDGE, "booking", "profile"].map(|service| (service, ServiceTokens::new(key(service))));
        Mesh { client: world.operator().await, tokens: tokens.into() }
    }

    async fn answer(&self, scene: &Scene, line: &Line, caller: Caller, spare: Option<Sample>) -> Answer {
        let sample = spare.as_ref().unwrap_or(&line.sample);
        match caller {
            Caller::Anonymous => Answer::to(scene.request(sample, None, line.version)).await,
            Caller::User(person) => Answer::to(scene.request(sample, Some(&scene.token(person)), line.version)).await,
            Caller::Service(service) => {
                let mut message = sample.message();
                // Who is nobody's self has to say whose.
                if sample.fields().iter().any(|field| field == "userId") && message.get("userId").is_none() {
                    message["userId"] = json!(scene.named("user"));
                }
                self.ask(sample.operation, Some(service), message, line.version).await
            }
        }
    }

    async fn ask(&self, operation: Operation, service: Option<&str>, message: Value, version: Option<i64>) -> Answer {
        let mut map = async_nats::HeaderMap::new();
        if let Some(service) = service {
            let token = self.tokens[service].for_audience(operation.service);
            map.insert(headers::SERVICE_TOKEN, token.as_str());
        }
        if let Some(version) = version {
            map.insert(headers::IF_MATCH, version.to_string().as_str());
        }
        self.send(operation, map, message).await
    }

    async fn send(&self, operation: Operation, map: async_nats::HeaderMap, message: Value) -> Answer {
        let asked = self.client.request_with_headers(operation.subject, map, message.to_string().into());
        let reply = asked.await.unwrap();
        let code = reply.headers.as_ref().and_then(|headers| headers.get(headers::SERVICE_ERROR_CODE));
        let status = code.map_or(200, |code| code.as_str().parse().unwrap());
        assert!(status < 500, "{}: {:?}", operation.subject, reply.payload);
        Answer { status, body: serde_json::from_slice(&reply.payload).unwrap_or_default() }
    }

    /// What has no route: for services alone, as far as the mesh is no operator's tool. Whoever is let in is told what
    /// is wrong with an empty question.
    async fn check_operations_without_routes(&self, scene: &Scene) -> Vec<String> {
        let without = || catalogue::operations().filter(|operation| operation.rest.is_empty());
        let mut wrong = vec![];
        let mut cells = 0;
        for operation in without().filter(|operation| !operation.subject.starts_with("ops.")) {
            for caller in CALLERS {
                let answer = match caller {
                    Caller::Anonymous => self.ask(*operation, None, json!({}), None).await,
                    Caller::Service(service) => self.ask(*operation, Some(service), json!({}), None).await,
                    Caller::User(person) => {
                        let mut map = async_nats::HeaderMap::new();
                        map.insert(headers::AUTHORIZATION, format!("Bearer {}", scene.user_token(person)).as_str());
                        self.send(*operation, map, json!({})).await
                    }
                };
                let expected = rule::lets_in_without_row(operation.access, caller);
                if expected == [401, 403].contains(&answer.status) {
                    wrong.push(format!("{}: {caller:?} should be let in: {expected}; {answer:?}", operation.subject));
                }
                cells += 1;
            }
        }
        println!("{cells} cells of operations without a route");
        assert!(cells >= 4 * CALLERS.len(), "only {cells}");
        wrong
    }
}

/// A line for each route: the status that each caller got, in brackets where it was refused.
fn print(lines: &[Line], table: &BTreeMap<(String, usize), Cell>) {
    let names: Vec<String> = CALLERS.iter().map(|caller| format!("{:>9.9}", caller.name())).collect();
    println!("{:58}{}", "", names.join(" "));
    let mut sorted: Vec<String> = lines.iter().map(Line::name).collect();
    sorted.sort_unstable();
    for name in sorted {
        let cells = (0..CALLERS.len()).map(|column| match table.get(&(name.clone(), column)) {
            Some(Cell::LetIn(status)) => format!("{status:>9}"),
            Some(Cell::Refused(status)) => format!("{:>9}", format!("({status})")),
            Some(Cell::Elsewhere) => format!("{:>9}", "–"),
            None => format!("{:>9}", "?"),
        });
        println!("{name:58}{}", cells.collect::<Vec<_>>().join(" "));
    }
}

/// Every route of the contract has its line, every line all its cells, and neither half of the table is empty.
fn check_counts(lines: &[Line], table: &BTreeMap<(String, usize), Cell>) {
    let in_contract: usize = catalogue::operations().map(|operation| operation.rest.len()).sum();
    let names: BTreeSet<String> = lines.iter().map(Line::name).collect();
    assert_eq!((names.len(), lines.len()), (in_contract, in_contract), "routes in the matrix and in the contract");
    assert_eq!(table.len(), in_contract * CALLERS.len(), "cells");
    let count = |is_one: fn(&Cell) -> bool| table.values().filter(|cell| is_one(cell)).count();
    let (elsewhere, let_in, refused) = (
        count(|cell| *cell == Cell::Elsewhere),
        count(|cell| matches!(cell, Cell::LetIn(_))),
        count(|cell| matches!(cell, Cell::Refused(_))),
    );
    let users = CALLERS.iter().filter(|caller| matches!(caller, Caller::User(_))).count();
    // `POST /vendors` is two routes: one for those who are signed in, one for all others.
    assert_eq!(elsewhere, users + 1);
    println!("{in_contract} routes, {let_in} cells let in, {refused} refused");
    assert!(let_in > 300 && refused > 300, "{let_in} let in, {refused} refused");
}
