//! Every route and every field of the contract with every kind of bad input: refused with the right problem, and nothing
//! of it reaches a service.

use crate::samples::{Sample, routes};
use crate::stack::Answer;
use crate::stand_in::StandIn;
use platform::validate::{RequestSchema, UnknownFields};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use subjects::Access;

/// What every field is set to, beside what each alone cannot be.
fn bad_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(99_999_999_999_999_i64),
        json!(""),
        json!("\u{0}"),
        json!("🐾\u{202e}é\u{0}"),
        json!("a".repeat(5_000)),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({ "colour": "blue" }),
    ]
}

struct Matrix {
    stand_in: StandIn,
    sent: AtomicUsize,
}

impl Matrix {
    async fn start() -> Matrix {
        Matrix { stand_in: StandIn::start().await, sent: AtomicUsize::new(0) }
    }

    /// Sends a sample, and tells whether it reached a service.
    async fn send(&self, sample: &Sample, token: Option<&str>) -> (Answer, bool) {
        let id = format!("c-{}", self.sent.fetch_add(1, Ordering::Relaxed));
        let request = sample.request(&self.stand_in.http, self.stand_in.edge).header("x-correlation-id", &id);
        let answer = Answer::to(token.into_iter().fold(request, |request, token| request.bearer_auth(token))).await;
        (answer, self.stand_in.was_reached_by(&id))
    }

    /// The token that the sample's route needs to be taken; none where only those without are.
    fn token(&self, sample: &Sample) -> Option<&str> {
        sample.takes_token().then_some(self.stand_in.token.as_str())
    }

    /// Checks that a sample is answered as the schema of its message has it: with every violation, or by the service.
    async fn check(&self, sample: &Sample, schema: &RequestSchema, what: &str) -> bool {
        let violations = schema.violations(&sample.message(), UnknownFields::Refuse);
        let (answer, reached) = self.send(sample, self.token(sample)).await;
        let seen = format!("{} with {what}: {answer:?}", sample.name());
        if violations.is_empty() {
            assert!(answer.status == 429 && reached, "{seen}");
            return false;
        }
        assert!(answer.status == 400 && !reached, "{seen}");
        let problem = answer.json();
        let named: BTreeSet<&str> =
            problem["errors"].as_array().expect(&seen).iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        for violation in violations {
            assert!(named.contains(violation.pointer.as_str()), "{seen} does not name {}", violation.pointer);
        }
        true
    }
}

fn run<F: Future>(test: impl FnOnce(Matrix) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { test(Matrix::start().await).await });
}

#[test]
fn every_field_of_every_route_refuses_what_it_cannot_be() {
    run(async |matrix| {
        let mut refused = 0;
        for sample in routes() {
            let schema = RequestSchema::of(&sample.operation).unwrap();
            assert!(!matrix.check(&sample, &schema, "nothing wrong").await, "{}", sample.name());
            for field in sample.fields() {
                let without = sample.without(&field);
                let is_refused = matrix.check(&without, &schema, &format!("{field} left out")).await;
                assert_eq!(is_refused, sample.requires(&field), "{} without {field}", sample.name());
                for value in bad_values() {
                    let Some(bad) = sample.with(&field, value.clone()) else { continue };
                    let shown: String = value.to_string().chars().take(40).collect();
                    refused += usize::from(matrix.check(&bad, &schema, &format!("{field} = {shown}")).await);
                }
            }
            for field in sample.inner_fields() {
                for value in bad_values() {
                    let bad = sample.with_inner(&field, value);
                    refused += usize::from(matrix.check(&bad, &schema, &field).await);
                }
            }
        }
        assert!(refused > 1_000, "only {refused} were refused");
    });
}

#[test]
fn what_is_extra_is_refused_at_every_route() {
    run(async |matrix| {
        for sample in routes() {
            let (answer, reached) = matrix.send(&sample.with_extra("colour~/é"), matrix.token(&sample)).await;
            assert!(answer.status == 400 && !reached, "{}: {answer:?}", sample.name());
            assert_eq!(answer.json()["errors"][0]["pointer"], "/colour~0~1é", "{}", sample.name());
            let (answer, reached) = matrix.send(&sample.with_other_kind_of_input(), matrix.token(&sample)).await;
            assert!(answer.status == 400 && !reached, "{}: {answer:?}", sample.name());
        }
    });
}

