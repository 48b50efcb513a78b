//! `petpro demo`: the story of a booking over HTTP, told as it happens.

use crate::cli::DemoArgs;
use crate::demo_users;
use anyhow::{Context as _, bail, ensure};
use edge::EdgeConfig;
use identity::keys::{KeyStore, OPERATOR};
use platform::Settings;
use platform::metrics::Metrics;
use platform::nats::NatsConfig;
use platform::setup::KeysConfig;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::IsTerminal as _;
use std::time::Duration;
use subjects::event;
use subjects::ids::BookingId;

/// How long the event may take to reach JetStream.
const EVENT_PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn execute(args: &DemoArgs) -> anyhow::Result<()> {
    let url = match &args.url {
        Some(url) => url.clone(),
        None => format!("http://{}", Settings::load()?.section::<EdgeConfig>("edge")?.listen),
    };
    let mut story = Story::new(&url)?;
    story.tell("A customer registers and signs in");
    let first = story.new_customer("Budi").await?;
    story.tell("The customer looks for a clinic that vaccinates cats");
    let (clinic, service) = story.find_service(&first).await?;
    story.tell("The customer sees when it is free");
    let slot = story.find_slot(&clinic, &service).await?;
    story.tell("The customer books");
    let booking = story.book(&first, &service, &slot).await?;
    story.tell("Another customer wants the same time");
    let second = story.new_customer("Siti").await?;
    story.book_in_vain(&second, &service, &slot).await?;
    story.tell("The clinic's staff confirms");
    story.confirm(&booking).await?;
    story.tell("JetStream has told whoever listens");
    story.see_event(&booking).await?;
    println!("\nThat is the whole way: REST, NATS, Postgres, JetStream.");
    Ok(())
}

struct Story {
    http: reqwest::Client,
    base: String,
    step: u8,
    colour: bool,
}

/// An answer that is as it should be.
struct Answer {
    body: Value,
}

