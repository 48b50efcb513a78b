//! Gets an answer from Redis or from its service, and keeps it.

use super::config::CacheConfig;
use super::entry::Entry;
use super::heard::Heard;
use super::local::{Key, Local};
use super::shared::{SharedCache, Ticket};
use super::things::Recipe;
use crate::context::Context;
use bytes::Bytes;
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::{Client, Meta};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use subjects::{Fault, Operation};
use tokio::time::Instant;

/// All that fetching needs.
pub struct Fetcher {
    /// Calls to services.
    pub client: Client,
    /// How long a call may take.
    pub call_timeout: Duration,
    /// What is kept in this process.
    pub local: Local,
    /// What has been heard.
    pub heard: Heard,
    /// What is kept in Redis, where there is one.
    pub shared: Option<SharedCache>,
    /// How long answers are kept.
    pub config: CacheConfig,
}

/// What was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The answer.
    pub entry: Arc<Entry>,
    /// Whether it was kept in Redis.
    pub is_shared: bool,
}

/// A call to a service for nobody in particular.
pub struct Call {
    body: Result<Bytes, Fault>,
    meta: Meta,
}

impl Call {
    /// The call that a request leads to, under the request's own correlation id.
    pub fn new(operation: &Operation, request: &Value, context: &Context) -> Call {
        let meta = Meta {
            correlation_id: context.correlation_id.clone(),
            traceparent: Some(context.traceparent.clone()),
            subject: operation.subject.to_owned(),
            ..Meta::default()
        };
        Call { body: serde_json::to_vec(request).map(Bytes::from).map_err(Fault::internal), meta }
    }
}

impl Fetcher {
    /// Fetches an answer; whatever Redis has, from the service where `is_direct`.
    ///
    /// # Errors
    /// What the service refuses, or why it could not be asked.
    pub async fn fetch(
        self: Arc<Fetcher>,
        key: Key,
        recipe: Arc<Recipe>,
        call: Call,
        is_direct: bool,
    ) -> Result<Fetched, Fault> {
        let mut ticket = None;
        if let Some(shared) = &self.shared {
            let asked = Instant::now();
            if let Some(found) = shared.read(&key).await {
                ticket = Some(found.ticket);
                let entry = found.kept.and_then(|(body, left)| self.take(&recipe, body, left, asked));
                // This process may have seen a version of which nobody has been told yet.
                let seen = self.local.get(&key);
                let is_older = |entry: &Arc<Entry>| seen.as_ref().is_some_and(|seen| !entry.replaces(seen));
                if let Some(entry) = entry.filter(|entry| !is_older(entry)) {
                    self.local.put(&key, &entry);
                    if !is_direct && self.is_fresh(&entry) {
                        return Ok(Fetched { entry, is_shared: true });
                    }
                }
            }
        }
        let entry = self.ask(&recipe, call).await?;
        if !entry.parts.is_empty() {
            self.local.put(&key, &entry);
            if let Some(ticket) = ticket
                && self.heard.is_current(&entry.parts, entry.since)
            {
                let (fetcher, entry) = (self.clone(), entry.clone());
                // Whoever waits for the answer need not wait for this.
                tokio::spawn(async move { fetcher.share(&key, &ticket, &entry).await });
            }
        }
        Ok(Fetched { entry, is_shared: false })
    }

    /// Whether an answer is what the service would answer now, as far as events tell.
    pub fn is_fresh(&self, entry: &Entry) -> bool {
        entry.fetched.elapsed() < self.config.ttl() && self.is_unspoken(entry)
    }

    /// Whether an answer may be given where its service is away: nothing is known against it, and it is not too old.
    pub fn may_stand_in(&self, entry: &Entry) -> bool {
        self.config.stale_ms > 0 && entry.fetched.elapsed() < self.config.longest() && self.is_unspoken(entry)
    }

    /// Whether no event speaks against an answer.
    fn is_unspoken(&self, entry: &Entry) -> bool {
        !entry.parts.is_empty() && self.heard.is_current(&entry.parts, entry.since)
    }

    /// An answer that Redis had when it was asked. None where this process has heard of one of its parts what Redis may
    /// not have known then.
    fn take(&self, recipe: &Recipe, body: Bytes, left: Duration, asked: Instant) -> Option<Arc<Entry>> {
        let age = self.config.longest().saturating_sub(left);
        let entry = Entry::read(recipe, body, asked, asked.checked_sub(age)?);
        let is_known = !entry.parts.is_empty() && self.heard.were_told_before(&entry.parts, asked);
        is_known.then(|| Arc::new(entry))
    }

    async fn ask(&self, recipe: &Recipe, call: Call) -> Result<Arc<Entry>, Fault> {
        let began = Instant::now();
        let raw = RawCall {
            content_type: ContentType::Json,
            body: call.body?,
            user_token: None,
            deadline: began + self.call_timeout,
            meta: &call.meta,
        };
        let reply = self.client.resending().request_raw(recipe.subject, raw).await?;
        // What comes from the connection is a part of a larger piece of memory, which would be kept with it.
        let body = Bytes::copy_from_slice(&reply.body);
        Ok(Arc::new(Entry::read(recipe, body, began, began)))
    }

    async fn share(&self, key: &Key, ticket: &Ticket, entry: &Entry) {
        let left = self.config.longest().saturating_sub(entry.fetched.elapsed());
        if let Some(shared) = &self.shared {
            shared.write(key, ticket, entry, left).await;
        }
    }
}