#[test]
fn ids_in_paths_are_ids() {
    run(async |matrix| {
        for sample in routes() {
            for field in sample.rest.path_fields() {
                for bad in ["seven", "%00", "..%2f..%2fetc", "%F0%9F%90%BE", "-1", "'%20or%201=1--"] {
                    let (answer, reached) = matrix.send(&sample.with_path(field, bad), matrix.token(&sample)).await;
                    assert!(answer.status == 400 && !reached, "{} at {bad}: {answer:?}", sample.name());
                    let pointers = answer.json()["errors"].to_string();
                    assert!(pointers.contains(&format!("\"/{field}\"")), "{}: {pointers}", sample.name());
                }
                let (answer, reached) = matrix.send(&sample.with_path(field, "%ff"), matrix.token(&sample)).await;
                assert!(answer.status == 400 && !reached, "{}: {answer:?}", sample.name());
            }
        }
    });
}

#[test]
fn who_shows_no_token_or_a_bad_one_is_refused_before_anything_is_read() {
    run(async |matrix| {
        for sample in routes() {
            let is_for_all = sample.operation.access.is_public();
            if !is_for_all && sample.rest.caller == subjects::RouteCaller::Any {
                let (answer, reached) = matrix.send(&sample.with_extra("colour"), None).await;
                assert!(answer.status == 401 && !reached, "{}: {answer:?}", sample.name());
                assert_eq!(answer.json()["reason"], "unauthenticated");
                assert!(answer.header("www-authenticate").is_some());
            }
            for (what, token) in &matrix.stand_in.bad_tokens {
                let (answer, reached) = matrix.send(&sample, Some(token)).await;
                assert!(answer.status == 401 && !reached, "{} with one {what}: {answer:?}", sample.name());
                assert_eq!(answer.json()["reason"], "invalid_token");
                assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
            }
        }
        assert!(routes().iter().any(|sample| sample.operation.access == Access::SIGNED_IN));
    });
}

#[test]
fn bodies_that_are_no_json_object_are_refused_at_every_route_that_takes_one() {
    run(async |matrix| {
        // Whoever sends too much may find the connection closed afterwards.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        for sample in routes().into_iter().filter(|sample| sample.rest.method.has_body()) {
            let send = async |content_type: &str, body: Vec<u8>, accept: &str| {
                let request = sample.bare_request(&http, matrix.stand_in.edge);
                let request = request.header("content-type", content_type).header("accept", accept).body(body);
                let token = matrix.token(&sample);
                let answer = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
                Answer::to(answer).await
            };
            let json = "application/json";
            for (content_type, body, status, reason) in [
                (json, "{".into(), 400, "malformed_json"),
                (json, "[]".into(), 400, "invalid_request"),
                (json, "null".into(), 400, "invalid_request"),
                (json, b"{\"a\":\"\xff\"}".to_vec(), 400, "invalid_utf8"),
                (json, "{\"a\":1,\"a\":2}".into(), 400, "invalid_request"),
                (json, format!("{{\"a\":{}{}}}", "[".repeat(99), "]".repeat(99)).into_bytes(), 400, "too_deep"),
                (json, vec![b' '; 300_000], 413, "payload_too_large"),
                ("text/plain", "{}".into(), 415, "unsupported_media_type"),
                ("application/json; charset=utf-16", "{}".into(), 415, "unsupported_media_type"),
            ] {
                let answer = send(content_type, body, "*/*").await;
                assert_eq!((answer.status, &answer.json()["reason"]), (status, &reason.into()), "{}", sample.name());
            }
            if !sample.answers_nothing() {
                assert_eq!(send(json, "{}".into(), "text/html").await.status, 406, "{}", sample.name());
            }
        }
    });
}
