//! `petpro traffic` gives another version of a running service a share of its requests, and takes it back.

use crate::world::World;
use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::process::Output;
use std::time::Duration;

async fn petpro(world: &World, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_petpro"));
    command.args(arguments).envs(&world.stack.variables).env("PETPRO_CONFIG", "/dev/null");
    command.current_dir(world.folder.path()).kill_on_drop(true).output().await.unwrap()
}

/// What it prints; it must succeed.
async fn said(world: &World, arguments: &[&str]) -> String {
    let output = petpro(world, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it complains of; it must fail.
async fn refused(world: &World, arguments: &[&str]) -> String {
    let output = petpro(world, arguments).await;
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// Version, share and replicas, as `petpro traffic` tells scripts.
async fn shares(world: &World) -> Vec<(String, u64, u64)> {
    let told: Value = serde_json::from_str(&said(world, &["traffic", "vendor", "--json"]).await).unwrap();
    let items = told["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            assert_eq!(item["service"], "vendor");
            let number = |name: &str| item[name].as_u64().unwrap();
            (item["version"].as_str().unwrap().to_owned(), number("percent"), number("replicas"))
        })
        .collect()
}

/// How many requests the vendor service's replica of the version v2 has answered.
async fn answered_by_v2(operator: &async_nats::Client) -> u64 {
    let inbox = operator.new_inbox();
    let mut replies = operator.subscribe(inbox.clone()).await.unwrap();
    operator.publish_with_reply("$SRV.STATS.vendor", inbox, "".into()).await.unwrap();
    let find = async {
        loop {
            let stats: Value = serde_json::from_slice(&replies.next().await.unwrap().payload).unwrap();
            if stats["metadata"]["version"] == json!("v2") {
                let endpoints = stats["endpoints"].as_array().unwrap().iter();
                return endpoints.map(|endpoint| endpoint["num_requests"].as_u64().unwrap()).sum();
            }
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, find).await.unwrap()
}

async fn ask(world: &World, times: usize) {
    for _ in 0..times {
        world.expect(Method::GET, "/clinics?limit=1", None, None, StatusCode::OK).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_gets_a_share_by_one_command_and_loses_it_by_another() {
    let mut world = World::without_services().await;
    // Every request is to reach the vendor service.
    world.set("PETPRO_EDGE__CACHE__ENABLED", "false");
    world.run("all", &[]).await;
    let told = refused(&world, &["traffic", "vendor", "v2=50"]).await;
    assert!(told.contains("PETPRO_TRAFFIC__VERSION=v2 petpro run vendor"), "{told}");
    assert_eq!(said(&world, &["traffic"]).await, "All requests go to the stable replicas.\n");
    world.set("PETPRO_TRAFFIC__VERSION", "v2");
    world.run("another", &["vendor"]).await;
    let stable = |percent, replicas| ("stable".to_owned(), percent, replicas);
    let v2 = |percent, replicas| ("v2".to_owned(), percent, replicas);
    assert_eq!(shares(&world).await, [stable(100, 1), v2(0, 1)]);

    let operator = world.operator().await;
    let share = async {
        ask(&world, 20).await;
        assert_eq!(answered_by_v2(&operator).await, 0);
        let told = said(&world, &["traffic", "vendor", "v2=50"]).await;
        assert!(told.contains("50 %") && told.contains("petpro nats-config"), "{told}");
        assert_eq!(shares(&world).await, [stable(50, 1), v2(50, 1)]);
        assert!(
            said(&world, &["nats-config"]).await.contains("'version.vendor.v2.vendor.{{wildcard(1)}}', weight: 50")
        );
        world
            .until("v2 is asked", async || {
                ask(&world, 10).await;
                answered_by_v2(&operator).await > 20
            })
            .await;
        let told = refused(&world, &["traffic", "vendor", "v2=60", "v3=41", "--unseen"]).await;
        assert!(told.contains("101 %"), "{told}");
        assert_eq!(shares(&world).await, [stable(50, 1), v2(50, 1)]);

        said(&world, &["traffic", "vendor", "--reset"]).await;
        assert_eq!(shares(&world).await, [stable(100, 1), v2(0, 1)]);
        world
            .until("v2 is asked no more", async || {
                let before = answered_by_v2(&operator).await;
                ask(&world, 40).await;
                answered_by_v2(&operator).await == before
            })
            .await;
    };
    tokio::select! {
        () = share => {}
        () = world.stack.keep_permissions(Duration::from_millis(200)) => {}
    }
    world.stop().await;
}
