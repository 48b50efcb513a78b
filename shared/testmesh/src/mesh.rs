//! The mesh of one test.

use crate::ask::Ask;
use crate::builder::MeshBuilder;
use crate::callers::Callers;
use crate::events::Events;
use crate::{PATIENCE, callers};
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Cx, Service, Settings};
use sea_orm::DatabaseConnection;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use subjects::{Event, event};
use testkit::{Leaks, Nats};
use uuid::Uuid;

/// The mesh of one test, with the service that is tested and those that stand in for others.
pub struct Mesh {
    /// First, so that it looks while the others are there.
    pub(crate) _leaks: Leaks,
    pub(crate) tested: &'static str,
    pub(crate) settings: Settings,
    pub(crate) callers: Arc<Callers>,
    pub(crate) database: DatabaseConnection,
    pub(crate) operator: async_nats::Client,
    /// Behind a lock that nobody takes, so that tasks on other threads may have the mesh.
    pub(crate) _running: Mutex<Vec<Running>>,
    // Last, so that it is there for as long as the others are.
    pub(crate) nats: Nats,
}

impl Mesh {
    /// A mesh for the tests of this service.
    pub fn of(tested: &'static str) -> MeshBuilder {
        MeshBuilder::new(tested)
    }

    /// A request of nobody in particular, through the edge.
    pub fn ask(&self, subject: &str, body: Value) -> Ask {
        Ask::new(self.callers.clone(), subject, body)
    }

    /// Tells an event as the relay of its service does, and waits until its stream has it. Who hears of it does so a
    /// moment later: see [`Mesh::until_query`].
    pub async fn tell<E: Event>(&self, event: &E) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", Uuid::now_v7().to_string().as_str());
        let subject = event::subject(E::TYPE, event.aggregate_id());
        let body = serde_json::to_vec(event).unwrap();
        let teller = self.callers.of(E::SERVICE).await;
        let stored = teller.jetstream.publish_with_headers(subject, headers, body.into()).await.unwrap();
        stored.await.unwrap();
    }

    /// Listens to the events of what is written from now on: those of before are published first.
    pub async fn listen(&self) -> Events {
        self.until_outbox_is_empty().await;
        let subscriber = self.operator.subscribe("event.>").await.unwrap();
        self.operator.flush().await.unwrap();
        Events::of(subscriber)
    }

    /// One more instance of a service, for as long as the test keeps it: of the one that is tested, for races, or of one
    /// that [`MeshBuilder::knowing`] has named.
    pub async fn start_another<A, Open>(&self, service: Service<A>, open: Open) -> Running
    where
        A: App,
        Open: AsyncFnOnce(&Setup) -> anyhow::Result<A>,
    {
        let setup = Setup::connect(&self.host(), A::NAME).await.unwrap();
        let app = open(&setup).await.unwrap();
        runtime::start(setup, service, app).await.unwrap()
    }

    /// A context for work of a service itself, a sweep for example, without an instance that takes requests.
    pub async fn own_cx<A, Open>(&self, open: Open) -> Cx<A>
    where
        A: App,
        Open: AsyncFnOnce(&Setup) -> anyhow::Result<A>,
    {
        let setup = self.callers.of(A::NAME).await;
        let app = Arc::new(open(&setup).await.unwrap());
        setup.cx(app, &callers::meta().subject, PATIENCE)
    }

    /// A connection under this identity, over which the tests ask, too.
    pub async fn setup(&self, identity: &'static str) -> Arc<Setup> {
        self.callers.of(identity).await
    }

    /// A host of its own, as a process would have.
    pub fn host(&self) -> Host {
        Host::new(self.settings.clone()).unwrap()
    }

    /// What all services of this mesh are started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The nats-server.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// The operator's connection: it may ask every service and listen to every event.
    pub fn operator(&self) -> &async_nats::Client {
        &self.operator
    }
}
