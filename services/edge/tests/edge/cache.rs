//! Answers that are kept: when they are used, and when they are not.

use crate::cache_world::{World, gist, read, until};
use crate::stack::{Answer, Edge, logged, with_stack};
use futures::future::join_all;
use platform::Settings;
use std::time::Duration;
use testkit::{Redis, RedisOptions};

const HIT: Option<&str> = Some("petpro; hit");
const MISS: Option<&str> = Some("petpro; fwd=miss");
const OUTDATED: Option<&str> = Some("petpro; fwd=stale");
const STALE: Option<&str> = Some("petpro; hit; detail=stale");
const SHARED: Option<&str> = Some("petpro; hit; detail=shared");

/// A test with a world of its own; what it logs goes where all logs of these tests go.
fn with_world<F: Future>(test: impl FnOnce(World) -> F) -> F::Output {
    with_stack(async |_| test(World::start().await).await)
}

fn as_it_is(settings: Settings) -> Settings {
    settings
}

/// How often an edge has answered so.
fn counted(edge: &Edge, status: &str) -> f64 {
    let families = edge.host.registry.gather();
    let family = families.iter().find(|family| family.name() == "petpro_cache_answers_total");
    let of_status = family.iter().flat_map(|family| family.get_metric()).filter(|metric| {
        let labels: Vec<&str> = metric.get_label().iter().map(|label| label.value()).collect();
        labels == ["clinic.findOne", status]
    });
    of_status.map(|metric| metric.get_counter().get_value()).sum()
}

#[test]
fn what_is_kept_costs_no_call_in_any_form() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        let (hits, misses) = (counted(&edge, "hit"), counted(&edge, "miss"));
        assert_eq!(gist(&read(&edge, &clinic).await), (200, Some(1), MISS));
        let kept = read(&edge, &clinic).await;
        assert_eq!(gist(&kept), (200, Some(1), HIT));
        assert_eq!((kept.header("age"), kept.header("cache-control")), (Some("0"), Some("public, no-cache")));
        assert_eq!((counted(&edge, "hit") - hits, counted(&edge, "miss") - misses), (1.0, 1.0));

        let get = |path: &str| edge.request("GET", path);
        let known = Answer::to(get(&clinic.path()).header("if-none-match", kept.header("etag").unwrap())).await;
        assert_eq!((known.status, known.text.as_str(), known.header("cache-status")), (304, "", HIT));
        let head = Answer::to(edge.request("HEAD", &clinic.path())).await;
        assert_eq!((head.status, head.header("etag"), head.header("cache-status")), (200, Some("\"1\""), HIT));
        let hal = Answer::to(get(&clinic.path()).header("accept", "application/hal+json")).await;
        assert_eq!((hal.header("etag"), hal.header("cache-status")), (Some("\"1-hal\""), HIT));
        assert!(hal.json()["_links"]["self"].is_object());
        let chosen = Answer::to(get(&format!("{}?fields=name", clinic.path()))).await;
        assert_eq!((chosen.text.as_str(), chosen.header("cache-status")), (r#"{"name":"version 1"}"#, HIT));
        let older_path = Answer::to(get(&format!("/clinics/{}", clinic.id))).await;
        assert_eq!(gist(&older_path), (200, Some(1), HIT));
        let signed_in = Answer::to(get(&clinic.path()).bearer_auth(world.token())).await;
        assert_eq!(gist(&signed_in), (200, Some(1), HIT));
        assert_eq!(signed_in.header("cache-control"), Some("private, no-cache"));
        assert_eq!(world.calls(&clinic), 1);

        let correlation_id = signed_in.header("x-correlation-id").unwrap();
        let lines = logged();
        let line = lines.iter().find(|line| line["fields"]["correlation.id"] == correlation_id).unwrap();
        assert_eq!(line["fields"]["cache.status"], "hit");
        world.stop(vec![edge]).await;
    });
}

