//! A good token in a bad header, and tokens that were good once or are good elsewhere.

use super::forge::Forge;
use super::{check_refusal, questions, version_of};
use crate::hostile::scene::Answer;
use crate::world::World;
use petpro::demo_users::{self, PASSWORD};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// Tokens that the platform has given out itself, and that open nothing at the edge: a refresh token, one of a session
/// that was ended, one of an account that is suspended.
pub async fn real_tokens(world: &World) -> Vec<(String, String)> {
    let login = json!({ "email": "rina@petpro.example", "password": PASSWORD });
    let tokens = world.expect(Method::POST, "/auth/login", None, Some(login), StatusCode::OK).await;
    let refresh = tokens["refreshToken"].as_str().unwrap().to_owned();
    let ended = world.sign_in("budi@petpro.example").await;
    world.expect(Method::POST, "/auth/logout", Some(&ended), Some(json!({})), StatusCode::NO_CONTENT).await;
    let suspended = world.sign_in("siti@petpro.example").await;
    let admin = world.sign_in("admin@petpro.example").await;
    let user = &demo_users::DOG_OWNER;
    let change = world.http.patch(world.url(&format!("/users/{}", user.id()))).bearer_auth(&admin);
    let version = format!("\"{}\"", version_of(world, user, &admin).await);
    let answer = Answer::to(change.header("If-Match", version).json(&json!({ "status": "suspended" }))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for token in [&ended, &suspended] {
        let is_over = async || world.ask(Method::GET, "/auth/me", Some(token), None).await.0 == 401;
        world.until("the session is over at the edge", is_over).await;
    }
    [("a refresh token", refresh), ("a session that was ended", ended), ("a suspended account", suspended)]
        .map(|(name, token)| (name.to_owned(), token))
        .into()
}

/// Everything that may stand in `Authorization` but one `Bearer` and one token, and every other place for a token.
pub async fn check(world: &World, forge: &Forge) -> usize {
    let good = forge.good();
    let mut sent = 0;
    for (name, values) in wrong_headers(&good) {
        for question in questions(world) {
            let request = values.iter().fold(question, |request, value| {
                request.header(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap())
            });
            let answer = Answer::to(request).await;
            check_refusal(name, answer.status, &answer.body, &good);
            sent += 1;
        }
    }
    // The name of the scheme is written as one likes (RFC 9110 section 11.1).
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = world.http.get(world.url("/auth/me")).header(AUTHORIZATION, format!("{scheme} {good}"));
        assert_eq!(Answer::to(request).await.status, 200, "{scheme}");
    }
    // A token in any other place is none.
    for name in ["cookie", "x-access-token", "x-user-id", "petpro-service-token", "proxy-authorization"] {
        let request = world.http.get(world.url("/auth/me")).header(name, format!("Bearer {good}"));
        let answer = Answer::to(request).await;
        check_refusal(name, answer.status, &answer.body, &good);
        sent += 1;
    }
    for name in ["access_token", "token", "authorization"] {
        let request = world.http.get(world.url("/auth/me")).query(&[(name, &good)]);
        let answer = Answer::to(request).await;
        assert!([400, 401].contains(&answer.status), "{name} in the query: {answer:?}");
        sent += 1;
    }
    check_huge(world, &good).await;
    sent
}

fn wrong_headers(good: &str) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let bearer = format!("Bearer {good}");
    let one = |text: String| vec![text.into_bytes()];
    vec![
        ("two headers", vec![bearer.clone().into_bytes(), bearer.clone().into_bytes()]),
        ("a good header and a bad one", vec![bearer.clone().into_bytes(), b"Bearer x".to_vec()]),
        ("a good header and an empty one", vec![bearer.clone().into_bytes(), vec![]]),
        ("two tokens", one(format!("{bearer}, {bearer}"))),
        ("no scheme", one(good.to_owned())),
        ("nothing", one(String::new())),
        ("the scheme alone", one("Bearer".to_owned())),
        ("the scheme and a space", one("Bearer ".to_owned())),
        ("another scheme", one(format!("Basic {good}"))),
        ("a scheme that ends like ours", one(format!("XBearer {good}"))),
        ("a tab", one(format!("Bearer\t{good}"))),
        ("a colon", one(format!("Bearer: {good}"))),
        ("a parameter", one(format!("Bearer token=\"{good}\""))),
        ("no UTF-8", vec![b"Bearer \xff\xfe.\xc3\x28.\xf0\x9f".to_vec()]),
        ("no UTF-8 behind a good token", vec![[bearer.as_bytes(), b"\xff"].concat()]),
        ("other letters that look alike", one(format!("Bearer {}", good.replace('e', "е")))),
        ("as long as a header may be", one(format!("Bearer {}", "x".repeat(8_000)))),
    ]
}

/// Beyond what the head of a request may have there is no more than a bare 431, or a closed connection.
async fn check_huge(world: &World, good: &str) {
    for token in ["x".repeat(65_536), format!("{good}.{}", "A".repeat(65_536))] {
        let request = world.http.get(world.url("/auth/me")).header(AUTHORIZATION, format!("Bearer {token}"));
        if let Ok(answer) = request.send().await {
            assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
    }
}
