//! Builds the models that were never built, beside everything else that the service does.

use super::models::Model;
use super::operators::build_page;
use super::page::Found;
use crate::store::{HasStore, Store};
use crate::within::within;
use platform::Run;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::time::Duration;
use subjects::Fault;
use uuid::Uuid;

/// How long a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the database may take to answer before it is asked anew.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked whether the replica is done that builds.
const TURN_PAUSE: Duration = Duration::from_secs(5);
/// The pause before a page that failed is tried again. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const TAKE_TURN: &str = "select pg_try_advisory_lock(hashtextextended('petpro read models ' || current_schema(), 0))";

/// Builds each model that was never built, once its owner answers, and says so. Ends when there is none left, or at
/// shutdown.
pub(crate) async fn build_what_never_was<A: HasStore>(run: Run<A>) {
    tokio::select! {
        () = run.shutdown.cancelled() => {}
        () = build_patiently(&run) => {}
    }
}

async fn build_patiently<A: HasStore>(run: &Run<A>) {
    let mut pause = FIRST_PAUSE;
    while let Err(error) = build_in_turn(run).await {
        tracing::warn!(error = format!("{error:#}"), "read models cannot be built right now, trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One replica at a time: the others find nothing left.
async fn build_in_turn<A: HasStore>(run: &Run<A>) -> anyhow::Result<()> {
    let store = run.app.store();
    if A::read_models().never_built(store).await?.is_empty() {
        return Ok(());
    }
    let mut session = within(DATABASE_TIMEOUT, connect(store), "no connection for building read models").await?;
    loop {
        let taking = sqlx::query_scalar(TAKE_TURN).fetch_one(&mut session);
        if within(DATABASE_TIMEOUT, taking, "asking for the turn to build read models").await? {
            break;
        }
        tokio::time::sleep(TURN_PAUSE).await;
    }
    let models = A::read_models();
    let mut waiting: Vec<Building<'_, A>> = models.never_built(store).await?.into_iter().map(Building::of).collect();
    for Building { model, .. } in &waiting {
        tracing::info!(
            read_model.name = model.name,
            read_model.owner = model.owner,
            "a read model was never built, it is built from its owner's snapshot"
        );
    }
    let mut pause = FIRST_PAUSE;
    while !waiting.is_empty() {
        // Where one owner is away, the models of the others are built all the same.
        let mut failed = Vec::new();
        for mut building in waiting {
            if let Err(fault) = building.go_on(run).await {
                building.tell_failure(&fault);
                failed.push(building);
            }
        }
        waiting = failed;
        if !waiting.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
    // The turn ends with the session.
    within(DATABASE_TIMEOUT, session.close(), "ending the turn to build read models").await
}

async fn connect(store: &Store) -> sqlx::Result<PgConnection> {
    let pool = store.read().get_postgres_connection_pool();
    let name = format!("petpro-{}-read-models", store.inner().service);
    PgConnection::connect_with(&pool.connect_options().as_ref().clone().application_name(&name)).await
}

/// A model that is being built.
struct Building<'a, A: HasStore> {
    model: &'a Model<A>,
    after: Option<Uuid>,
    has_failed: bool,
    total: Found,
}

impl<'a, A: HasStore> Building<'a, A> {
    fn of(model: &'a Model<A>) -> Building<'a, A> {
        Building { model, after: None, has_failed: false, total: Found::default() }
    }

    /// Builds from where it came to, to the end or to the first failure.
    async fn go_on(&mut self, run: &Run<A>) -> Result<(), Fault> {
        loop {
            let cx = run.cx("readModel.build", PAGE_TIMEOUT);
            let found = build_page(&cx, self.model, self.after).await?;
            self.total.examined += found.examined;
            self.total.missing += found.missing;
            self.total.stale += found.stale;
            self.total.surplus += found.surplus;
            if found.next.is_none() {
                let Found { examined, missing, stale, surplus, .. } = self.total;
                let name = self.model.name;
                tracing::info!(read_model.name = name, examined, missing, stale, surplus, "a read model is built");
                return Ok(());
            }
            self.after = found.next;
        }
    }

    fn tell_failure(&mut self, fault: &Fault) {
        let Model { name, owner, .. } = self.model;
        let error = fault as &dyn std::error::Error;
        if self.has_failed {
            tracing::debug!(read_model.name = name, error, "a read model cannot be built yet");
        } else {
            tracing::info!(read_model.name = name, read_model.owner = owner, error, "a read model cannot be built yet");
        }
        self.has_failed = true;
    }
}