#[test]
fn an_event_makes_it_old_for_everybody_and_nothing_else_does() {
    with_world(async |world| {
        let edges = [world.edge(as_it_is).await, world.edge(as_it_is).await];
        let (clinic, other) = (world.make(), world.make());
        for edge in &edges {
            assert_eq!(gist(&read(edge, &clinic).await).2, MISS);
        }
        world.change(&clinic);
        for edge in &edges {
            assert_eq!(gist(&read(edge, &clinic).await), (200, Some(1), HIT), "nobody was told");
        }
        world.tell(&other).await;
        world.tell(&clinic).await;
        for edge in &edges {
            until(async || gist(&read(edge, &clinic).await).1 == Some(2)).await;
            assert_eq!(gist(&read(edge, &clinic).await), (200, Some(2), HIT));
        }
        assert_eq!(world.calls(&clinic), 4);

        // Its vendor is a part of it, too.
        world.hide(&clinic);
        world.tell_suspended(clinic.vendor).await;
        for edge in &edges {
            until(async || read(edge, &clinic).await.status == 404).await;
            assert_eq!(read(edge, &clinic).await.status, 404);
        }
        world.stop(edges.into()).await;
    });
}

#[test]
fn who_knows_a_version_never_sees_an_older_one() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        let wanting =
            |version: &str| Answer::to(edge.request("GET", &clinic.path()).header("x-minimum-version", version));
        assert_eq!(gist(&read(&edge, &clinic).await).2, MISS);
        assert_eq!(gist(&wanting("1").await), (200, Some(1), HIT));
        let version = world.change(&clinic);
        assert_eq!(gist(&read(&edge, &clinic).await), (200, Some(1), HIT), "nobody was told");
        assert_eq!(gist(&wanting("2").await), (200, Some(version), Some("petpro; fwd=request")));
        assert_eq!(gist(&read(&edge, &clinic).await), (200, Some(2), HIT), "what was fetched serves all");
        // A version that there never was: the service has the last word.
        assert_eq!(gist(&wanting("99").await), (200, Some(2), Some("petpro; fwd=request")));
        for bad in ["", "two", "-1", "\"2\"", "1.5"] {
            let refused = wanting(bad).await;
            assert_eq!(
                (refused.status, &refused.json()["reason"]),
                (400, &"malformed_minimum_version".into()),
                "{bad}"
            );
        }
        world.stop(vec![edge]).await;
    });
}

#[test]
fn an_answer_on_its_way_never_reaches_who_knows_a_later_version() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        world.slow_down(&clinic, Duration::from_millis(300));
        let slow = tokio::spawn(Answer::to(edge.request("GET", &clinic.path())));
        until(async || world.calls(&clinic) == 1).await;
        // The first answer is on its way when the clinic changes, and its event comes before the answer.
        world.slow_down(&clinic, Duration::ZERO);
        world.change(&clinic);
        let wanting = edge.request("GET", &clinic.path()).header("x-minimum-version", "2");
        assert_eq!(gist(&Answer::to(wanting).await).1, Some(2));
        world.tell(&clinic).await;
        assert_eq!(gist(&slow.await.unwrap()).1, Some(1), "it was true when it was asked");
        assert_eq!(gist(&read(&edge, &clinic).await).1, Some(2), "what came late has replaced nothing");
        world.stop(vec![edge]).await;
    });
}

#[test]
fn what_only_some_may_see_is_kept_for_nobody() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        world.hide(&clinic);
        for _ in 0..2 {
            assert_eq!(gist(&read(&edge, &clinic).await), (404, None, None));
            let member = Answer::to(edge.request("GET", &clinic.path()).bearer_auth(world.token())).await;
            assert_eq!(gist(&member), (200, Some(1), Some("petpro; fwd=bypass")));
        }
        // Those who are not signed in ask once, members once for all and once for themselves.
        assert_eq!(world.calls(&clinic), 6);
        world.stop(vec![edge]).await;
    });
}

#[test]
fn a_hundred_who_miss_it_at_once_make_one_call() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        world.slow_down(&clinic, Duration::from_millis(500));
        let answers = join_all((0..100).map(|_| read(&edge, &clinic))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert_eq!(world.calls(&clinic), 1);
        let collapsed = answers.iter().filter(|answer| gist(answer).2 == Some("petpro; fwd=miss; collapsed")).count();
        println!("{collapsed} of 100 waited for another's call");
        assert!(collapsed > 0);
        world.stop(vec![edge]).await;
    });
}

