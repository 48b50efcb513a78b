//! Preferences.

use super::failed;
use crate::entity::preferences::{ActiveModel, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect};
use store::{Tx, statement};
use subjects::Fault;
use subjects::ids::UserId;
use subjects::profile::{Channels, Preferences, QuietHours};
use subjects::time::Instant;

const BEGIN: &str = "
insert into preferences (user_id, language, time_zone, email, push, sms, whatsapp, updated_at, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, 1) on conflict (user_id) do nothing";

/// A person's preferences, where there is a row of them.
pub async fn find(db: &impl ConnectionTrait, user_id: UserId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(user_id).one(db).await?)
}

/// A person's preferences, held against changes by others until the transaction ends. Where there is no row of them,
/// there is one of `defaults` from now on.
pub async fn begin_and_lock(
    tx: &Tx,
    user_id: UserId,
    defaults: &Preferences,
    now: Instant,
) -> Result<Option<Model>, store::Error> {
    let Channels { email, push, sms, whatsapp } = defaults.channels;
    let values = vec![
        user_id.into(),
        defaults.language.as_str().into(),
        defaults.time_zone.name().into(),
        email.into(),
        push.into(),
        sms.into(),
        whatsapp.into(),
        now.into(),
    ];
    tx.execute_raw(statement(BEGIN, values)).await?;
    Ok(Entity::find_by_id(user_id).lock_exclusive().one(tx).await?)
}

/// Replaces a person's preferences by the next version of them.
pub async fn replace(tx: &Tx, row: Model, preferences: &Preferences, now: Instant) -> Result<Model, Fault> {
    let Preferences { language, time_zone, channels, quiet_hours, updated_at: _, version: _ } = preferences;
    let Channels { email, push, sms, whatsapp } = *channels;
    let version = row.version + 1;
    let mut changed: ActiveModel = row.into_active_model();
    changed.language = Set(*language);
    changed.time_zone = Set(time_zone.name().to_owned());
    changed.email = Set(email);
    changed.push = Set(push);
    changed.sms = Set(sms);
    changed.whatsapp = Set(whatsapp);
    changed.quiet_from = Set(quiet_hours.map(|QuietHours { from, to: _ }| from.to_naive()));
    changed.quiet_to = Set(quiet_hours.map(|QuietHours { from: _, to }| to.to_naive()));
    changed.updated_at = Set(now);
    changed.version = Set(version);
    changed.update(tx).await.map_err(failed)
}
