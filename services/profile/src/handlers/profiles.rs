//! `profile.findOne` and `profile.update`.

use crate::domain::dates;
use crate::repo::profiles;
use crate::{Cx, convert};
use subjects::ids::UserId;
use subjects::profile::{FindProfile, Profile, ProfileError, UpdateProfile};

/// Whose profile a request is about.
struct Whose {
    user_id: UserId,
    is_the_callers: bool,
}

/// Others' profiles are for those who run the platform, and for services.
fn whose(cx: &Cx, named: Option<UserId>) -> Result<Whose, ProfileError> {
    let caller = cx.caller();
    match (&caller.user, named) {
        (Some(user), None) => Ok(Whose { user_id: user.id, is_the_callers: true }),
        (Some(user), Some(named)) if named == user.id => Ok(Whose { user_id: named, is_the_callers: true }),
        (_, Some(named)) if caller.is_permitted() || caller.trusted_service().is_some() => {
            Ok(Whose { user_id: named, is_the_callers: false })
        }
        (Some(_), Some(_)) => Err(ProfileError::ProfileNotFound),
        (None, _) => Err(ProfileError::from(subjects::Fault::unauthenticated())),
    }
}

/// `profile.findOne`.
pub async fn find_one(cx: Cx, request: FindProfile) -> Result<Profile, ProfileError> {
    let Whose { user_id, is_the_callers } = whose(&cx, request.user_id)?;
    match profiles::find(cx.app.store.read(), user_id).await? {
        Some(row) => Ok(convert::profile(row)),
        // Its row may not be there yet; a caller is there.
        None if is_the_callers => Ok(convert::empty_profile(user_id)),
        None => Err(ProfileError::ProfileNotFound),
    }
}

/// `profile.update`.
pub async fn update(cx: Cx, request: UpdateProfile) -> Result<Profile, ProfileError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let Whose { user_id, is_the_callers } = whose(cx, request.user_id)?;
            let now = store::now();
            dates::refuse_ahead(now, &[("/birthDate", request.birth_date.flatten())])?;
            if is_the_callers {
                profiles::begin(&tx, user_id).await?;
            }
            let row = profiles::lock(&tx, user_id).await?.ok_or(ProfileError::ProfileNotFound)?;
            store::expect_version(expected_version, row.version)?;
            Ok(convert::profile(profiles::change(&tx, row, request, now).await?))
        })
        .await
}
