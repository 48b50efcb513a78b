//! Each planted mistake is found, and the event named that it has cost.

use super::stage::{begin, end_badly, turn};
use faults::check::Violation;
use faults::scenario::{break_commit, forget_unheard};
use faults::world::Layout;
use std::time::Duration;

const LOST: &str = "an effect was lost";
const DOUBLED: &str = "an effect was doubled";

/// Each violation of the rule names its event and its handler.
fn assert_named(violations: &[&Violation]) {
    assert!(!violations.is_empty(), "the mistake was not found");
    for violation in violations {
        let event = violation.event.as_ref().unwrap_or_else(|| panic!("{violation} names no event"));
        let handler = violation.handler.as_deref().unwrap_or_else(|| panic!("{violation} names no handler"));
        assert!(handler.starts_with("ledger_"), "{violation}");
        assert!(event.event_type.contains('.') && !event.id.is_nil() && !event.aggregate_id.is_nil(), "{violation}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_is_ignored_is_found() {
    let _turn = turn().await;
    let stage = begin(Layout::small(), Some("ignore_inbox")).await;
    forget_unheard(&stage).await.unwrap();
    // What was heard before the store was deleted comes again.
    let found = end_badly(stage, Duration::from_secs(60)).await;
    assert_named(&found.of_rule(DOUBLED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_before_the_commit_is_found() {
    let _turn = turn().await;
    let stage = begin(Layout::small(), Some("ack_before_commit")).await;
    break_commit(&stage).await.unwrap();
    // Longer than the ack wait: what is only late has come by then.
    let found = end_badly(stage, Duration::from_secs(40)).await;
    assert_named(&found.of_rule(LOST));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_skips_rows_is_found() {
    let _turn = turn().await;
    let stage = begin(Layout::small(), Some("relay_skips_row")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let found = end_badly(stage, Duration::from_secs(20)).await;
    assert_named(&found.of_rule(LOST));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refill_that_never_comes_is_found() {
    let _turn = turn().await;
    let stage = begin(Layout::small(), Some("no_refill")).await;
    forget_unheard(&stage).await.unwrap();
    let found = end_badly(stage, Duration::from_secs(20)).await;
    assert_named(&found.of_rule(LOST));
}
