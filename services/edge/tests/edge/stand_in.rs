//! One stand-in for all services, which remembers what reached it and refuses it with 429: any operation may be
//! answered so, and the edge itself, without limits here, never does.

use crate::stack::start_edge;
use async_nats::HeaderMap;
use futures::StreamExt;
use identity::{AccessTokens, KeyStore, Purpose, SigningKey, User, UserTokens};
use platform::nats::NatsConfig;
use platform::runtime::Running;
use platform::setup::Host;
use platform::{Settings, provision};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use subjects::ids::{SessionId, UserId};
use subjects::{ErrorCode, Fault, Role, catalogue};
use testkit::{Leaks, Nats, NatsOptions};

pub struct StandIn {
    pub edge: SocketAddr,
    pub http: reqwest::Client,
    /// For somebody who has every role.
    pub token: String,
    /// That no edge must take, each with its name.
    pub bad_tokens: Vec<(&'static str, String)>,
    reached: Arc<Mutex<BTreeSet<String>>>,
    _running: Running,
    /// Before the server, so that it looks while that is there.
    _leaks: Leaks,
    _nats: Nats,
    _keys: tempfile::TempDir,
}

impl StandIn {
    pub async fn start() -> StandIn {
        let keys_folder = tempfile::tempdir().unwrap();
        KeyStore::create_missing(keys_folder.path(), &["auth", "profile", "vendor", "booking", "catalog", "edge"])
            .unwrap();
        let keys = KeyStore::open(keys_folder.path()).unwrap();
        let nats =
            Nats::start(NatsOptions { tls: Some(keys.nats_server_dir()), ..NatsOptions::default() }).await.unwrap();
        let settings = Settings::from_toml("")
            .set("nats.url", nats.url())
            .set("keys.dir", keys_folder.path())
            .set("keys.allow_plain", true)
            .set("edge.listen", "127.0.0.1:0")
            .set("edge.leave_after_ms", 1)
            .set("edge.limits_profile", "bench")
            .set("edge.shedding.times_slower", 1_000_000.0);
        let host = Host::new(settings).unwrap();
        let config: NatsConfig = host.settings.section("nats").unwrap();
        let (client, _) = platform::nats::connect(&config, "provision", &keys, host.metrics.clone()).await.unwrap();
        provision::provision(&async_nats::jetstream::new(client.clone()), &config, &[]).await.unwrap();

        let reached: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        for subject in catalogue::operations().flat_map(|operation| operation.subjects()) {
            let requests = client.subscribe(subject).await.unwrap();
            tokio::spawn(refuse(client.clone(), requests, reached.clone()));
        }
        client.flush().await.unwrap();
        let (running, edge) = start_edge(&host).await;

        let now = chrono::Utc::now();
        let user = User { id: UserId::new(), session: SessionId::new(), roles: Role::BUILT_IN.to_vec() };
        let access_tokens = AccessTokens::new(keys.signing_key("auth", Purpose::Access).unwrap());
        let token = access_tokens.issue(&user, now);
        let claims = token.split('.').nth(1).unwrap();
        let foreign = AccessTokens::new(SigningKey::generate("auth", Purpose::Access));
        let internal = UserTokens::new(keys.signing_key("edge", Purpose::User).unwrap());
        let bad_tokens = vec![
            ("expired", access_tokens.issue(&user, now - chrono::Duration::hours(1))),
            // {"alg":"none","typ":"JWT"}
            ("unsigned", format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")),
            ("signed by another key", foreign.issue(&user, now)),
            ("for another audience", internal.issue(&user, now)),
            ("not a token", "x".to_owned()),
            ("far too long", "x".repeat(6_000)),
        ];
        let http = reqwest::Client::new();
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        StandIn {
            edge,
            http,
            token,
            bad_tokens,
            reached,
            _running: running,
            _leaks: leaks,
            _nats: nats,
            _keys: keys_folder,
        }
    }

    /// Whether the request with this correlation id reached a service.
    pub fn was_reached_by(&self, correlation_id: &str) -> bool {
        self.reached.lock().unwrap().contains(correlation_id)
    }
}

async fn refuse(
    client: async_nats::Client,
    mut requests: async_nats::Subscriber,
    reached: Arc<Mutex<BTreeSet<String>>>,
) {
    let body = serde_json::to_vec(&Fault::new(ErrorCode::RateLimited, "the stand-in refuses everything")).unwrap();
    while let Some(request) = requests.next().await {
        let correlation_id = request.headers.as_ref().and_then(|headers| headers.get("x-correlation-id")).unwrap();
        reached.lock().unwrap().insert(correlation_id.to_string());
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/json");
        headers.insert("Nats-Service-Error", "rate_limited");
        headers.insert("Nats-Service-Error-Code", "429");
        let reply = request.reply.unwrap();
        client.publish_with_headers(reply, headers, body.clone().into()).await.unwrap();
    }
}
