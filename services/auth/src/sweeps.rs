//! Removing what has expired.

use crate::AuthApp;
use crate::domain::brakes::FAMILIAR_FOR;
use crate::repo::{brakes, codes, familiar_addresses, login_attempts, refresh_tokens, sessions, users};
use chrono::TimeDelta;
use platform::Run;
use std::time::Duration;
use store::Error;
use subjects::time::Instant;

/// How long a session that is over can still be looked at.
const SESSION_RETENTION: TimeDelta = TimeDelta::days(7);
/// How long attempts to sign in are kept.
const ATTEMPT_RETENTION: TimeDelta = TimeDelta::days(30);

/// How long one-time codes are kept that can no longer be shown.
const CODE_RETENTION: TimeDelta = TimeDelta::hours(1);

/// Sweeps at intervals until the service drains. Every replica does; what one has removed the others do not find.
pub async fn expire(run: Run<AuthApp>) {
    let pause = Duration::from_secs(run.app.settings.sweep_seconds);
    loop {
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        sweep(&run.app, store::now()).await;
    }
}

/// Removes pending accounts that nobody activated, old sessions, tokens and attempts to sign in, and what is counted and
/// remembered of attempts no longer. Where one of these
/// fails the others are removed all the same.
async fn sweep(app: &AuthApp, now: Instant) {
    let db = app.store.read();
    report("pending accounts", users::remove_expired(db, now).await);
    report("sessions", sessions::remove_over_before(db, now - SESSION_RETENTION).await);
    report("refresh tokens", refresh_tokens::remove_expired_before(db, now).await);
    report("attempts to sign in", login_attempts::remove_before(db, now - ATTEMPT_RETENTION).await);
    report("counts of attempts", brakes::remove_forgotten(db, now).await);
    report("one-time codes", codes::remove_over_before(db, now - CODE_RETENTION).await);
    report("familiar addresses", familiar_addresses::remove_before(db, now - FAMILIAR_FOR).await);
}

fn report(swept: &str, outcome: Result<u64, Error>) {
    match outcome {
        Ok(0) => {}
        Ok(removed) => tracing::info!(swept, removed, "swept what had expired"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(swept, error, "a sweep failed and will be tried again");
        }
    }
}
