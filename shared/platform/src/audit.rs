//! The audit log, as far as requests have to do with it: which of them it keeps, and what it keeps of them.
//!
//! A request that is done is written down in the transaction that does it (the store sees to that). What is refused, fails
//! or only reads has none: it waits in a bounded queue for whoever writes it down, and nobody waits for that.

use crate::meta::Meta;
use identity::Caller;
use prometheus::IntCounter;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subjects::audit::{Audit, AuditOutcome};
use subjects::ids::{AuditEntryId, SessionId, UserId};
use subjects::{Fault, Operation};
use tokio::sync::Notify;
use uuid::Uuid;

/// How many rows may wait to be written down. It is reached only where the database is away or far too slow.
const MOST_WAITING: usize = 4_096;

/// An entry of the audit log on its way into the table; the field names are the columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    /// Its id, made when the request was taken up.
    pub id: AuditEntryId,
    /// The subject that was asked.
    pub operation: &'static str,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why it did not end well.
    pub reason: Option<Cow<'static, str>>,
    /// Who asked.
    pub actor_id: Option<UserId>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// Whom or what it was about.
    pub subject_id: Option<Uuid>,
    /// The service that asked or passed it on.
    pub via: Option<String>,
    /// Who has signed for the one who asked.
    pub signed_by: Option<String>,
    /// The network that the client was in.
    pub network: Option<String>,
    /// The id under which it was logged.
    pub correlation_id: String,
    /// What its handler has to say of it.
    pub details: Option<Value>,
}

/// A request that the audit log follows. Clones are the same request.
#[derive(Debug, Clone)]
pub struct Audited {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    audit: Audit,
    permitted: bool,
    row: Mutex<AuditRow>,
    written: AtomicBool,
}

impl Audited {
    pub(crate) fn new(operation: &Operation, caller: &Caller, meta: &Meta, subject_id: Option<Uuid>) -> Audited {
        let row = AuditRow {
            id: AuditEntryId::new(),
            operation: operation.subject,
            outcome: AuditOutcome::Done,
            reason: None,
            actor_id: caller.user.as_ref().map(|user| user.id),
            session_id: caller.user.as_ref().map(|user| user.session),
            subject_id,
            via: caller.service.clone(),
            signed_by: caller.signed_by.clone(),
            network: meta.client_address.as_deref().and_then(network),
            correlation_id: meta.correlation_id.clone(),
            details: None,
        };
        let (audit, permitted) = (operation.audit, caller.is_permitted());
        let inner = Inner { audit, permitted, row: Mutex::new(row), written: AtomicBool::new(false) };
        Audited { inner: Arc::new(inner) }
    }

    /// The row that is to be written down of a request that ends like this: with a refusal, or done. None: it is not kept
    /// then, or is written down already.
    pub fn row(&self, refusal: Option<&Fault>) -> Option<AuditRow> {
        let Inner { audit, permitted, written, .. } = &*self.inner;
        if written.load(Ordering::Relaxed) || !audit.keeps(*permitted, refusal.map(|fault| fault.code)) {
            return None;
        }
        let outcome = match refusal {
            None => AuditOutcome::Done,
            Some(fault) if fault.code.is_ours() => AuditOutcome::Failed,
            Some(_) => AuditOutcome::Refused,
        };
        let reason = refusal.map(|fault| fault.reason.clone());
        Some(AuditRow { outcome, reason, ..self.lock().clone() })
    }

    /// Says that the row was committed.
    pub fn mark_written(&self) {
        self.inner.written.store(true, Ordering::Relaxed);
    }

    pub(crate) fn concerns(&self, subject_id: Uuid) {
        self.lock().subject_id = Some(subject_id);
    }

    pub(crate) fn note(&self, details: Value) {
        self.lock().details = Some(details);
    }

    fn lock(&self) -> MutexGuard<'_, AuditRow> {
        self.inner.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows that wait to be written down. Clones are the same queue.
#[derive(Clone)]
pub struct AuditQueue {
    waiting: Arc<Mutex<VecDeque<AuditRow>>>,
    filled: Arc<Notify>,
    lost: IntCounter,
}

impl AuditQueue {
    pub(crate) fn new(lost: IntCounter) -> AuditQueue {
        AuditQueue { waiting: Arc::default(), filled: Arc::default(), lost }
    }

