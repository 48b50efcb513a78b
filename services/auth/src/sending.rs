//! Has one-time codes sent.
//!
//! Whoever asks for a code is answered before anybody looks whether one is to be sent: the request does the same for an
//! account as for none. This task comes by a moment later and tells of those that have somebody to get them. The event
//! holds neither the code nor an address; the notification service asks `auth.codeToSend` for both.

use crate::AuthApp;
use crate::domain::code::code;
use crate::entity::one_time_code::Model;
use crate::handlers::Cx;
use crate::repo::codes;
use platform::Run;
use std::time::Duration;
use store::Tx;
use subjects::Fault;
use subjects::auth::{NotificationKind, NotificationRequested, RequestedNotification};
use subjects::ids::{NotificationId, UserId};

/// How many codes are told of in one transaction.
const AT_ONCE: u64 = 50;
/// How long that may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// After how long it is looked for codes that another replica has left.
const PAUSE: Duration = Duration::from_secs(5);

/// Tells of codes as they are asked for, until the service drains.
pub async fn run(run: Run<AuthApp>) {
    loop {
        if let Err(fault) = tell_all(&run).await {
            tracing::warn!(error = &fault as &dyn std::error::Error, "could not have codes sent");
        }
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            () = run.app.code_requested.notified() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn tell_all(run: &Run<AuthApp>) -> Result<(), Fault> {
    loop {
        let cx = run.cx("auth.sendCodes", TIMEOUT);
        let told: Vec<Model> = cx.app.store.write(&cx, |tx| async move { tell_some(&tx).await }).await?;
        for row in &told {
            show(&cx, row)?;
        }
        if u64::try_from(told.len()).unwrap_or(u64::MAX) < AT_ONCE || run.shutdown.is_cancelled() {
            return Ok(());
        }
    }
}

async fn tell_some(tx: &Tx) -> Result<Vec<Model>, Fault> {
    let now = store::now();
    let rows = codes::take_untold(tx, now, AT_ONCE).await?;
    for row in rows.iter().filter(|row| row.expires_at > now) {
        if let Some(user_id) = row.user_id {
            tx.emit(&NotificationRequested(notification(row, user_id))).await?;
        }
    }
    Ok(rows)
}

fn notification(row: &Model, user_id: UserId) -> RequestedNotification {
    RequestedNotification {
        notification_id: NotificationId(row.id.0),
        version: 1,
        user_id,
        kind: NotificationKind::OneTimeCode,
        code_id: row.id,
        purpose: row.purpose,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}

/// For whoever tries the platform out, who has nobody else to tell them. Without the address: logs hold none.
fn show(cx: &Cx, row: &Model) -> Result<(), Fault> {
    let Some(user_id) = row.user_id.filter(|_| cx.app.settings.show_codes_in_log) else { return Ok(()) };
    let code = code(&cx.app.keyed_hash, row.id, &row.nonce)?;
    tracing::info!(
        code.id = %row.id,
        user.id = %user_id,
        purpose = ?row.purpose,
        code = code.expose(),
        "a one-time code, shown because PETPRO_AUTH__SHOW_CODES_IN_LOG is on"
    );
    Ok(())
}
