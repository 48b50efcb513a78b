//! Clients that are slow, greedy or never done, and connections when the edge leaves.

use crate::stack::{Edge, Stack, with_stack};
use futures::future::join_all;
use platform::Settings;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ASK: &str = "GET /health/live HTTP/1.1\r\nhost: edge\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(30);

async fn edge(stack: &Stack, settings: impl FnOnce(Settings) -> Settings) -> Edge {
    stack.another_edge(|shared| settings(shared.set("edge.leave_after_ms", 1))).await
}

async fn connect(edge: &Edge, said: &str) -> TcpStream {
    let mut connection = TcpStream::connect(edge.address).await.unwrap();
    connection.write_all(said.as_bytes()).await.unwrap();
    connection
}

/// What comes until the other side closes.
async fn rest(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut bytes)).await;
    // A connection that is closed with something of ours unread ends with a reset.
    let _closed_either_way = read.expect("the connection stays open");
    String::from_utf8(bytes).unwrap()
}

/// Reads until this text has come.
async fn until(connection: &mut TcpStream, text: &str) {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(text) {
        let byte = tokio::time::timeout(PATIENCE, connection.read_u8()).await;
        bytes.push(byte.expect("nothing comes").expect("the connection ended"));
    }
}

const LIVE: &str = r#"{"status":"ok"}"#;

#[test]
fn who_takes_too_long_to_ask_is_not_waited_for() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings.set("edge.connections.head_timeout_ms", 200)).await;
        for beginning in ["", "PRI * HT", "GET /health/live HTTP/1.1\r\nhost: ed"] {
            let mut connection = connect(&edge, beginning).await;
            assert_eq!(rest(&mut connection).await, "", "{beginning}");
        }
        // Nor after a request that was answered.
        let mut connection = connect(&edge, ASK).await;
        until(&mut connection, LIVE).await;
        connection.write_all(b"GET").await.unwrap();
        assert_eq!(rest(&mut connection).await, "");
    });
}

#[test]
fn a_connection_that_is_not_used_is_closed() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings.set("edge.connections.idle_timeout_ms", 300)).await;
        let mut connection = connect(&edge, ASK).await;
        assert!(rest(&mut connection).await.ends_with(LIVE));
    });
}

#[test]
fn a_body_that_does_not_come_is_a_problem_of_its_client() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings.set("edge.body_timeout_ms", 200)).await;
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\n";
        let mut connection = connect(&edge, &format!("{head}content-length: 100\r\n\r\n{{")).await;
        let answer = rest(&mut connection).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(headers.contains("connection: close"), "{answer}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&"request_timeout".into(), &408.into()));
    });
}

#[test]
fn heads_have_bounds() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings).await;
        let many: String = (0..65).map(|number| format!("x-{number}: 1\r\n")).collect();
        let long = format!("x-long: {}\r\n", "a".repeat(20_000));
        for more in [many, long] {
            let mut connection = connect(&edge, &ASK.replace("\r\n\r\n", &format!("\r\n{more}\r\n"))).await;
            let answer = rest(&mut connection).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
        let query = "a".repeat(9_000);
        let answer = edge.request("GET", &format!("/api/v1/vendors?text={query}")).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json::<Value>().await.unwrap()["reason"], "uri_too_long");
    });
}

#[test]
fn one_connection_more_than_there_may_be_waits_for_a_place() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings.set("edge.connections.max", 2)).await;
        let mut first = connect(&edge, ASK).await;
        until(&mut first, LIVE).await;
        let mut second = connect(&edge, ASK).await;
        until(&mut second, LIVE).await;

        let mut third = connect(&edge, ASK).await;
        for _ in 0..50 {
            first.write_all(ASK.as_bytes()).await.unwrap();
            until(&mut first, LIVE).await;
        }
        let answered_early = third.try_read(&mut [0; 1]);
        assert!(answered_early.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
        assert_eq!(edge.metric("petpro_http_connections"), 2.0);
        drop(second);
        until(&mut third, LIVE).await;
    });
}

#[test]
fn when_the_edge_leaves_connections_that_wait_are_closed_and_no_request_holds_it_for_ever() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| {
            settings
                .set("edge.request_timeout_ms", 60_000)
                .set("edge.body_timeout_ms", 60_000)
                .set("edge.connections.last_call_ms", 100)
                .set("edge.connections.drain_timeout_ms", 1_000)
        })
        .await;
        let mut waiting = connect(&edge, ASK).await;
        until(&mut waiting, LIVE).await;
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\n";
        let mut never_done = connect(&edge, &format!("{head}content-length: 9\r\nexpect: 100-continue\r\n\r\n")).await;
        // The request is under way: its body is waited for.
        until(&mut never_done, "100 Continue").await;

        let leaving = tokio::spawn(edge.running.drain());
        assert_eq!(rest(&mut waiting).await, "");
        assert!(!rest(&mut never_done).await.contains("HTTP/1.1 2"));
        leaving.await.unwrap().unwrap();
    });
}

#[test]
fn who_asks_while_the_edge_leaves_is_answered_and_told_that_it_was_the_last_time() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings.set("edge.connections.last_call_ms", 15_000)).await;
        let mut early = connect(&edge, ASK).await;
        until(&mut early, LIVE).await;

        let leaving = tokio::spawn(edge.running.drain());
        while TcpStream::connect(edge.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        early.write_all(ASK.as_bytes()).await.unwrap();
        let answer = rest(&mut early).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
        assert!(answer.contains(LIVE), "{answer}");
        leaving.await.unwrap().unwrap();
    });
}

#[test]
fn http_2_is_spoken_too_and_has_the_same_bounds() {
    with_stack(async |stack| {
        let edge = edge(stack, |settings| settings.set("edge.connections.idle_timeout_ms", 300)).await;
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let live = || client.get(format!("http://{}/health/live", edge.address));
        for answer in join_all((0..20).map(|_| live().send())).await {
            let answer = answer.unwrap();
            assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_2, 200));
        }
        let too_long = live().header("x-long", "a".repeat(20_000)).send().await;
        assert!(too_long.is_err() || too_long.is_ok_and(|answer| answer.status() == 431));

        let give_up = Instant::now() + PATIENCE;
        while edge.metric("petpro_http_connections") > 0.0 {
            assert!(Instant::now() < give_up, "a connection that is not used stays open");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(live().send().await.unwrap().status(), 200);
    });
}
