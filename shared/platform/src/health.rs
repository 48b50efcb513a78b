//! Whether a process may be sent work.

use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A check that says what is wrong, if anything.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// No check may take longer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The health of a process: each service says whether it is ready, and parts that it needs can be asked.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    ready: BTreeMap<String, bool>,
    checks: BTreeMap<String, Check>,
}

impl Health {
    /// Says whether a service takes requests. A service that was named once counts until the end.
    pub fn set_ready(&self, service: &str, ready: bool) {
        self.lock().ready.insert(service.to_owned(), ready);
    }

    /// Adds something that can be asked, for example `booking.postgres`.
    pub fn add_check(&self, name: &str, check: Check) {
        self.lock().checks.insert(name.to_owned(), check);
    }

    /// What is wrong, by name; `ok` where nothing is. All checks run at once, each for 2 s at the most.
    pub async fn report(&self) -> BTreeMap<String, String> {
        let (ready, checks) = {
            let inner = self.lock();
            (inner.ready.clone(), inner.checks.clone())
        };
        let asked = checks.into_iter().map(|(name, check)| async move {
            let state = match tokio::time::timeout(CHECK_TIMEOUT, check()).await {
                Ok(Ok(())) => "ok".to_owned(),
                Ok(Err(problem)) => problem,
                Err(_elapsed) => "no answer".to_owned(),
            };
            (name, state)
        });
        let mut report: BTreeMap<String, String> = futures::future::join_all(asked).await.into_iter().collect();
        for (service, ready) in ready {
            report.insert(service, if ready { "ok".to_owned() } else { "not ready".to_owned() });
        }
        report
    }

    /// Whether every service of the process takes requests.
    pub fn all_ready(&self) -> bool {
        let inner = self.lock();
        !inner.ready.is_empty() && inner.ready.values().all(|ready| *ready)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
