//! `preference.findOne` and `preference.update`.

use crate::repo::preferences;
use crate::{Cx, convert};
use subjects::profile::{ChannelChanges, Channels, FindPreferences, Preferences, ProfileError, UpdatePreferences};

/// `preference.findOne`: the caller's own.
pub async fn find_one(cx: Cx, _: FindPreferences) -> Result<Preferences, ProfileError> {
    let user_id = cx.caller().user()?.id;
    match preferences::find(cx.app.store.read(), user_id).await? {
        Some(row) => Ok(convert::preferences(&row)?),
        None => Ok(convert::default_preferences()?),
    }
}

/// `preference.update`: the caller's own.
pub async fn update(cx: Cx, request: UpdatePreferences) -> Result<Preferences, ProfileError> {
    let expected_version = cx.expected_version()?;
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let now = store::now();
            let defaults = convert::default_preferences()?;
            // There is one now; were it gone again, the person would be gone.
            let row = preferences::begin_and_lock(&tx, user_id, &defaults, now).await?;
            let row = row.ok_or(ProfileError::ProfileNotFound)?;
            store::expect_version(expected_version, row.version)?;
            let changed = with_changes(convert::preferences(&row)?, request);
            Ok(convert::preferences(&preferences::replace(&tx, row, &changed, now).await?)?)
        })
        .await
}

fn with_changes(before: Preferences, changes: &UpdatePreferences) -> Preferences {
    let UpdatePreferences { language, time_zone, channels, quiet_hours } = changes.clone();
    let ChannelChanges { email, push, sms, whatsapp } = channels.unwrap_or_default();
    Preferences {
        language: language.unwrap_or(before.language),
        time_zone: time_zone.unwrap_or(before.time_zone),
        channels: Channels {
            email: email.unwrap_or(before.channels.email),
            push: push.unwrap_or(before.channels.push),
            sms: sms.unwrap_or(before.channels.sms),
            whatsapp: whatsapp.unwrap_or(before.channels.whatsapp),
        },
        quiet_hours: quiet_hours.unwrap_or(before.quiet_hours),
        ..before
    }
}
