//! What roles allow is decided by those who run the platform, and holds in every replica of every service at once.

use crate::world::World;
use futures::StreamExt as _;
use petpro::demo_users::{CAT_OWNER, PASSWORD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// More than enough for each of two replicas to be asked.
const ROUND: usize = 32;

/// Ways of asking: method, path. None goes through, for the version is none, or the filter leaves nothing: whoever is let
/// in gets the first status.
struct Deed {
    method: Method,
    path: String,
    let_in: u16,
}

struct Desk {
    world: World,
    admin: String,
    support: String,
    role: Value,
    approve: Deed,
    others: Vec<Deed>,
}

impl Desk {
    /// Two replicas of each service, and somebody with the role `support`, which allows nothing.
    async fn open() -> Desk {
        let mut world = World::without_services().await;
        world.run("all", &[]).await;
        world.run("second", &["auth", "profile", "vendor", "booking", "catalog"]).await;
        world.until_heard().await;
        let admin = world.sign_in("admin@petpro.example").await;
        let role = json!({ "name": "support", "description": "Helps", "permissions": [] });
        let role = world.expect(Method::POST, "/roles", Some(&admin), Some(role), StatusCode::CREATED).await;
        let path = format!("/users/{}/roles", CAT_OWNER.id());
        let assigned = put(&world, &path, &admin, 1, json!({ "roles": ["customer", "support"] })).await;
        assert_eq!(assigned["roles"], json!(["customer", "support"]));
        let support = world.sign_in_with(CAT_OWNER.email, PASSWORD).await;

        let vendors = world.expect(Method::GET, "/vendors?limit=1", None, None, StatusCode::OK).await;
        let vendor = vendors["items"][0]["id"].as_str().unwrap();
        let role_id = role["id"].as_str().unwrap();
        let post = |path: String| Deed { method: Method::POST, path, let_in: 412 };
        let others = vec![
            post(format!("/vendors/{vendor}/reject")),
            post(format!("/vendors/{vendor}/suspend")),
            Deed { method: Method::GET, path: "/users".to_owned(), let_in: 200 },
            Deed { method: Method::GET, path: "/roles".to_owned(), let_in: 200 },
            Deed { method: Method::PUT, path: format!("/roles/{role_id}"), let_in: 412 },
            Deed { method: Method::PUT, path, let_in: 412 },
        ];
        let approve = post(format!("/vendors/{vendor}/approve"));
        Desk { world, admin, support, role, approve, others }
    }

    /// What the role allows from now on.
    async fn allow(&mut self, permissions: &[&str]) {
        let path = format!("/roles/{}", self.role["id"].as_str().unwrap());
        let body = json!({ "description": "Helps", "permissions": permissions });
        let version = self.role["version"].as_i64().unwrap();
        self.role = put(&self.world, &path, &self.admin, version, body).await;
    }

    async fn status(&self, deed: &Deed) -> u16 {
        let body = match deed.path.split('/').next_back().unwrap() {
            "reject" | "suspend" => json!({ "reason": "It was asked for" }),
            "roles" => json!({ "roles": ["customer", "platform_admin"] }),
            "approve" => json!({}),
            _ => json!({ "description": "Helps", "permissions": ["role.update"] }),
        };
        let request = self.world.http.request(deed.method.clone(), self.world.url(&deed.path));
        let request = request.bearer_auth(&self.support);
        let based_on = |request: reqwest::RequestBuilder| request.header("If-Match", "\"999999\"").json(&body);
        let request = if deed.method == Method::GET { request } else { based_on(request) };
        request.send().await.unwrap().status().as_u16()
    }

    /// The statuses of a round of asking.
    async fn round(&self, deed: &Deed) -> Vec<u16> {
        let asked = futures::stream::iter((0..ROUND).map(|_| self.status(deed))).buffer_unordered(4);
        asked.collect().await
    }

    /// Waits until a whole round of asking is answered like this; from then on nothing else is answered.
    async fn until_all(&self, deed: &Deed, status: u16) {
        let wanted = vec![status; ROUND];
        self.world.until("every replica knows of the role", async || self.round(deed).await == wanted).await;
        assert_eq!(self.round(deed).await, wanted, "{}", deed.path);
    }

    /// How often each replica of the vendor service was asked to approve.
    async fn asked(&self) -> Vec<u64> {
        let client = self.world.operator().await;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(inbox.clone()).await.unwrap();
        client.publish_with_reply("$SRV.STATS.vendor", inbox, "".into()).await.unwrap();
        let mut asked = vec![];
        while let Ok(Some(answer)) = tokio::time::timeout(Duration::from_secs(2), answers.next()).await {
            let stats: Value = serde_json::from_slice(&answer.payload).unwrap();
            let approve = stats["endpoints"].as_array().unwrap().iter().find(|one| one["name"] == "vendor-approve");
            asked.push(approve.unwrap()["num_requests"].as_u64().unwrap());
        }
        asked
    }
}

async fn put(world: &World, path: &str, token: &str, version: i64, body: Value) -> Value {
    let request = world.http.put(world.url(path)).bearer_auth(token).header("If-Match", format!("\"{version}\""));
    let answer = request.json(&body).send().await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_role_allows_holds_in_every_replica_at_once_and_after_a_restart() {
    let mut desk = Desk::open().await;
    for deed in desk.others.iter().chain([&desk.approve]) {
        assert_eq!(desk.status(deed).await, 403, "{}", deed.path);
    }

    desk.allow(&["vendor.approve"]).await;
    desk.until_all(&desk.approve, desk.approve.let_in).await;
    // Exactly that, and nothing by way of it.
    for deed in &desk.others {
        assert_eq!(desk.status(deed).await, 403, "{}", deed.path);
    }
    let asked = desk.asked().await;
    assert!(asked.len() == 2 && asked.iter().all(|count| *count > 0), "{asked:?}");

    desk.allow(&[]).await;
    desk.until_all(&desk.approve, 403).await;
    desk.allow(&["vendor.approve", "user.findAll"]).await;
    desk.until_all(&desk.approve, 412).await;
    assert_eq!(desk.status(&desk.others[2]).await, 200);

    // What is known is known without auth, and by whoever starts anew.
    desk.world.terminate("second").await;
    desk.world.terminate("all").await;
    desk.world.run("edge", &["edge"]).await;
    desk.world.run("vendor", &["vendor"]).await;
    assert_eq!(desk.round(&desk.approve).await, [412; ROUND]);
    assert_eq!(desk.status(&desk.others[0]).await, 403);
    desk.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_a_role_is_refused_everywhere_with_the_tokens_that_name_it() {
    let mut desk = Desk::open().await;
    desk.allow(&["vendor.approve"]).await;
    desk.until_all(&desk.approve, 412).await;
    let path = format!("/users/{}/roles", CAT_OWNER.id());
    put(&desk.world, &path, &desk.admin, 2, json!({ "roles": ["customer"] })).await;
    desk.until_all(&desk.approve, 401).await;
    let user = desk.world.sign_in(CAT_OWNER.email).await;
    let anew = Desk { support: user, ..desk };
    assert_eq!(anew.round(&anew.approve).await, [403; ROUND]);
    anew.world.stop().await;
}
