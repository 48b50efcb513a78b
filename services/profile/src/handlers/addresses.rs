//! Addresses.

use crate::entity::addresses::Model;
use crate::repo::addresses::{self, AddressFacts};
use crate::repo::by_age::Part;
use crate::repo::person;
use crate::{Cx, convert};
use store::Tx;
use subjects::ids::{AddressId, UserId};
use subjects::profile::{
    AgeSort, CreateAddress, FindAddress, FindAddresses, ProfileError, RemoveAddress, SavedAddress, UpdateAddress,
};
use subjects::{Fault, Page};

/// `address.findAll`: the caller's own; a service names whose.
pub async fn find_all(cx: Cx, request: FindAddresses) -> Result<Page<SavedAddress>, ProfileError> {
    let caller = cx.caller();
    let user_id = match (request.user_id, &caller.user) {
        (Some(named), _) if caller.trusted_service().is_some() => named,
        (Some(named), Some(user)) if named != user.id => return Err(Fault::forbidden().into()),
        _ => caller.user()?.id,
    };
    let sort = request.sort.unwrap_or(AgeSort::CreatedAt);
    let part = Part::of(sort, request.cursor.as_deref(), request.limit)?;
    Ok(addresses::list(cx.app.store.read(), user_id, &part).await?.map(convert::address))
}

/// `address.findOne`.
pub async fn find_one(cx: Cx, request: FindAddress) -> Result<SavedAddress, ProfileError> {
    let caller = cx.caller();
    let is_the_callers = |row: &Model| caller.user.as_ref().is_some_and(|user| user.id == row.user_id);
    let row = addresses::find(cx.app.store.read(), request.id)
        .await?
        .filter(|row| is_the_callers(row) || caller.trusted_service().is_some())
        .ok_or(ProfileError::AddressNotFound)?;
    Ok(convert::address(row))
}

/// `address.create`.
pub async fn create(cx: Cx, request: CreateAddress) -> Result<SavedAddress, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            person::lock(&tx, user_id).await?;
            let facts = AddressFacts::from(request);
            let id = AddressId::new();
            let row = addresses::insert(&tx, id, user_id, facts, request.is_default, store::now()).await?;
            Ok(convert::address(row))
        })
        .await
}

/// `address.update`.
pub async fn update(cx: Cx, request: UpdateAddress) -> Result<SavedAddress, ProfileError> {
    let expected_version = cx.expected_version()?;
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let row = own(&tx, user_id, request.id).await?;
            store::expect_version(expected_version, row.version)?;
            if row.is_default && !request.is_default {
                return Err(ProfileError::DefaultNeeded);
            }
            let facts = AddressFacts::from(request);
            let row = addresses::replace(&tx, row, facts, request.is_default, store::now()).await?;
            Ok(convert::address(row))
        })
        .await
}

/// `address.remove`.
pub async fn remove(cx: Cx, request: RemoveAddress) -> Result<(), ProfileError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let row = own(&tx, user_id, request.id).await?;
            store::expect_version_if_given(cx.meta().if_match, row.version)?;
            Ok(addresses::remove(&tx, row, store::now()).await?)
        })
        .await
}

/// An address of the user, who is held until the transaction ends.
async fn own(tx: &Tx, user_id: UserId, id: AddressId) -> Result<Model, ProfileError> {
    person::lock(tx, user_id).await?;
    let row = addresses::find(tx, id).await?.filter(|row| row.user_id == user_id);
    row.ok_or(ProfileError::AddressNotFound)
}
