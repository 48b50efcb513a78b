//! How often a caller may ask: together at all instances, and at each while Redis is away.

use crate::stack::{Answer, Edge, Stack, logged, with_stack};
use futures::future::join_all;
use platform::Settings;
use redis::AsyncTypedCommands;
use serde_json::Value;
use std::time::{Duration, Instant};
use subjects::Role;
use subjects::ids::VendorId;
use testkit::{Redis, RedisOptions};

const PATIENCE: Duration = Duration::from_secs(30);

/// A quota that does not come back while a test runs.
fn quota(settings: Settings, budget: &str, quota: u32) -> Settings {
    settings.set(&format!("edge.limits.{budget}.quota"), quota).set(&format!("edge.limits.{budget}.window_s"), 86_400)
}

/// The real limits, but for their numbers.
fn limited(settings: Settings) -> Settings {
    let settings = settings.set("edge.limits_profile", "standard");
    quota(quota(quota(settings, "general", 5), "user", 7), "credentials", 2)
}

async fn two_edges(stack: &Stack, redis: &Redis) -> [Edge; 2] {
    // Long enough that no machine under load is too slow for it.
    let with_redis = |settings| limited(settings).set("redis.url", redis.url()).set("redis.timeout_ms", 5_000);
    [stack.another_edge(with_redis).await, stack.another_edge(with_redis).await]
}

fn read(edge: &Edge) -> reqwest::RequestBuilder {
    edge.request("GET", &format!("/api/v1/vendors/{}", VendorId::new()))
}

/// The statuses of so many requests at once, in turn to each edge.
async fn statuses(edges: &[Edge], count: usize, token: Option<&str>) -> Vec<u16> {
    let asked = edges.iter().cycle().take(count).map(|edge| {
        let request = read(edge);
        Answer::to(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    });
    join_all(asked).await.into_iter().map(|answer| answer.status).collect()
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

/// How a budget stands after an answer: what is left, and in how many seconds all of it will be.
fn standing(answer: &Answer, budget: &str) -> (u32, u32) {
    let lists = answer.header("ratelimit").unwrap();
    let member = lists.split(", ").find_map(|member| member.strip_prefix(&format!("\"{budget}\";r="))).unwrap();
    let (left, seconds) = member.split_once(";t=").unwrap();
    (left.parse().unwrap(), seconds.parse().unwrap())
}

#[test]
fn two_instances_let_exactly_one_quota_pass() {
    with_stack(async |stack| {
        let redis = Redis::start(RedisOptions::default()).await.unwrap();
        let edges = two_edges(stack, &redis).await;
        let first = Answer::to(read(&edges[0])).await;
        assert_eq!(first.status, 200, "{}", first.text);
        assert_eq!(first.header("ratelimit-policy"), Some("\"general\";q=5;w=86400"));
        assert_eq!(standing(&first, "general"), (4, 86_400 / 5));

        let statuses_of_nobody = statuses(&edges, 20, None).await;
        assert_eq!((count(&statuses_of_nobody, 200), count(&statuses_of_nobody, 429)), (4, 16));

        let refused = Answer::to(read(&edges[1])).await;
        assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("rate_limited")));
        assert_eq!(standing(&refused, "general").0, 0);
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=86_400 / 5).contains(&wait), "{wait}");

        // Whoever is signed in has a budget of their own, and what is not an operation has none.
        let token = stack.token(&[Role::Customer]);
        let statuses_of_user = statuses(&edges, 20, Some(&token)).await;
        assert_eq!((count(&statuses_of_user, 200), count(&statuses_of_user, 429)), (7, 13));
        for path in ["/health/live", "/openapi.json", "/nowhere"] {
            let free = Answer::to(edges[0].request("GET", path)).await;
            assert!(free.status != 429 && free.header("ratelimit").is_none(), "{path}");
        }
    });
}

