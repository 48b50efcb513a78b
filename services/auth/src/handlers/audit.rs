//! The audit log of all services, put together: each is asked for the entries that it keeps.

use super::Cx;
use crate::AuthApp;
use platform::{App as _, Calls};
use std::cmp::Reverse;
use subjects::audit::{
    AuditEntry, AuditFilter, AuditQuestion, AuditedService, FindAuditEntries, FindAuditEntriesOfBooking,
    FindAuditEntriesOfCatalog, FindAuditEntriesOfProfile, FindAuditEntriesOfVendor,
};
use subjects::ids::AuditEntryId;
use subjects::paging::DEFAULT_LIMIT;
use subjects::{NoError, Page};

/// `audit.findAll`. Ids grow with time in all services alike, so one place serves for the lists of all of them.
pub async fn find_all(cx: Cx, req: FindAuditEntries) -> Result<Page<AuditEntry>, NoError> {
    let FindAuditEntries { actor_id, subject_id, operation, outcome, from, until, service, limit, cursor } = req;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let asked = &Asked {
        cx: &cx,
        filter: AuditFilter { actor_id, subject_id, operation, outcome, from, until },
        before: store::cursor::decode(cursor.as_deref())?,
        one_more: limit + 1,
        service,
    };
    let (own, profile, vendor, booking, catalog) = tokio::try_join!(
        asked.own(),
        asked.of::<FindAuditEntriesOfProfile>(AuditedService::Profile),
        asked.of::<FindAuditEntriesOfVendor>(AuditedService::Vendor),
        asked.of::<FindAuditEntriesOfBooking>(AuditedService::Booking),
        asked.of::<FindAuditEntriesOfCatalog>(AuditedService::Catalog),
    )?;
    let mut entries = [own, profile, vendor, booking, catalog].concat();
    entries.sort_unstable_by_key(|entry| Reverse(entry.id));
    Ok(store::page(entries, limit, |last| last.id))
}

struct Asked<'a> {
    cx: &'a Cx,
    filter: AuditFilter,
    before: Option<AuditEntryId>,
    /// Than a page has, of each service: any of them may have all of the page.
    one_more: u16,
    service: Option<AuditedService>,
}

impl Asked<'_> {
    fn leaves_out(&self, service: AuditedService) -> bool {
        self.service.is_some_and(|only| only != service)
    }

    async fn own(&self) -> Result<Vec<AuditEntry>, NoError> {
        if self.leaves_out(AuditedService::Auth) {
            return Ok(Vec::new());
        }
        let db = self.cx.app.store.read();
        let found = store::audit::find(db, AuthApp::NAME, &self.filter, self.before, self.one_more).await;
        Ok(found.map_err(subjects::Fault::from)?)
    }

    async fn of<Q: AuditQuestion>(&self, service: AuditedService) -> Result<Vec<AuditEntry>, NoError>
    where
        AuthApp: Calls<Q>,
    {
        if self.leaves_out(service) {
            return Ok(Vec::new());
        }
        self.cx.call(&Q::new(self.filter.clone(), self.before, self.one_more)).await
    }
}
