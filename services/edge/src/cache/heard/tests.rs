//! The rule of freshness.

use super::*;
use uuid::Uuid;

fn heard() -> Heard {
    Heard::new(["vendor", "clinic"], Duration::from_secs(400))
}

fn part(thing: Thing) -> Part {
    Part { thing, is_foreign: false }
}

async fn pass(milliseconds: u64) -> Instant {
    tokio::time::advance(Duration::from_millis(milliseconds)).await;
    Instant::now()
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_current_only_if_it_was_asked_for_after_the_last_event() {
    let heard = heard();
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let parts = [part(Thing::One("vendor", one)), part(Thing::Gap("vendor"))];
    let before = pass(1).await;
    assert!(heard.is_current(&parts, before));
    heard.event("vendor", Some(other));
    assert!(heard.is_current(&parts, before), "an event of another one");
    pass(1).await;
    heard.event("vendor", Some(one));
    let at = Instant::now();
    assert!(!heard.is_current(&parts, before) && !heard.is_current(&parts, at), "at the same moment is not after");
    let after = pass(1).await;
    assert!(heard.is_current(&parts, after));
    assert!(
        !heard.is_current(&[part(Thing::Any("vendor"))], at) && heard.is_current(&[part(Thing::Any("clinic"))], at)
    );
    heard.gap("vendor");
    assert!(!heard.is_current(&parts, after));
    let after = pass(1).await;
    heard.event("vendor", None);
    assert!(!heard.is_current(&parts, after), "it may have been any");
}

#[tokio::test(start_paused = true)]
async fn an_event_of_another_service_needs_time_to_show() {
    let heard = heard();
    let vendor = Uuid::now_v7();
    let foreign = [Part { thing: Thing::One("vendor", vendor), is_foreign: true }];
    heard.event("vendor", Some(vendor));
    let soon = pass(4_999).await;
    assert!(!heard.is_current(&foreign, soon));
    let settled = pass(2).await;
    assert!(heard.is_current(&foreign, settled));
}

#[tokio::test(start_paused = true)]
async fn who_hears_nothing_knows_nothing() {
    let heard = heard();
    let follows = |entity: &'static str| heard.follows([entity].into_iter(), Instant::now());
    assert!(!follows("vendor") && !follows("nobody"));
    heard.alive("vendor");
    assert!(!follows("vendor"), "it has not caught up");
    heard.caught_up("vendor");
    assert!(follows("vendor") && !heard.follows(["vendor", "clinic"].into_iter(), Instant::now()));
    pass(1_999).await;
    assert!(follows("vendor"));
    pass(1).await;
    assert!(!follows("vendor"), "it is silent");
    heard.alive("vendor");
    assert!(follows("vendor"));
    heard.broke_off("vendor");
    heard.alive("vendor");
    assert!(!follows("vendor"), "it has to catch up again");
}

#[tokio::test(start_paused = true)]
async fn only_what_redis_was_told_of_the_last_event_counts() {
    let heard = heard();
    let vendor = Uuid::now_v7();
    let parts = [part(Thing::One("vendor", vendor))];
    assert!(heard.were_told_before(&parts, Instant::now()), "there was nothing to tell");
    heard.event("vendor", Some(vendor));
    let earlier = heard.untold(10);
    assert_eq!(earlier.len(), 2);
    pass(1).await;
    heard.event("vendor", Some(vendor));
    heard.told(&earlier);
    assert!(!heard.were_told_before(&parts, pass(1).await), "it was told of the event before");
    heard.told(&heard.untold(10));
    assert!(!heard.were_told_before(&parts, Instant::now()) && heard.untold(10).is_empty());
    assert!(heard.were_told_before(&parts, pass(1).await));
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_what_is_forgotten_is_old() {
    let heard = heard();
    let vendor = Uuid::now_v7();
    let parts = [part(Thing::One("vendor", vendor)), part(Thing::Gap("vendor"))];
    let before = pass(1).await;
    for _ in 0..=MAX_THINGS {
        heard.event("vendor", Some(Uuid::now_v7()));
    }
    assert!(heard.all().len() <= MAX_THINGS && !heard.is_current(&parts, before));
    let now = pass(400_000).await;
    heard.forget(now);
    assert!(heard.all().is_empty() && heard.untold(10).is_empty());
}