#[test]
fn whoever_comes_late_to_a_call_that_is_lost_asks_for_themselves() {
    with_world(async |world| {
        let settings = |settings: Settings| settings.set("client.resend_percent", 0).set("client.resend_floor", 0);
        let edge = world.edge(settings).await;
        let clinic = world.make();
        // Longer than a request may take.
        world.slow_down(&clinic, Duration::from_secs(60));
        let lost = tokio::spawn(Answer::to(edge.request("GET", &clinic.path())));
        until(async || world.calls(&clinic) == 1).await;
        world.slow_down(&clinic, Duration::ZERO);
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let late = read(&edge, &clinic).await;
        assert_eq!(lost.await.unwrap().status, 504);
        assert_eq!(gist(&late), (200, Some(1), MISS));
        assert_eq!(world.calls(&clinic), 2);
        world.stop(vec![edge]).await;
    });
}

#[test]
fn an_id_is_kept_once_however_it_is_spelled() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        assert_eq!(gist(&read(&edge, &clinic).await), (200, Some(1), MISS));
        let upper = format!("/api/v1/clinics/{}", clinic.id.to_string().to_uppercase());
        assert_eq!(gist(&Answer::to(edge.request("GET", &upper)).await), (200, Some(1), HIT));
        assert_eq!(world.calls(&clinic), 1);
        world.stop(vec![edge]).await;
    });
}

#[test]
fn while_the_service_is_away_old_answers_are_given_and_marked_for_a_while() {
    with_world(async |mut world| {
        let settings = |settings: Settings| settings.set("edge.cache.ttl_ms", 1_000).set("edge.cache.stale_ms", 4_000);
        let edge = world.edge(settings).await;
        let (clinic, changed, suspended) = (world.make(), world.make(), world.make());
        for made in [&clinic, &changed, &suspended] {
            assert_eq!(read(&edge, made).await.status, 200);
        }
        world.vendor_goes().await;
        until(async || gist(&read(&edge, &clinic).await).2 == STALE).await;
        let wanting =
            |version: &str| Answer::to(edge.request("GET", &clinic.path()).header("x-minimum-version", version));
        let stale = wanting("1").await;
        assert_eq!((gist(&stale), stale.header("x-fallback")), ((200, Some(1), STALE), Some("stale_cache")));
        assert_eq!(wanting("2").await.status, 503);
        // What is known to be old is never given.
        world.tell(&changed).await;
        world.tell_suspended(suspended.vendor).await;
        for made in [&changed, &suspended] {
            until(async || read(&edge, made).await.status == 503).await;
        }
        assert_eq!(read(&edge, &world.make()).await.status, 503, "nothing is kept of it");
        until(async || read(&edge, &clinic).await.status == 503).await;

        world.vendor_comes().await;
        until(async || gist(&read(&edge, &clinic).await).2 == HIT).await;
        assert_eq!(read(&edge, &clinic).await.header("x-fallback"), None);
        world.stop(vec![edge]).await;
    });
}

#[test]
fn who_hears_no_events_asks_the_service() {
    with_world(async |world| {
        let edge = world.edge(as_it_is).await;
        let clinic = world.make();
        read(&edge, &clinic).await;
        assert_eq!(gist(&read(&edge, &clinic).await).2, HIT);
        world.nats.kill().await.unwrap();
        until(async || gist(&read(&edge, &clinic).await).2 == STALE).await;
        world.change(&clinic);
        world.nats.restart().await.unwrap();
        world.tell(&clinic).await;
        until(async || {
            let answer = read(&edge, &clinic).await;
            // What is known to be old is not given, even where its service is not back yet.
            assert!([200, 503].contains(&answer.status), "{answer:?}");
            gist(&answer) == (200, Some(2), HIT)
        })
        .await;
        world.stop(vec![edge]).await;
    });
}

