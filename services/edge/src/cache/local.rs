//! What is kept in this process.

use super::config::CacheConfig;
use super::entry::Entry;
use moka::notification::RemovalCause;
use moka::ops::compute::Op;
use moka::sync::Cache;
use prometheus::IntCounterVec;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// Longer requests are not kept: there is no end of what they may say.
const MAX_REQUEST_BYTES: usize = 512;
/// What an entry weighs beside its body, in bytes, or more.
const OVERHEAD: usize = 600;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The operation's subject.
    pub subject: &'static str,
    /// The request, JSON with its fields in order.
    pub request: Arc<str>,
}

impl Key {
    /// The key of a request. None where it is too long.
    pub fn of(subject: &'static str, request: &Value) -> Option<Key> {
        // Objects hold their fields in order.
        let request = with_plain_ids(request).to_string();
        (request.len() <= MAX_REQUEST_BYTES).then(|| Key { subject, request: request.into() })
    }
}

/// A request with its ids as everybody writes them. One id can be spelled in a million ways, each of which would otherwise
/// be asked for and kept, in Redis too, as if it were another one.
fn with_plain_ids(request: &Value) -> Cow<'_, Value> {
    let mut request = Cow::Borrowed(request);
    let fields = request.as_object().into_iter().flatten();
    let respelled: Vec<(String, String)> = fields
        .filter_map(|(name, value)| {
            let text = value.as_str()?;
            let plain = Uuid::try_parse(text).ok()?.to_string();
            (plain != text).then(|| (name.clone(), plain))
        })
        .collect();
    for (name, plain) in respelled {
        if let Some(value) = request.to_mut().get_mut(&name) {
            *value = Value::String(plain);
        }
    }
    request
}

/// The answers in memory.
pub struct Local(Cache<Key, Arc<Entry>>);

impl Local {
    /// Nothing is kept yet. What is dropped for want of room is counted by operation.
    pub fn new(config: &CacheConfig, evictions: IntCounterVec) -> Local {
        let weight = |_key: &Key, entry: &Arc<Entry>| u32::try_from(entry.body.len() + OVERHEAD).unwrap_or(u32::MAX);
        let count = move |key: Arc<Key>, _entry: Arc<Entry>, cause: RemovalCause| {
            if cause == RemovalCause::Size {
                evictions.with_label_values(&[key.subject]).inc();
            }
        };
        let cache = Cache::builder()
            .max_capacity(config.max_bytes)
            .weigher(weight)
            .time_to_live(config.longest())
            .eviction_listener(count);
        Local(cache.build())
    }

    /// What is kept for a key, however old.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.0.get(key)
    }

    /// Keeps an answer, unless what is kept is newer.
    pub fn put(&self, key: &Key, entry: &Arc<Entry>) {
        self.0.entry_by_ref(key).and_compute_with(|kept| match kept {
            Some(kept) if !entry.replaces(kept.value()) => Op::Nop,
            _ => Op::Put(entry.clone()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use prometheus::Opts;
    use serde_json::json;
    use std::time::Duration;
    use tokio::time::Instant;

    fn local(max_bytes: u64) -> (Local, IntCounterVec) {
        let evictions = IntCounterVec::new(Opts::new("evictions", "x"), &["operation"]).unwrap();
        (Local::new(&CacheConfig { max_bytes, ..CacheConfig::default() }, evictions.clone()), evictions)
    }

    fn entry(version: i64, since: Instant) -> Arc<Entry> {
        let body = Bytes::from(vec![b' '; 1_000]);
        Arc::new(Entry { body, version: Some(version), parts: Vec::new(), since, fetched: since })
    }

    #[test]
    fn a_key_is_the_request_whatever_the_order_of_its_fields() {
        let one = Key::of("x", &serde_json::from_str(r#"{ "a": 1, "b": 2 }"#).unwrap());
        assert_eq!(one, Key::of("x", &serde_json::from_str(r#"{ "b": 2, "a": 1 }"#).unwrap()));
        assert_ne!(one, Key::of("y", &json!({ "a": 1, "b": 2 })));
        assert_eq!(Key::of("x", &json!({ "a": "x".repeat(600) })), None);
    }

    #[test]
    fn an_id_has_one_key_however_it_is_spelled() {
        let key = |id: &str| Key::of("x", &json!({ "id": id, "text": "A" })).unwrap();
        let plain = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        let upper = plain.to_uppercase();
        let spellings =
            [upper.as_str(), &plain.replace('-', ""), &format!("{{{plain}}}"), &format!("urn:uuid:{upper}")];
        for spelling in spellings {
            assert_eq!(key(spelling), key(plain), "{spelling}");
        }
        assert_eq!(&*key(plain).request, format!(r#"{{"id":"{plain}","text":"A"}}"#));
        assert_ne!(key("0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"), key(plain));
        assert_ne!(key("ABC"), key("abc"), "what is no id is as it is written");
    }

    #[test]
    fn of_many_answers_that_come_at_once_the_newest_version_stays() {
        let (local, _) = local(10_000_000);
        let now = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let local = &local;
                scope.spawn(move || {
                    for number in 0..1_000_i64 {
                        let key = Key::of("x", &json!({ "id": number % 7 })).unwrap();
                        // A lower version that was asked for later, as an answer that was long on its way is.
                        let later = now + Duration::from_secs(u64::try_from(10_000 - number).unwrap());
                        local.put(&key, &entry(number * 8 + thread, later));
                        let kept = local.get(&key).unwrap().version.unwrap();
                        assert!(kept >= number * 8 + thread, "{kept} after {number}");
                    }
                });
            }
        });
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_dropped_is_counted() {
        let (local, evictions) = local(65_536);
        for number in 0..1_000 {
            local.put(&Key::of("x", &json!({ "id": number })).unwrap(), &entry(1, Instant::now()));
        }
        local.0.run_pending_tasks();
        assert!(local.0.weighted_size() <= 65_536);
        assert!(evictions.with_label_values(&["x"]).get() > 900);
    }
}
