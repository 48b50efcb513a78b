//! Everything that may happen to the platform, once or twice.

use super::stage::{begin, end_well, turn};
use faults::plan::Step;
use faults::run::take;
use faults::scenario::Target;
use faults::world::Layout;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_and_double_nothing() {
    let _turn = turn().await;
    let stage = begin(Layout::cut(), None).await;
    let targets = [
        Target::Process("ledger-1"),
        Target::RelayOf("booking"),
        Target::Nats,
        Target::Process("edge-1"),
        Target::Postgres,
        Target::Redis,
        Target::Process("others-1"),
    ];
    for target in targets {
        take(&stage, Step::Kill(target)).await.unwrap_or_else(|error| panic!("{target}: {error:#}"));
    }
    end_well(stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_forgets_is_told_again() {
    let _turn = turn().await;
    let stage = begin(Layout::cut(), None).await;
    take(&stage, Step::DeleteStore).await.unwrap();
    take(&stage, Step::PutOldCopyBack(Duration::from_secs(8))).await.unwrap();
    end_well(stage).await;
}

/// Longer than the ack wait; longer than the dedupe window only in the full run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_stands_still_has_each_effect_once() {
    let _turn = turn().await;
    let stage = begin(Layout::cut(), None).await;
    take(&stage, Step::Stop("ledger-1", Duration::from_secs(33))).await.unwrap();
    end_well(stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_parked_and_what_was_refused_is_replayed() {
    let _turn = turn().await;
    let stage = begin(Layout::cut(), None).await;
    take(&stage, Step::Poison).await.unwrap();
    take(&stage, Step::DeadLetters(60)).await.unwrap();
    end_well(stage).await;
}
