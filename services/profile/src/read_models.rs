//! What other services' events tell, kept as read models. Any order of events leads to the same rows: the highest
//! version stays.

use crate::app::ProfileApp;
use std::sync::Arc;
use store::{Tx, memberships};
use subjects::Fault;
use subjects::vendor::{MembershipChanged, MembershipRevoked};

pub async fn membership_changed(_: Arc<ProfileApp>, tx: Tx, event: MembershipChanged) -> Result<(), Fault> {
    memberships::store(&tx, event.0).await
}

pub async fn membership_revoked(_: Arc<ProfileApp>, tx: Tx, event: MembershipRevoked) -> Result<(), Fault> {
    memberships::revoke(&tx, event.0).await
}
