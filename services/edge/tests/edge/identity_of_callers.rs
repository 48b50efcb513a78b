//! Who a request is for is decided by the access token alone.

use crate::stack::{Answer, Stack, with_stack};
use identity::{KeyStore, ServiceTokens, User, UserTokens};
use serde_json::json;
use std::time::{Duration, Instant};
use subjects::Role;
use subjects::auth::{RevokedSession, SessionRevoked};
use subjects::ids::{SessionId, UserId, VendorId};

fn read(stack: &Stack) -> reqwest::RequestBuilder {
    stack.request("GET", &format!("/api/v1/vendors/{}", VendorId::new()))
}

fn reasons(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["reason"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_token_makes_the_user_and_nothing_else_does() {
    with_stack(async |stack| {
        let (user, token) = stack.user(&[Role::Customer]);
        let seen = Answer::to(read(stack).bearer_auth(token)).await.seen();
        assert_eq!(seen["user"], user.id.to_string());
        assert_eq!(seen["service"], "edge");

        // Headers that mean something inside the mesh, with tokens that would hold there.
        let keys: &KeyStore = &stack.host.keys;
        let forged_user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::PlatformAdmin] };
        let user_token = UserTokens::new(keys.signing_key("edge", identity::Purpose::User).unwrap())
            .issue(&forged_user, chrono::Utc::now());
        let service_token =
            ServiceTokens::new(keys.signing_key("booking", identity::Purpose::Service).unwrap()).for_audience("vendor");
        let forged = read(stack)
            .header("Petpro-Service-Token", service_token)
            .header("Petpro-User-Token", &user_token)
            .header("X-User-Id", forged_user.id.to_string())
            .header("Petpro-Cause", UserId::new().to_string());
        let seen = Answer::to(forged).await.seen();
        assert_eq!((seen["user"].is_null(), &seen["service"]), (true, &json!("edge")));

        // Nor does an internal token stand in for an access token.
        let refused = Answer::to(read(stack).bearer_auth(user_token)).await;
        assert_eq!(reasons(&refused), (401, "invalid_token".to_owned()));
    });
}

#[test]
fn services_are_told_where_a_client_is_as_the_edge_knows_it() {
    with_stack(async |stack| {
        let path = format!("/api/v1/vendors/{}", VendorId::new());
        let seen = async |put: reqwest::RequestBuilder, forwarded_for: &str| {
            let put = put.bearer_auth(stack.token(&[Role::Customer])).header("if-match", "\"7\"");
            let claimed = put.header("Petpro-Client-Address", "192.0.2.7").header("X-Forwarded-For", forwarded_for);
            Answer::to(claimed.json(&json!({ "name": "New", "kind": "shop" }))).await.seen()["clientAddress"].clone()
        };
        assert_eq!(seen(stack.request("PUT", &path), "198.51.100.1").await, "127.0.0.1");
        let proxied = stack.another_edge(|settings| settings.set("edge.trusted_proxies", ["127.0.0.0/8"])).await;
        assert_eq!(seen(proxied.request("PUT", &path), "192.0.2.7, 198.51.100.1").await, "198.51.100.1");
        assert_eq!(seen(proxied.request("PUT", &path), "2001:db8:1:2:3::4").await, "2001:db8:1:2::/64");
    });
}

#[test]
fn a_token_that_does_not_hold_is_refused_also_where_none_is_needed() {
    with_stack(async |stack| {
        let token = stack.token(&[Role::Customer]);
        let cut = &token[..token.len() - 4];
        for refused in [format!("Bearer {cut}AAAA"), "Bearer x".to_owned(), "Basic dTpw".to_owned()] {
            let answer = Answer::to(read(stack).header("authorization", refused)).await;
            assert_eq!(reasons(&answer), (401, "invalid_token".to_owned()));
            assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
        }
    });
}

#[test]
fn the_contract_says_who_may() {
    with_stack(async |stack| {
        let approve = || stack.request("POST", &format!("/api/v1/vendors/{}/approve", VendorId::new()));
        assert_eq!(reasons(&Answer::to(approve()).await), (401, "unauthenticated".to_owned()));
        let customer = stack.token(&[Role::Customer]);
        assert_eq!(reasons(&Answer::to(approve().bearer_auth(customer)).await), (403, "forbidden".to_owned()));
        let admin = stack.token(&[Role::PlatformAdmin]);
        assert_eq!(Answer::to(approve().bearer_auth(admin)).await.status, 200);
    });
}

#[test]
fn a_revoked_session_is_over_although_its_token_is_not() {
    with_stack(async |stack| {
        let (user, token) = stack.user(&[Role::Customer]);
        assert_eq!(Answer::to(read(stack).bearer_auth(&token)).await.status, 200);

        let now = chrono::Utc::now();
        let revoked = SessionRevoked(RevokedSession {
            session_id: user.session,
            user_id: user.id,
            version: 2,
            revoked_at: now,
            expires_at: now + chrono::Duration::minutes(15),
        });
        let subject = subjects::event::subject("session.revoked", user.session.into());
        let body = serde_json::to_vec(&revoked).unwrap();
        stack.auth.jetstream.publish(subject, body.into()).await.unwrap().await.unwrap();

        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = Answer::to(read(stack).bearer_auth(&token)).await;
            if answer.status == 401 {
                break;
            }
            assert!(Instant::now() < patience, "the edge has not heard of the revocation");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn two_operations_share_a_path_and_the_token_decides() {
    with_stack(async |stack| {
        let vendor = json!({ "name": "Paws", "kind": "clinic" });
        let signed_in = stack.request("POST", "/api/v1/vendors").bearer_auth(stack.token(&[Role::Customer]));
        let created = Answer::to(signed_in.json(&vendor)).await;
        assert_eq!((created.status, created.json()["name"].as_str()), (201, Some("Paws")));

        let owner = json!({ "email": "a@example.org", "password": "correct horse battery", "firstName": "Ayu" });
        let anonymous = stack.request("POST", "/api/v1/vendors");
        let registered = Answer::to(anonymous.json(&json!({ "name": "Paws", "kind": "clinic", "owner": owner }))).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        assert!(registered.json()["userId"].is_string());

        let without_owner = Answer::to(stack.request("POST", "/api/v1/vendors").json(&vendor)).await;
        assert_eq!(
            (without_owner.status, without_owner.json()["errors"][0]["pointer"].as_str()),
            (400, Some("/owner"))
        );
    });
}
