//! Answers that are kept and shared: in this process, and before a service is asked, in Redis.
//!
//! Only what is answered to somebody who is not signed in is kept, and only of the operations of which the contract says
//! that everybody who gets an answer gets that one. An answer is used only if its service was asked after the last event
//! of each thing that it is made of, and only while this process hears every event: see [`heard`] and [`shared`].

pub mod config;
mod entry;
mod fetch;
mod flights;
mod follow;
mod heard;
mod local;
mod metrics;
pub mod minimum_version;
pub(crate) mod shared;
pub mod status;
mod things;

use crate::forward::{self, Answer, Conditions};
use crate::identify::Identified;
use crate::limits::config::RedisConfig;
use config::CacheConfig;
use entry::Entry;
use fetch::{Call, Fetched, Fetcher};
use flights::{Flight, Flights};
use heard::Heard;
use local::{Key, Local};
use metrics::CacheMetrics;
use platform::{App, Client, Run};
use prometheus::Registry;
use serde_json::Value;
use shared::SharedCache;
use status::{Status, Told};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use subjects::{ErrorCode, Fallback, Fault, Operation, catalogue};
use things::Recipe;
pub use things::followed;
use tokio::time::Instant;

/// How often what was heard is looked through for what may be forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// The cache of one edge.
pub struct Cache {
    config: CacheConfig,
    recipes: HashMap<&'static str, Arc<Recipe>>,
    fetcher: Arc<Fetcher>,
    flights: Arc<Flights<Fetched>>,
    metrics: CacheMetrics,
}

/// A request whose answer may be kept.
pub struct Asked<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The message.
    pub request: &'a Value,
    /// Who asks.
    pub identified: Identified,
    /// The version below which they do not want to see it.
    pub minimum_version: Option<i64>,
    /// The request's own circumstances.
    pub context: &'a crate::context::Context,
}

/// A request with all that it is held against.
struct Wish<'a> {
    key: &'a Key,
    recipe: &'a Arc<Recipe>,
    minimum_version: Option<i64>,
    asked: Instant,
}

impl Cache {
    /// An empty cache as the sections `edge.cache` and `redis` say, before the services that `client` calls.
    ///
    /// # Errors
    /// Metrics that another edge of this process has, or an address of Redis that is none.
    pub fn new(
        config: &CacheConfig,
        redis: &RedisConfig,
        client: Client,
        call_timeout: Duration,
        registry: &Registry,
    ) -> anyhow::Result<Cache> {
        let metrics = CacheMetrics::register(registry)?;
        let entities = followed().into_iter().map(|(_, entity)| entity);
        let shared = if config.enabled { SharedCache::new(redis, config, metrics.is_shared.clone())? } else { None };
        let fetcher = Fetcher {
            client,
            call_timeout,
            local: Local::new(config, metrics.evictions.clone()),
            heard: Heard::new(entities, config.longest() + Duration::from_secs(60)),
            shared,
            config: config.clone(),
        };
        let recipes = catalogue::operations().filter(|_| config.enabled).filter_map(Recipe::of);
        Ok(Cache {
            config: config.clone(),
            recipes: recipes.map(|recipe| (recipe.subject, Arc::new(recipe))).collect(),
            fetcher: Arc::new(fetcher),
            flights: Flights::new(),
            metrics,
        })
    }

    /// Listens to events and keeps Redis told, until the edge leaves.
    pub async fn run<A: App>(&self, run: &Run<A>) {
        if !self.config.enabled {
            return run.shutdown.cancelled().await;
        }
        let heard = &self.fetcher.heard;
        let tell = async {
            match &self.fetcher.shared {
                Some(shared) => shared.keep_told(heard).await,
                None => std::future::pending().await,
            }
        };
        let forget = async {
            loop {
                tokio::time::sleep(FORGET_EVERY).await;
                heard.forget(Instant::now());
            }
        };
        let work = async { tokio::join!(follow::follow(run, heard, &self.metrics.events), tell, forget) };
        run.shutdown.run_until_cancelled(work).await;
    }

    /// The answer to a request: kept, or from the service.
    ///
    /// # Errors
    /// What the service refuses, or why it could not be asked where nothing is kept that may stand in.
    pub async fn answer(&self, asked: Asked<'_>) -> Result<Answer, Fault> {
        let recipe = self.recipes.get(asked.operation.subject);
        let key = recipe.and_then(|recipe| Key::of(recipe.subject, asked.request));
        let (Some(recipe), Some(key)) = (recipe, key) else { return self.ask_personally(asked).await };
        let wish = Wish { key: &key, recipe, minimum_version: asked.minimum_version, asked: Instant::now() };
        match self.public_answer(&wish, &asked).await {
            Err(refusal) if !refusal.code.is_ours() && asked.identified.caller.user.is_some() => {
                self.metrics.answered(recipe.subject, Status::Personal);
                let told = Told { status: Status::Personal, is_collapsed: false, age: None };
                let answer = self.ask_personally(asked).await?;
                Ok(Answer { cache: Some(told), ..answer })
            }
            Ok((entry, told)) => {
                self.metrics.answered(recipe.subject, told.status);
                let fallback = (told.status == Status::StaleHit).then_some(Fallback::StaleCache);
                if let Some(fallback) = fallback {
                    self.fetcher.client.fell_back(recipe.subject, fallback);
                }
                Ok(Answer { body: entry.body.clone(), replayed: false, fallback, cache: Some(told) })
            }
            Err(fault) => Err(fault),
        }
    }

