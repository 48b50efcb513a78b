//! Removing what has expired.

use crate::AuthApp;
use crate::clock;
use crate::repo::{login_attempts, refresh_tokens, sessions, users};
use chrono::TimeDelta;
use platform::Run;
use std::time::Duration;
use store::Error;
use subjects::time::Instant;

/// How long a session that is over can still be looked at.
const SESSION_RETENTION: TimeDelta = TimeDelta::days(7);
/// How long attempts to sign in are kept.
const ATTEMPT_RETENTION: TimeDelta = TimeDelta::days(30);

/// Sweeps at intervals until the service drains. Every replica does; what one has removed the others do not find.
pub async fn expire(run: Run<AuthApp>) {
    let pause = Duration::from_secs(run.app.settings.sweep_seconds);
    loop {
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = sweep(&run.app, clock::now()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the sweep failed and will be tried again");
        }
    }
}

/// Removes pending accounts that nobody activated, and old sessions, tokens and attempts to sign in.
///
/// # Errors
/// The database fails; what was removed stays removed.
pub async fn sweep(app: &AuthApp, now: Instant) -> Result<(), Error> {
    let db = app.store.read();
    let removed_users = users::remove_expired(db, now).await?;
    let removed_sessions = sessions::remove_over_before(db, now - SESSION_RETENTION).await?;
    let removed_tokens = refresh_tokens::remove_expired_before(db, now).await?;
    let removed_attempts = login_attempts::remove_before(db, now - ATTEMPT_RETENTION).await?;
    if removed_users + removed_sessions + removed_tokens + removed_attempts > 0 {
        tracing::info!(removed_users, removed_sessions, removed_tokens, removed_attempts, "swept what had expired");
    }
    Ok(())
}
