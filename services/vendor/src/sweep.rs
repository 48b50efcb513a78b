//! Registrations that a crash left standing are finished, or given up.

use crate::entity::registration::RegistrationStep;
use crate::handlers::registration;
use crate::repo::registrations::{self, FORGET_LIMIT, Finished};
use crate::{Cx, VendorApp};
use chrono::TimeDelta;
use platform::Run;
use std::time::Duration;
use subjects::Fault;
use subjects::vendor::VendorError;
use tokio::time::MissedTickBehavior;

/// How often.
const EVERY: Duration = Duration::from_secs(10);
/// How long one round may take.
const ROUND_TIMEOUT: Duration = Duration::from_secs(30);
/// After this a registration without a vendor is given up: whoever asked for it is long gone.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::seconds(60);
/// After this a registration with a vendor is finished for whoever asked for it.
const FINISH_AFTER: TimeDelta = TimeDelta::seconds(15);
/// How often what is long finished is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// How long finished registrations answer for their idempotency key.
const REMEMBER_DONE_FOR: TimeDelta = TimeDelta::days(35);
/// How long failed ones do.
const REMEMBER_FAILED_FOR: TimeDelta = TimeDelta::hours(24);

/// Sweeps until the service stops. Every step may be repeated, so replicas need not agree on who does it.
pub async fn registrations(run: Run<VendorApp>) {
    let mut rounds = tokio::time::interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut hours = tokio::time::interval(FORGET_EVERY);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outcome = tokio::select! {
            () = run.shutdown.cancelled() => return,
            _ = rounds.tick() => sweep_once(&run.cx("vendor.register.sweep", ROUND_TIMEOUT)).await,
            _ = hours.tick() => forget_finished(&run.cx("vendor.register.forget", ROUND_TIMEOUT)).await,
        };
        if let Err(fault) = outcome {
            tracing::warn!(error.code = fault.code.as_str(), error = ?fault.source, "the sweep of registrations failed");
        }
    }
}

/// One round: gives up what stands without a vendor, and finishes what has one.
///
/// # Errors
/// Those of the database; a registration that cannot be finished now is left for the next round.
pub async fn sweep_once(cx: &Cx) -> Result<(), Fault> {
    let now = store::now();
    give_up(cx, GIVE_UP_AFTER).await?;
    for row in
        registrations::standing_since(cx.app.store.read(), RegistrationStep::VendorCreated, now - FINISH_AFTER).await?
    {
        match registration::finish(cx, &row).await {
            Ok(()) => tracing::info!(registration.id = %row.id, vendor.id = %row.vendor_id, "finished a registration"),
            Err(VendorError::RegistrationFailed) => {
                tracing::info!(registration.id = %row.id, vendor.id = %row.vendor_id, "took a registration back");
            }
            // The next round tries again.
            Err(error) => tracing::warn!(registration.id = %row.id, %error, "a registration could not be finished"),
        }
    }
    Ok(())
}

/// Forgets what is long finished, a batch a transaction: done ones after 35 days, failed ones after 24 hours.
///
/// # Errors
/// Those of the database; what is left is forgotten the next time.
pub async fn forget_finished(cx: &Cx) -> Result<(), Fault> {
    for (finished, remember_for) in [(Finished::Done, REMEMBER_DONE_FOR), (Finished::Failed, REMEMBER_FAILED_FOR)] {
        let before = store::now() - remember_for;
        loop {
            let forget = |tx| async move { Ok::<u64, Fault>(registrations::forget(&tx, finished, before).await?) };
            if cx.app.store.write(cx, forget).await? < FORGET_LIMIT {
                break;
            }
        }
    }
    Ok(())
}

async fn give_up(cx: &Cx, after: TimeDelta) -> Result<(), Fault> {
    let now = store::now();
    for row in registrations::standing_since(cx.app.store.read(), RegistrationStep::Started, now - after).await? {
        let id = row.id;
        cx.app
            .store
            .write(cx, |tx| async move {
                let Some(row) = registrations::lock(&tx, id).await? else { return Ok(()) };
                let still_stands = row.step == RegistrationStep::Started && row.updated_at < now - after;
                if still_stands {
                    registrations::set_step(&tx, row, RegistrationStep::Failed, now).await?;
                }
                Ok::<(), Fault>(())
            })
            .await?;
    }
    Ok(())
}
