//! Asking over HTTP and telling what came of it.

use crate::output::say;
use anyhow::{Context as _, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// How long a service may take to hear of an event.
const HEARING_PATIENCE: Duration = Duration::from_secs(10);

/// What has been told so far, and the way to the edge.
pub(super) struct Story {
    http: reqwest::Client,
    base: String,
    step: u8,
    colour: bool,
}

impl Story {
    pub(super) fn new(url: &str) -> anyhow::Result<Story> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        let base = format!("{}/api/v1", url.trim_end_matches('/'));
        Ok(Story { http, base, step: 0, colour: std::io::stdout().is_terminal() })
    }

    /// Begins a step.
    pub(super) fn tell(&mut self, what: &str) -> anyhow::Result<()> {
        self.step += 1;
        if self.colour {
            say!("\n\x1b[1m{}. {what}\x1b[0m", self.step)?;
        } else {
            say!("\n{}. {what}", self.step)?;
        }
        Ok(())
    }

    /// The whole address of a path below `/api/v1`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Reads something.
    pub(super) async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, token, None, StatusCode::OK).await
    }

    /// Reads something that its service opens only once it has heard of an event, which takes a moment.
    pub(super) async fn get_once_heard(&self, path: &str, token: &str) -> anyhow::Result<Value> {
        let give_up = Instant::now() + HEARING_PATIENCE;
        loop {
            let status = self.http.get(self.url(path)).bearer_auth(token).send().await?.status();
            if status.is_success() || Instant::now() > give_up {
                return self.get(path, Some(token)).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks, tells the status, and answers the body of an answer that is as it should be.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        expected: StatusCode,
    ) -> anyhow::Result<Value> {
        let mut request = self.http.request(method.clone(), self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| {
            format!("{} does not answer: is the platform running (`./just up` in another terminal)?", self.base)
        })?;
        let status = response.status();
        let body: Value = response.json().await.unwrap_or(Value::Null);
        say!("   {method} {path} → {}", status.as_u16())?;
        ensure!(status == expected, "expected {expected}, got {status}: {body}");
        Ok(body)
    }

    /// Registers someone new and answers an access token.
    pub(super) async fn new_customer(&self, name: &str) -> anyhow::Result<String> {
        let email = format!("{}-{}@petpro.example", name.to_lowercase(), uuid::Uuid::now_v7().simple());
        let password = format!("demo-{}", uuid::Uuid::now_v7().simple());
        let account = json!({ "email": email, "password": password, "firstName": name });
        self.ask(Method::POST, "/auth/register", None, Some(account), StatusCode::CREATED).await?;
        self.sign_in(&email, &password).await
    }

    /// An access token.
    pub(super) async fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<String> {
        let login = json!({ "email": email, "password": password });
        let tokens = self.ask(Method::POST, "/auth/login", None, Some(login), StatusCode::OK).await?;
        text(&tokens, "/accessToken")
    }
}

/// A text in an answer.
pub(super) fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no {pointer} in {value}"))
}

/// A whole number in an answer.
pub(super) fn number(value: &Value, pointer: &str) -> anyhow::Result<i64> {
    value.pointer(pointer).and_then(Value::as_i64).with_context(|| format!("no {pointer} in {value}"))
}

/// A list in an answer; empty where there is none.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