    /// Adds a row; where there is no room it is lost, which is counted and logged.
    pub(crate) fn push(&self, row: AuditRow) {
        let mut waiting = self.lock();
        if waiting.len() < MOST_WAITING {
            waiting.push_back(row);
            drop(waiting);
            self.filled.notify_one();
        } else {
            drop(waiting);
            self.lose(&[row]);
        }
    }

    /// The rows that have waited for the longest, as many at the most.
    pub fn take(&self, most: usize) -> Vec<AuditRow> {
        let mut waiting = self.lock();
        let count = most.min(waiting.len());
        waiting.drain(..count).collect()
    }

    /// Has rows wait again that could not be written down.
    pub fn put_back(&self, rows: Vec<AuditRow>) {
        let mut waiting = self.lock();
        for row in rows.into_iter().rev() {
            waiting.push_front(row);
        }
    }

    /// Gives rows up.
    pub fn lose(&self, rows: &[AuditRow]) {
        for row in rows {
            self.lost.inc();
            tracing::error!(
                operation = row.operation,
                correlation.id = row.correlation_id,
                user.id = row.actor_id.map(tracing::field::display),
                "an entry of the audit log was lost"
            );
        }
    }

    /// Waits until there may be rows.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<AuditRow>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The network of a client's address, as the edge tells it: enough to see that somebody was elsewhere than ever before,
/// and too little to see who it was.
fn network(address: &str) -> Option<String> {
    match address.split('/').next()?.parse().ok()? {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            Some(format!("{}/24", Ipv4Addr::new(first, second, third, 0)))
        }
        IpAddr::V6(address) => {
            let [first, second, third, ..] = address.segments();
            Some(format!("{}/48", Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::User;
    use subjects::{ErrorCode, Role, catalogue};

    fn audited(subject: &str, roles: &[Role]) -> Audited {
        let user = User { id: UserId::new(), session: SessionId::new(), roles: roles.to_vec() };
        let meta = Meta { client_address: Some("203.0.113.77".to_owned()), ..Meta::background(subject) };
        Audited::new(catalogue::find(subject).unwrap(), &Caller::of_user(user), &meta, None)
    }

    fn queue() -> AuditQueue {
        AuditQueue::new(IntCounter::new("lost", "Lost.").unwrap())
    }

    #[test]
    fn of_an_address_the_network_is_kept() {
        assert_eq!(network("203.0.113.77").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(network("2001:db8:1:2::/64").as_deref(), Some("2001:db8:1::/48"));
        assert_eq!(network("somewhere"), None);
    }

    #[test]
    fn a_row_tells_how_the_request_ended_and_is_written_once() {
        let approval = audited("vendor.approve", &[Role::PlatformAdmin]);
        let refusal = |code| Fault::new(code, "");
        assert_eq!(approval.row(None).map(|row| row.outcome), Some(AuditOutcome::Done));
        let row = approval.row(Some(&refusal(ErrorCode::Conflict))).unwrap();
        assert_eq!((row.outcome, row.reason.as_deref()), (AuditOutcome::Refused, Some("conflict")));
        assert_eq!(row.network.as_deref(), Some("203.0.113.0/24"));
        let failed = approval.row(Some(&refusal(ErrorCode::Unavailable))).unwrap();
        assert_eq!((failed.id, failed.outcome), (row.id, AuditOutcome::Failed));
        approval.mark_written();
        assert_eq!(approval.row(Some(&refusal(ErrorCode::DeadlineExceeded))), None);

        let tried = audited("vendor.approve", &[Role::Customer]);
        assert_eq!(tried.row(None), None);
        assert!(tried.row(Some(&refusal(ErrorCode::Forbidden))).is_some());
    }

    #[test]
    fn the_queue_is_bounded_and_keeps_the_order() {
        let queue = queue();
        let row = audited("auth.logout", &[]).row(None).unwrap();
        let rows = || (0..MOST_WAITING + 2).map(|_| AuditRow { id: AuditEntryId::new(), ..row.clone() });
        let pushed: Vec<AuditRow> = rows().inspect(|row| queue.push(row.clone())).collect();
        assert_eq!(queue.lost.get(), 2);
        let first = queue.take(2);
        assert_eq!(first, pushed[..2]);
        queue.put_back(first);
        assert_eq!(queue.take(usize::MAX), pushed[..MOST_WAITING]);
    }
}
