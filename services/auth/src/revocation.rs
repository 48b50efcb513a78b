//! Ending sessions, and telling it.

use crate::domain::users::last_token_expiry;
use crate::entity::session::RevocationReason;
use crate::repo::sessions::{self, Which};
use store::Tx;
use subjects::Fault;
use subjects::auth::{RevokedSession, SessionRevoked};
use subjects::ids::UserId;
use subjects::time::Instant;

/// Ends sessions of a user and tells every replica of every service, by an event for each.
///
/// # Errors
/// The database fails.
pub async fn end_sessions(
    tx: &Tx,
    user: UserId,
    which: Which,
    reason: RevocationReason,
    now: Instant,
) -> Result<(), Fault> {
    for session in sessions::revoke(tx, user, which, reason, now).await? {
        let revoked = RevokedSession {
            session_id: session.id,
            user_id: session.user_id,
            version: session.version,
            revoked_at: now,
            expires_at: last_token_expiry(now),
        };
        tx.emit(&SessionRevoked(revoked)).await?;
    }
    Ok(())
}
