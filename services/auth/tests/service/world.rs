//! A mesh with the auth service in it, and those who sign in there. The vendor service is the one that asks it.

use serde_json::{Value, json};
use std::ops::Deref;
use testmesh::{Asker, Mesh, PATIENCE, personal};

/// A password that nobody tries.
pub const PASSWORD: &str = personal::PASSWORD;

/// The service that makes accounts for the owners of vendors.
pub const VENDOR: Asker = Asker::Service("vendor");

pub struct World(Mesh);

impl Deref for World {
    type Target = Mesh;

    fn deref(&self) -> &Mesh {
        &self.0
    }
}

/// What a signed-in client holds, in JSON.
#[derive(Clone)]
pub struct SignedIn(pub Value);

impl SignedIn {
    pub fn access_token(&self) -> &str {
        self.0["accessToken"].as_str().unwrap()
    }

    pub fn refresh_token(&self) -> &str {
        self.0["refreshToken"].as_str().unwrap()
    }

    pub fn user(&self) -> &Value {
        &self.0["user"]
    }

    /// The client, who asks with its access token.
    pub fn asker(&self) -> Asker {
        Asker::Token(self.access_token().to_owned())
    }
}

impl World {
    /// With these settings of the service itself.
    pub async fn start(auth_settings: &str) -> World {
        let settings = format!("[auth]\n{auth_settings}");
        World(Mesh::of("auth").with(auth::service(), auth::app).settings(&settings).start().await)
    }

    /// Registers an account and answers it.
    pub async fn register(&self, email: &str) -> Value {
        let body = json!({
            "email": email, "password": PASSWORD, "firstName": personal::text("Sari"), "lastName": personal::text("Dewi"),
        });
        self.ask("auth.register", body).ok().await
    }

    /// Signs in with the usual password.
    pub async fn sign_in(&self, email: &str) -> SignedIn {
        SignedIn(self.ask("auth.login", json!({ "email": email, "password": PASSWORD })).ok().await)
    }

    /// Registers an account and signs in.
    pub async fn newcomer(&self, email: &str) -> SignedIn {
        self.register(email).await;
        self.sign_in(email).await
    }

    /// Somebody who runs the platform, signed in.
    pub async fn admin(&self) -> SignedIn {
        let wanted = auth::SeedUser {
            id: None,
            email: "admin@example.com".to_owned(),
            password: subjects::auth::NewPassword::new(PASSWORD),
            first_name: "Admin".to_owned(),
            last_name: None,
            roles: vec![subjects::Role::PlatformAdmin],
        };
        let passwords = auth::Passwords::new(1).unwrap();
        auth::ensure_user(self.database(), &passwords, wanted).await.unwrap();
        self.sign_in("admin@example.com").await
    }

    /// Waits until a token is refused because its session has ended.
    pub async fn until_signed_out(&self, signed_in: &SignedIn) {
        let refused = async {
            loop {
                let outcome = self.ask("auth.me", json!({})).by(&signed_in.asker()).send().await;
                match outcome {
                    Err(fault) if fault.reason == "session_revoked" => return,
                    Err(fault) => panic!("{fault}"),
                    Ok(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, refused).await.expect("the session goes on");
    }
}