#[test]
fn a_token_that_does_not_hold_has_no_budget_of_its_own() {
    with_stack(async |stack| {
        let edge = stack.another_edge(limited).await;
        let token = stack.token(&[Role::Customer]);
        let cut = &token[..token.len() - 4];
        let mut statuses = Vec::new();
        for attempt in 0..6 {
            let answer = Answer::to(read(&edge).bearer_auth(format!("{cut}A{attempt:03}"))).await;
            assert!(answer.header("ratelimit").is_some());
            statuses.push(answer.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    });
}

#[test]
fn credentials_are_tighter_and_count_as_requests_too() {
    with_stack(async |stack| {
        let edge = stack.another_edge(limited).await;
        let login = || Answer::to(edge.request("POST", "/api/v1/auth/login").body("not even JSON"));
        let first = login().await;
        assert_eq!(first.status, 415, "{}", first.text);
        let policy = "\"credentials\";q=2;w=86400, \"general\";q=5;w=86400";
        assert_eq!(first.header("ratelimit-policy"), Some(policy));
        assert_eq!((standing(&first, "credentials").0, standing(&first, "general").0), (1, 4));
        assert_eq!(login().await.status, 415);
        let refused = login().await;
        assert_eq!((refused.status, refused.header("ratelimit-policy")), (429, Some(policy)));
        let correlation_id = refused.header("x-correlation-id").unwrap();
        let lines = logged();
        let line = lines.iter().find(|line| line["fields"]["correlation.id"] == correlation_id).unwrap();
        let fields = &line["fields"];
        assert_eq!((&fields["limits.refused_by"], &fields["http.status"]), (&"credentials".into(), &429.into()));
        assert_eq!((&fields["http.request_bytes"], &fields["user.id"]), (&13.into(), &Value::Null));
        assert_eq!(fields["http.response_bytes"], refused.text.len());
        assert!(!line.to_string().contains("127.0.0.1"));
        // A refusal is taken from no budget.
        assert_eq!(standing(&Answer::to(read(&edge)).await, "general").0, 2);
    });
}

#[test]
fn only_a_trusted_proxy_says_where_a_request_comes_from() {
    with_stack(async |stack| {
        let alone = stack.another_edge(limited).await;
        let behind_proxy =
            stack.another_edge(|settings| limited(settings).set("edge.trusted_proxies", ["127.0.0.0/8"])).await;
        let from = |edge: &Edge, forwarded_for: String| Answer::to(read(edge).header("x-forwarded-for", forwarded_for));
        for number in 0..6 {
            let status = from(&alone, format!("203.0.113.{number}")).await.status;
            assert_eq!(status, if number < 5 { 200 } else { 429 });
        }
        for number in 0..6 {
            assert_eq!(from(&behind_proxy, format!("203.0.113.{number}")).await.status, 200);
        }
        // What the client itself has written before the proxy's word changes nothing.
        for number in 0..6 {
            let status = from(&behind_proxy, format!("203.0.113.{number}, 198.51.100.7")).await.status;
            assert_eq!(status, if number < 5 { 200 } else { 429 });
        }
    });
}

#[test]
fn without_redis_each_instance_counts_alone_and_together_again_afterwards() {
    with_stack(async |stack| {
        let redis = Redis::start(RedisOptions::default()).await.unwrap();
        let edges = two_edges(stack, &redis).await;
        assert_eq!(standing(&Answer::to(read(&edges[0])).await, "general").0, 4);
        assert_eq!(standing(&Answer::to(read(&edges[1])).await, "general").0, 3);

        // Killed in the middle of requests: none of them fails for it.
        let busy: Vec<String> = (0..20).map(|_| stack.token(&[Role::Customer])).collect();
        let asking = join_all(busy.iter().map(|token| statuses(&edges, 6, Some(token))));
        let (answered, killed) = tokio::join!(asking, redis.kill());
        killed.unwrap();
        assert!(answered.iter().flatten().all(|status| *status == 200), "{answered:?}");

        for edge in &edges {
            // The loss shows at the next request that Redis is asked for.
            until(async || {
                Answer::to(read(edge).bearer_auth(stack.token(&[]))).await.status == 200
                    && edge.metric("petpro_rate_limits_shared") == 0.0
            })
            .await;
            let alone = statuses(std::slice::from_ref(edge), 12, None).await;
            assert_eq!((count(&alone, 200), count(&alone, 429)), (5, 7));
        }

        redis.restart().await.unwrap();
        for edge in &edges {
            until(async || edge.metric("petpro_rate_limits_shared") == 1.0).await;
        }
        let (user, token) = stack.user(&[Role::Customer]);
        let together = statuses(&edges, 20, Some(&token)).await;
        assert_eq!((count(&together, 200), count(&together, 429)), (7, 13));

        let client = redis::Client::open(redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let expires = connection.ttl(format!("rl:general:{}", user.id)).await.unwrap();
        assert!(matches!(expires.raw(), 1..=86_401), "{}", expires.raw());
    });
}

async fn until(holds: impl AsyncFn() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < give_up, "it does not come to that");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
