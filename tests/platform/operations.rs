//! What those who run the platform do at the command line, against a running platform: they follow events, find out what
//! became of them, mend what was lost, and nobody else may.

use crate::world::World;
use chrono::Utc;
use identity::keys::{OPERATOR, Purpose};
use identity::{ServiceTokens, User, UserTokens};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::process::Stdio;
use subjects::ids::{EventId, SessionId, UserId};
use subjects::{Role, catalogue, ops};
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[path = "operations/audited.rs"]
mod audited;
#[path = "operations/dead_letters.rs"]
mod dead_letters;
#[path = "operations/mending.rs"]
mod mending;
#[path = "operations/strangers.rs"]
mod strangers;
#[path = "operations/tracing.rs"]
mod tracing;

/// What a command came to.
struct Ended {
    succeeded: bool,
    printed: String,
    said: String,
}

/// Runs `petpro` against the world.
async fn petpro(world: &World, arguments: &[&str]) -> Ended {
    let output = command(world, arguments).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { succeeded: output.status.success(), printed: text(&output.stdout), said: text(&output.stderr) }
}

fn command(world: &World, arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_petpro"));
    command
        .args(arguments)
        .envs(&world.stack.variables)
        .env("PETPRO_CONFIG", "/dev/null")
        .current_dir(world.folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// What it prints for people; it must succeed.
async fn told(world: &World, arguments: &[&str]) -> String {
    let ended = petpro(world, arguments).await;
    assert!(ended.succeeded, "petpro {arguments:?}\n{}{}\n{}", ended.printed, ended.said, world.log());
    assert!(!ended.printed.contains('\x1b'), "colours where nobody sees them: {}", ended.printed);
    ended.printed
}

/// What it prints for scripts; it must succeed.
async fn asked(world: &World, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&told(world, &arguments).await).unwrap()
}

/// What it prints for scripts, where it succeeds.
async fn answered(world: &World, arguments: &[&str]) -> Option<Value> {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let ended = petpro(world, &arguments).await;
    ended.succeeded.then(|| serde_json::from_str(&ended.printed).unwrap())
}

/// What it prints for scripts, and says; it must fail.
async fn refused(world: &World, arguments: &[&str]) -> (Value, String) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let ended = petpro(world, &arguments).await;
    assert!(!ended.succeeded, "petpro {arguments:?} succeeded:\n{}", ended.printed);
    (serde_json::from_str(&ended.printed).unwrap_or(Value::Null), ended.said)
}

/// Opens a clinic for one interval a week less. Answers the clinic and the version that its hours have then.
async fn change_hours(world: &World) -> (String, i64) {
    let token = world.sign_in("dewi@petpro.example").await;
    let services = world.expect(Method::GET, "/services?limit=1", None, None, StatusCode::OK).await;
    let clinic_id = services["items"][0]["clinicId"].as_str().unwrap().to_owned();
    let path = format!("/clinics/{clinic_id}/hours");
    let hours = world.expect(Method::GET, &path, None, None, StatusCode::OK).await;
    let mut weekly = hours["hours"]["weekly"].as_array().unwrap().clone();
    weekly.remove(0);
    let changed = world
        .http
        .put(world.url(&path))
        .bearer_auth(&token)
        .header("If-Match", format!("\"{}\"", hours["version"]))
        .json(&json!({ "weekly": weekly, "exceptions": hours["hours"]["exceptions"] }))
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let changed: Value = changed.json().await.unwrap();
    (clinic_id, changed["version"].as_i64().unwrap())
}

/// The version of a clinic's hours that booking has heard of.
async fn heard_hours(world: &World, clinic_id: &str) -> i64 {
    sqlx::query_scalar("select version from booking.service_availability where id = $1::uuid")
        .bind(clinic_id)
        .fetch_one(&mut world.database().await)
        .await
        .unwrap()
}

async fn execute(world: &World, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&mut world.database().await).await.unwrap();
}

/// What a handler has made of an event that is shown.
fn handler_state<'a>(shown: &'a Value, service: &str, handler: &str) -> &'a str {
    let handlers = shown["handlers"].as_array().unwrap();
    let found = handlers.iter().find(|known| known["service"] == service && known["handler"] == handler);
    found.unwrap_or_else(|| panic!("{service}/{handler} is not in {shown}"))["state"].as_str().unwrap()
}