    async fn ask_personally(&self, asked: Asked<'_>) -> Result<Answer, Fault> {
        let Asked { operation, request, identified, context, .. } = asked;
        let unconditional = Conditions { idempotency_key: None, expected_version: None };
        forward::call(&self.fetcher.client, operation, request, identified, unconditional, context).await
    }

    /// What anybody is answered.
    async fn public_answer(&self, wish: &Wish<'_>, asked: &Asked<'_>) -> Result<(Arc<Entry>, Told), Fault> {
        let kept = self.fetcher.local.get(wish.key);
        let hears = self.hears(wish.recipe);
        let why = match &kept {
            Some(entry) if !entry.satisfies(wish.minimum_version) => Status::TooOldForRequest,
            Some(entry) if hears && self.fetcher.is_fresh(entry) => return Ok(self.tell(entry, Status::Hit)),
            Some(_) => Status::Outdated,
            None => Status::Miss,
        };
        // Where there is something to fall back on, nobody waits for the service for as long as they might.
        let patience = match kept.is_some_and(|entry| self.may_stand_in(&entry, wish)) {
            true => asked.context.deadline.min(wish.asked + self.config.stale_after()),
            false => asked.context.deadline,
        };
        // What others have begun to fetch is taken where it is shown to be new. Otherwise the service is asked: what was
        // asked for after the request came is as new as any answer to it can be.
        for is_direct in [!hears, true] {
            let (flight, is_collapsed) = self.board(wish, asked, is_direct);
            let is_late = flight.began < wish.asked;
            match tokio::time::timeout_at(patience, flight.outcome).await {
                Ok(Ok(fetched)) => {
                    let is_truth = !is_late && !fetched.is_shared;
                    let is_new = self.hears(wish.recipe)
                        && self.fetcher.is_fresh(&fetched.entry)
                        && fetched.entry.satisfies(wish.minimum_version);
                    if is_truth || is_new {
                        let status = if fetched.is_shared { Status::SharedHit } else { why };
                        let (entry, told) = self.tell(&fetched.entry, status);
                        return Ok((entry, Told { is_collapsed, ..told }));
                    }
                }
                Ok(Err(refusal)) if !refusal.code.is_ours() => {
                    if !is_late {
                        return Err(refusal);
                    }
                }
                Ok(Err(trouble)) => match self.stand_in(wish, trouble) {
                    // The time of whoever began it is over; there is some left of this request's.
                    Err(trouble) if is_late && trouble.code == ErrorCode::DeadlineExceeded => {}
                    outcome => return outcome,
                },
                Err(_elapsed) => return self.stand_in(wish, Fault::deadline_exceeded()),
            }
        }
        // What was asked for directly began after the request came, and so is its answer or refusal.
        Err(Fault::internal("a direct answer was not taken"))
    }

    /// Joins what is being fetched, or begins to fetch.
    fn board(&self, wish: &Wish<'_>, asked: &Asked<'_>, is_direct: bool) -> (Flight<Fetched>, bool) {
        let fits = |flight: &Flight<Fetched>| !is_direct || (flight.is_direct && flight.began >= wish.asked);
        let fetch = || {
            let call = Call::new(asked.operation, asked.request, asked.context);
            self.fetcher.clone().fetch(wish.key.clone(), wish.recipe.clone(), call, is_direct)
        };
        self.flights.join(wish.key, is_direct, fits, fetch)
    }

    /// What is kept although it may be old, or else the trouble.
    fn stand_in(&self, wish: &Wish<'_>, trouble: Fault) -> Result<(Arc<Entry>, Told), Fault> {
        let kept = self.fetcher.local.get(wish.key).filter(|entry| self.may_stand_in(entry, wish));
        kept.map(|entry| self.tell(&entry, Status::StaleHit)).ok_or(trouble)
    }

    /// Whether every event that makes such an answer old would have been heard by now.
    fn hears(&self, recipe: &Recipe) -> bool {
        self.fetcher.heard.follows(recipe.entities(), Instant::now())
    }

    fn may_stand_in(&self, entry: &Entry, wish: &Wish<'_>) -> bool {
        self.fetcher.may_stand_in(entry) && entry.satisfies(wish.minimum_version)
    }

    fn tell(&self, entry: &Arc<Entry>, status: Status) -> (Arc<Entry>, Told) {
        let is_kept = matches!(status, Status::Hit | Status::SharedHit | Status::StaleHit);
        let age = is_kept.then(|| entry.fetched.elapsed());
        (entry.clone(), Told { status, is_collapsed: false, age })
    }
}
