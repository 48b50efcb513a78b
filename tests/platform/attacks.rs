//! Forged tokens on the whole platform, at the edge and inside: refused, each with 401 and the problem that the documents
//! show, never a fault of the platform, nothing done, and nobody asked for a key. The list of them is that of the
//! verifier's own tests.

use crate::hostile::scene::{Answer, all};
use crate::hostile::storage::Storage;
use crate::world::World;
use chrono::Utc;
use forge::Forge;
use identity::keys::{AUTH, EDGE, OPERATOR, Purpose};
use petpro::demo_users::{self, DemoUser};
use platform::headers;
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::net::TcpListener;
use subjects::ids::SessionId;

#[path = "../../shared/identity/src/tokens/forge.rs"]
mod forge;

/// The attacks that only a header can carry, and real tokens in the wrong place.
#[path = "attacks/headers.rs"]
mod headers_of;

/// The service whose tokens are forged inside.
const CALLER: &str = "booking";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_forged_token_opens_anything() {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__LIMITS_PROFILE", "bench");
    world.run("all", &[]).await;
    world.until_heard().await;
    let key_server = TcpListener::bind("127.0.0.1:0").unwrap();
    key_server.set_nonblocking(true).unwrap();
    let address = format!("http://{}/", key_server.local_addr().unwrap());
    let forge = |owner: &str, purpose, audience: &str| {
        let issuer = if purpose == Purpose::Access { "petpro" } else { owner };
        forge_of(&world, owner, purpose, [issuer, audience], &address)
    };
    let access = forge(AUTH, Purpose::Access, "edge");
    let users = [EDGE, OPERATOR].map(|owner| forge(owner, Purpose::User, "mesh"));
    let service = forge(CALLER, Purpose::Service, AUTH);
    let real = headers_of::real_tokens(&world).await;

    let before = Storage::look(&world).await;
    let mut sent = headers_of::check(&world, &access).await;
    let mut tokens: Vec<(String, String)> = real;
    tokens.extend(access.attacks().into_iter().map(|attack| (attack.name, attack.token)));
    for inside in users.iter().chain([&service]) {
        tokens.push(("a token of the inside".to_owned(), inside.good()));
    }
    sent += check_edge(&world, &tokens).await;
    for user in &users {
        let mut tokens =
            vec![("an access token".to_owned(), access.good()), ("a service token".to_owned(), service.good())];
        tokens.extend(user.attacks().into_iter().map(|attack| (attack.name, attack.token)));
        sent += check_inside(
            &world,
            headers::AUTHORIZATION,
            "Bearer ",
            &["auth.me", "category.create", "vendor.findAll"],
            &tokens,
        )
        .await;
    }
    let mut tokens = vec![("an access token".to_owned(), access.good()), ("a user token".to_owned(), users[0].good())];
    tokens.extend(service.attacks().into_iter().map(|attack| (attack.name, attack.token)));
    sent +=
        check_inside(&world, headers::SERVICE_TOKEN, "", &["user.findAll", "auth.createUser", "auth.jwks"], &tokens)
            .await;
    before.check_unchanged(&world, "a forged token").await;
    let led = key_server.accept();
    assert!(led.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "a key was asked for elsewhere");

    // It was the tokens: with the good ones all of it is done.
    check_good(&world, &access, &users, &service).await;
    let log = world.log();
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).take(20).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    println!("{sent} requests with forged tokens were refused");
    assert!(sent > 2_500, "only {sent} forged requests");
    world.stop().await;
}

/// A forge for what somebody signs, for the one who runs the platform.
fn forge_of(world: &World, owner: &str, purpose: Purpose, [issuer, audience]: [&str; 2], key_server: &str) -> Forge {
    let keys = &world.stack.keys;
    let now = Utc::now().timestamp();
    let lifetime = if purpose == Purpose::Access { 900 } else { 60 };
    let mut claims = json!({ "iss": issuer, "aud": audience, "iat": now, "exp": now + lifetime });
    let typ = match purpose {
        Purpose::Access => "at+jwt",
        Purpose::User => "petpro-user+jwt",
        Purpose::Service => "petpro-service+jwt",
    };
    if purpose != Purpose::Service {
        claims["sub"] = json!(demo_users::ADMIN.id());
        claims["sid"] = json!(SessionId::new());
        claims["roles"] = json!(["platform_admin"]);
    }
    let key = keys.signing_key(owner, purpose).unwrap();
    let private_key = key.to_pkcs8_pem().unwrap();
    let kid = key.kid().to_owned();
    // A key of the same kind is another's name for the same right, and refused for its signature.
    let other_kids = keys.registry().keys().iter().map(|key| key.kid.clone()).filter(|other| *other != kid).collect();
    Forge::new(private_key.expose_secret(), &kid, typ, claims, other_kids, key_server)
}