impl Story {
    fn new(url: &str) -> anyhow::Result<Story> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        let base = format!("{}/api/v1", url.trim_end_matches('/'));
        Ok(Story { http, base, step: 0, colour: std::io::stdout().is_terminal() })
    }

    fn tell(&mut self, what: &str) {
        self.step += 1;
        if self.colour {
            println!("\n\x1b[1m{}. {what}\x1b[0m", self.step);
        } else {
            println!("\n{}. {what}", self.step);
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        expected: StatusCode,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
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
        println!("   {method} {path} → {}", status.as_u16());
        ensure!(status == expected, "expected {expected}, got {status}: {body}");
        Ok(Answer { body })
    }

    /// Registers someone new and answers an access token.
    async fn new_customer(&self, name: &str) -> anyhow::Result<String> {
        let email = format!("{}-{}@petpro.example", name.to_lowercase(), uuid::Uuid::now_v7().simple());
        let password = format!("demo-{}", uuid::Uuid::now_v7().simple());
        let account = json!({ "email": email, "password": password, "firstName": name });
        self.ask(Method::POST, "/auth/register", None, Some(account), StatusCode::CREATED).await?;
        self.sign_in(&email, &password).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> anyhow::Result<String> {
        let login = json!({ "email": email, "password": password });
        let answer = self.ask(Method::POST, "/auth/login", None, Some(login), StatusCode::OK).await?;
        text(&answer.body, "/accessToken")
    }

    async fn find_service(&self, token: &str) -> anyhow::Result<(Value, Value)> {
        let clinics = self.ask(Method::GET, "/clinics?text=jakarta&limit=5", Some(token), None, StatusCode::OK).await?;
        let found = clinics.body.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
        for clinic in found {
            let path = format!("/clinics/{}/services", text(&clinic, "/id")?);
            let services = self.ask(Method::GET, &path, Some(token), None, StatusCode::OK).await?;
            let first = services.body.pointer("/items/0").cloned();
            if let Some(service) = first {
                println!("   {} offers {}", text(&clinic, "/name")?, text(&service, "/name")?);
                return Ok((clinic, service));
            }
        }
        bail!("there is no demo clinic with a service: is this a stack of `./just up`?")
    }

    async fn find_slot(&self, clinic: &Value, service: &Value) -> anyhow::Result<Value> {
        let tomorrow = chrono::Utc::now().date_naive() + chrono::Days::new(1);
        let last = tomorrow + chrono::Days::new(13);
        let path =
            format!("/bookings/availability?serviceId={}&from={tomorrow}&to={last}&limit=50", text(service, "/id")?);
        let answer = self.ask(Method::GET, &path, None, None, StatusCode::OK).await?;
        let slot = answer.body.pointer("/items/0").cloned().context("no free slot within two weeks")?;
        println!("   first free: {} at {}", text(&slot, "/localStartsAt")?, text(clinic, "/name")?);
        Ok(slot)
    }

    fn wish(service: &Value, slot: &Value, pet: &str) -> anyhow::Result<Value> {
        Ok(json!({
            "serviceId": text(service, "/id")?,
            "staffId": text(slot, "/staffIds/0")?,
            "startsAt": text(slot, "/startsAt")?,
            "pet": { "name": pet, "species": "cat" },
        }))
    }

    async fn book(&self, token: &str, service: &Value, slot: &Value) -> anyhow::Result<Value> {
        let wish = Self::wish(service, slot, "Oyen")?;
        let answer = self.ask(Method::POST, "/bookings", Some(token), Some(wish), StatusCode::CREATED).await?;
        println!("   {} is {}", text(&answer.body, "/reference")?, text(&answer.body, "/status")?);
        Ok(answer.body)
    }

    async fn book_in_vain(&self, token: &str, service: &Value, slot: &Value) -> anyhow::Result<()> {
        let wish = Self::wish(service, slot, "Bola")?;
        let answer = self.ask(Method::POST, "/bookings", Some(token), Some(wish), StatusCode::CONFLICT).await?;
        println!("   {}: {}", text(&answer.body, "/reason")?, text(&answer.body, "/detail")?);
        Ok(())
    }

    async fn confirm(&self, booking: &Value) -> anyhow::Result<()> {
        let staff = self.sign_in("rina@petpro.example", demo_users::PASSWORD).await?;
        let path = format!("/bookings/{}/confirm", text(booking, "/id")?);
        let answer = self.ask(Method::POST, &path, Some(&staff), None, StatusCode::OK).await?;
        println!("   {} is {}", text(&answer.body, "/reference")?, text(&answer.body, "/status")?);
        Ok(())
    }

    async fn see_event(&self, booking: &Value) -> anyhow::Result<()> {
        let id: BookingId = text(booking, "/id")?.parse()?;
        let settings = Settings::load()?;
        let nats: NatsConfig = settings.section("nats")?;
        let keys: KeysConfig = settings.section("keys")?;
        let seed = KeyStore::open(&keys.dir)?.nats_seed(OPERATOR)?;
        let metrics = Metrics::register(&prometheus::Registry::new())?;
        let (client, _signals) = platform::nats::connect(&nats, OPERATOR, &seed, metrics).await?;
        let jetstream = platform::nats::jetstream(client);
        let stream = jetstream.get_stream_no_info(event::stream_name("booking")).await?;
        let subject = event::subject("booking.confirmed", id.0);
        let look = async {
            loop {
                if let Ok(message) = stream.get_last_raw_message_by_subject(&subject).await
                    && let Ok(body) = serde_json::from_slice::<Value>(&message.payload)
                    && body.get("bookingId").and_then(Value::as_str) == Some(&id.to_string())
                {
                    return (message.sequence, body);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let (sequence, body) = tokio::time::timeout(EVENT_PATIENCE, look)
            .await
            .with_context(|| format!("no {subject} for this booking within {} s", EVENT_PATIENCE.as_secs()))?;
        println!("   {subject}, sequence {sequence}");
        println!("   {body}");
        Ok(())
    }
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no {pointer} in {value}"))
}
