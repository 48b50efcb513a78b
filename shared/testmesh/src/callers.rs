//! The connections over which the tests ask.

use crate::Asker;
use identity::keys::Purpose;
use identity::{User, UserTokens, Verifier};
use platform::setup::{Host, Setup};
use platform::{Meta, Settings};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

const EDGE: &str = "edge";

/// One connection for each identity that asks, made when it first asks.
pub(crate) struct Callers {
    settings: Settings,
    connected: Mutex<HashMap<&'static str, Arc<Setup>>>,
}

impl Callers {
    pub(crate) fn new(settings: Settings) -> Callers {
        Callers { settings, connected: Mutex::default() }
    }

    pub(crate) async fn of(&self, name: &'static str) -> Arc<Setup> {
        let mut connected = self.connected.lock().await;
        if let Some(setup) = connected.get(name) {
            return setup.clone();
        }
        let host = Host::new(self.settings.clone()).unwrap();
        let setup = Arc::new(Setup::connect(&host, name).await.unwrap());
        connected.insert(name, setup.clone());
        setup
    }

    /// Over whose connection somebody asks, and the user token that goes along.
    pub(crate) async fn seat_of(&self, asker: &Asker) -> (Arc<Setup>, Option<Arc<str>>) {
        if let Asker::Service(name) = asker {
            return (self.of(name).await, None);
        }
        let edge = self.of(EDGE).await;
        let user = match asker {
            Asker::User(user) => Some(user.clone()),
            Asker::Token(token) => Some(Verifier::new(&edge.keys.registry(), EDGE).verify_access(token).unwrap()),
            Asker::Nobody | Asker::Service(_) => None,
        };
        let token = user.map(|user| user_token(&edge, &user));
        (edge, token)
    }
}

fn user_token(edge: &Setup, user: &User) -> Arc<str> {
    let key = edge.keys.signing_key(EDGE, Purpose::User).unwrap();
    UserTokens::new(key).issue(user, chrono::Utc::now()).into()
}

/// The circumstances of a request of a test.
pub(crate) fn meta() -> Meta {
    Meta::background("test")
}