#[test]
fn edges_share_what_they_keep_and_do_without_redis() {
    with_world(async |world| {
        let redis = Redis::start(RedisOptions::default()).await.unwrap();
        let shared =
            |settings: Settings| settings.set("redis.url", redis.url()).set("edge.cache.redis_timeout_ms", 5_000);
        let edges = [world.edge(shared).await, world.edge(shared).await];
        until_shared(&edges).await;
        // Both have to hear events first, and what is kept gets to Redis a moment later.
        let mut shared_one = None;
        for _ in 0..500 {
            let made = world.make();
            assert_eq!(gist(&read(&edges[0], &made).await).2, MISS);
            tokio::time::sleep(Duration::from_millis(20)).await;
            if gist(&read(&edges[1], &made).await) == (200, Some(1), SHARED) {
                shared_one = Some(made);
                break;
            }
        }
        let clinic = shared_one.expect("they share nothing");
        assert_eq!(gist(&read(&edges[1], &clinic).await), (200, Some(1), HIT));
        assert_eq!(world.calls(&clinic), 1);

        // An old version from there is not for who knows a later one.
        let version = world.change(&clinic);
        for edge in &edges {
            let wanting = edge.request("GET", &clinic.path()).header("x-minimum-version", version);
            assert_eq!(gist(&Answer::to(wanting).await).1, Some(2));
        }
        // An event counts in both levels at both edges.
        world.change(&clinic);
        world.tell(&clinic).await;
        for edge in &edges {
            until(async || gist(&read(edge, &clinic).await).1 == Some(3)).await;
        }

        // Killed in the middle of requests: none of them fails for it, and each edge goes on alone.
        let many: Vec<_> = (0..40).map(|_| world.make()).collect();
        let asking = join_all(many.iter().flat_map(|made| edges.iter().map(move |edge| read(edge, made))));
        let (answers, killed) = tokio::join!(asking, redis.kill());
        killed.unwrap();
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        let alone = world.make();
        for edge in &edges {
            until(async || {
                read(edge, &world.make()).await;
                edge.metric("petpro_cache_shared") == 0.0
            })
            .await;
            assert_eq!(gist(&read(edge, &alone).await), (200, Some(1), MISS));
            assert_eq!(gist(&read(edge, &alone).await), (200, Some(1), HIT));
        }
        world.change(&alone);
        world.tell(&alone).await;
        for edge in &edges {
            until(async || gist(&read(edge, &alone).await).1 == Some(2)).await;
        }
        redis.restart().await.unwrap();
        until_shared(&edges).await;
        let again = world.make();
        read(&edges[0], &again).await;
        until(async || world.calls(&again) == 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(gist(&read(&edges[1], &again).await).2, SHARED);
        world.stop(edges.into()).await;
    });
}

#[test]
fn it_can_be_turned_off() {
    with_world(async |world| {
        let host_settings = |settings: Settings| settings.set("edge.cache.enabled", false);
        let edge = world.edge_without_cache(host_settings).await;
        let clinic = world.make();
        for _ in 0..2 {
            assert_eq!(gist(&read(&edge, &clinic).await), (200, Some(1), None));
        }
        assert_eq!(world.calls(&clinic), 2);
        world.stop(vec![edge]).await;
    });
}

async fn until_shared(edges: &[Edge]) {
    for edge in edges {
        until(async || edge.metric("petpro_cache_shared") == 1.0).await;
    }
}

#[test]
fn what_is_past_its_time_is_fetched_anew() {
    with_world(async |world| {
        let edge = world.edge(|settings| settings.set("edge.cache.ttl_ms", 300)).await;
        let clinic = world.make();
        assert_eq!(gist(&read(&edge, &clinic).await).2, MISS);
        world.change(&clinic);
        // Nobody is told: its time alone makes it old.
        until(async || gist(&read(&edge, &clinic).await).1 == Some(2)).await;
        tokio::time::sleep(Duration::from_millis(320)).await;
        assert_eq!(gist(&read(&edge, &clinic).await), (200, Some(2), OUTDATED));
        world.stop(vec![edge]).await;
    });
}
