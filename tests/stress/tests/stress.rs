//! The cut of the stress harness: every scenario for some seconds, each with a platform of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use stress::scenario::{Run, Scenario, Size};

/// One after the other: each has the machine to itself.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn play(scenario: Scenario) {
    let _alone = ALONE.lock().await;
    let run = Run { size: Size::Short, program: PathBuf::from(env!("CARGO_BIN_EXE_stress")) };
    run.play(scenario).await.unwrap();
}

#[tokio::test]
async fn with_five_times_too_much_to_do_all_is_done_or_refused_and_critical_requests_are_done() {
    play(Scenario::Overload).await;
}

#[tokio::test]
async fn a_silent_leaf_is_left_alone_and_asked_again_when_it_answers() {
    play(Scenario::DeadLeaf).await;
}

#[tokio::test]
async fn a_slow_leaf_keeps_nobody_else_from_being_answered() {
    play(Scenario::SlowLeaf).await;
}

#[tokio::test]
async fn a_restart_of_nats_leaves_no_request_without_an_answer() {
    play(Scenario::NatsRestart).await;
}

#[tokio::test]
async fn all_processes_are_replaced_and_no_request_fails() {
    play(Scenario::Rolling).await;
}

#[tokio::test]
async fn many_logins_at_once_are_done_or_refused_and_reads_go_on() {
    play(Scenario::Logins).await;
}