/// What is asked at the edge: a read of one's own, a write, and something public.
fn questions(world: &World) -> Vec<RequestBuilder> {
    let category = json!({ "name": "Palsu", "slug": "palsu" });
    vec![
        world.http.get(world.url("/auth/me")),
        world.http.post(world.url("/categories")).json(&category),
        world.http.get(world.url("/vendors?limit=1")),
    ]
}

async fn check_edge(world: &World, tokens: &[(String, String)]) -> usize {
    let mut tasks = vec![];
    for (name, token) in tokens {
        for question in questions(world) {
            tasks.push(async move {
                let answer = Answer::to(question.header("authorization", format!("Bearer {token}"))).await;
                check_refusal(name, answer.status, &answer.body, token);
            });
        }
    }
    all(tasks).await.len()
}

/// 401 in the one form of every error, and not a word of what was wrong.
fn check_refusal(name: &str, status: u16, body: &Value, token: &str) {
    assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")), "{name}: {body}");
    assert!(token.len() < 8 || !body.to_string().contains(token), "{name}: the token comes back in {body}");
    for word in ["kid", "signature", "algorithm", "audience", "issuer"] {
        assert!(!body.to_string().contains(word), "{name}: {body} tells of the {word}");
    }
}

async fn check_inside(
    world: &World,
    header: &'static str,
    scheme: &str,
    subjects: &[&'static str],
    tokens: &[(String, String)],
) -> usize {
    let client = world.operator().await;
    let client = &client;
    let mut tasks = vec![];
    for (name, token) in tokens {
        for subject in subjects {
            tasks.push(async move {
                let (status, body) = ask(client, subject, header, &format!("{scheme}{token}")).await;
                check_refusal(&format!("{header} of {subject}, {name}"), status, &body, token);
            });
        }
    }
    all(tasks).await.len()
}

/// Status and body of an answer inside.
async fn ask(client: &async_nats::Client, subject: &'static str, header: &'static str, value: &str) -> (u16, Value) {
    let mut map = async_nats::HeaderMap::new();
    map.insert(header, value);
    let body = match subject {
        "category.create" => json!({ "name": "Palsu", "slug": "palsu-juga" }),
        "auth.createUser" => {
            json!({ "id": "0190a000-0000-7000-8000-00000000f00d", "email": "palsu@example.com", "password": "kucing-abu-abu-9", "firstName": "P", "lastName": "P" })
        }
        _ => json!({}),
    };
    let reply = client.request_with_headers(subject, map, body.to_string().into()).await.unwrap();
    let code = reply.headers.as_ref().and_then(|headers| headers.get(headers::SERVICE_ERROR_CODE));
    let status = code.map_or(200, |code| code.as_str().parse().unwrap());
    (status, serde_json::from_slice(&reply.payload).unwrap_or_default())
}

async fn check_good(world: &World, access: &Forge, users: &[Forge], service: &Forge) {
    for question in questions(world) {
        let answer = Answer::to(question.bearer_auth(access.good())).await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
    }
    let client = world.operator().await;
    for (header, value, subjects) in [
        (
            headers::AUTHORIZATION,
            format!("Bearer {}", users[0].good()),
            ["auth.me", "category.create", "vendor.findAll"],
        ),
        (headers::AUTHORIZATION, format!("Bearer {}", users[1].good()), ["auth.me", "user.findAll", "vendor.findAll"]),
        (headers::SERVICE_TOKEN, service.good(), ["user.findAll", "auth.createUser", "auth.jwks"]),
    ] {
        for subject in subjects {
            let (status, body) = ask(&client, subject, header, &value).await;
            assert_eq!(status, 200, "{subject}: {body}");
        }
    }
}

/// The version of a user's account.
async fn version_of(world: &World, user: &DemoUser, admin: &str) -> i64 {
    let path = format!("/users/{}", user.id());
    let found = world.expect(Method::GET, &path, Some(admin), None, StatusCode::OK).await;
    found["version"].as_i64().unwrap()
}
