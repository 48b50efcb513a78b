//! Addresses. Whoever writes one of a person's addresses holds the person ([`person::lock`](super::person::lock)): which
//! one is the default, and how many there are, concerns all of them.

use super::by_age::Part;
use super::failed;
use crate::convert;
use crate::entity::addresses::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use store::Tx;
use subjects::ids::{AddressId, UserId};
use subjects::profile::{
    AddressState, AddressUpdated, CreateAddress, MAX_ADDRESSES, PostalAddress, ProfileError, UpdateAddress,
};
use subjects::time::Instant;
use subjects::vendor::Coordinates;
use subjects::{Fault, Page};

/// What is known of an address.
#[derive(Debug, Clone)]
pub struct AddressFacts {
    label: String,
    recipient: String,
    phone: String,
    address: PostalAddress,
    coordinates: Option<Coordinates>,
    notes: Option<String>,
}

impl From<&CreateAddress> for AddressFacts {
    fn from(request: &CreateAddress) -> AddressFacts {
        let CreateAddress { label, recipient, phone, address, coordinates, notes, is_default: _ } = request.clone();
        AddressFacts { label, recipient, phone, address, coordinates, notes }
    }
}

impl From<&UpdateAddress> for AddressFacts {
    fn from(request: &UpdateAddress) -> AddressFacts {
        let UpdateAddress { id: _, label, recipient, phone, address, coordinates, notes, is_default: _ } =
            request.clone();
        AddressFacts { label, recipient, phone, address, coordinates, notes }
    }
}

impl AddressFacts {
    fn write_to(self, row: &mut ActiveModel) {
        let AddressFacts { label, recipient, phone, address, coordinates, notes } = self;
        let PostalAddress { street, rt, rw, village, district, city, province, postal_code, country } = address;
        row.label = Set(label);
        row.recipient = Set(recipient);
        row.phone = Set(phone);
        row.street = Set(street);
        row.rt = Set(rt);
        row.rw = Set(rw);
        row.village = Set(village);
        row.district = Set(district);
        row.city = Set(city);
        row.province = Set(province);
        row.postal_code = Set(postal_code);
        row.country = Set(country);
        row.latitude = Set(coordinates.map(|point| point.latitude));
        row.longitude = Set(coordinates.map(|point| point.longitude));
        row.notes = Set(notes);
    }
}

/// One address.
pub async fn find(db: &impl ConnectionTrait, id: AddressId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Part of a person's addresses.
pub async fn list(db: &impl ConnectionTrait, user_id: UserId, part: &Part) -> Result<Page<Model>, store::Error> {
    let rows = part.select(Entity::find().filter(Column::UserId.eq(user_id)), Column::Id).all(db).await?;
    Ok(part.page(rows, |row| row.id.into()))
}

/// All of a person's addresses, the earliest made first.
pub async fn all_of(db: &impl ConnectionTrait, user_id: UserId) -> Result<Vec<Model>, store::Error> {
    Ok(Entity::find().filter(Column::UserId.eq(user_id)).order_by_asc(Column::Id).all(db).await?)
}

/// Adds an address and tells it. The first one of a person is the default.
///
/// # Errors
/// [`ProfileError::TooManyAddresses`].
pub async fn insert(
    tx: &Tx,
    id: AddressId,
    user_id: UserId,
    facts: AddressFacts,
    is_to_be_default: bool,
    now: Instant,
) -> Result<Model, ProfileError> {
    let others = Entity::find().filter(Column::UserId.eq(user_id)).count(tx).await.map_err(failed)?;
    if others >= u64::from(MAX_ADDRESSES) {
        return Err(ProfileError::TooManyAddresses);
    }
    let is_default = is_to_be_default || others == 0;
    if is_default {
        take_default(tx, user_id, now).await?;
    }
    let mut row = ActiveModel {
        id: Set(id),
        user_id: Set(user_id),
        is_default: Set(is_default),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        ..Default::default()
    };
    facts.write_to(&mut row);
    let row = row.insert(tx).await.map_err(failed)?;
    tell(tx, &row).await?;
    Ok(row)
}

/// Replaces what is known of an address and tells it.
pub async fn replace(tx: &Tx, row: Model, facts: AddressFacts, is_default: bool, now: Instant) -> Result<Model, Fault> {
    if is_default && !row.is_default {
        take_default(tx, row.user_id, now).await?;
    }
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    facts.write_to(&mut changed);
    changed.is_default = Set(is_default);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    tell(tx, &row).await?;
    Ok(row)
}

/// Removes an address and tells it. Where it was the default, the earliest made of the others becomes it.
pub async fn remove(tx: &Tx, row: Model, now: Instant) -> Result<(), Fault> {
    let (user_id, was_default) = (row.user_id, row.is_default);
    delete(tx, row).await?;
    if !was_default {
        return Ok(());
    }
    let next = Entity::find().filter(Column::UserId.eq(user_id)).order_by_asc(Column::Id).one(tx).await;
    if let Some(next) = next.map_err(failed)? {
        set_default(tx, next, true, now).await?;
    }
    Ok(())
}

/// Removes all of a person's addresses and tells each.
pub async fn remove_all(tx: &Tx, user_id: UserId) -> Result<(), Fault> {
    for row in all_of(tx, user_id).await? {
        delete(tx, row).await?;
    }
    Ok(())
}

async fn delete(tx: &Tx, row: Model) -> Result<(), Fault> {
    let tombstone =
        AddressState { is_default: false, removed: true, version: row.version + 1, ..convert::address_state(&row) };
    row.delete(tx).await.map_err(failed)?;
    tx.emit(&AddressUpdated(tombstone)).await
}

/// The present default is it no longer. Before another one is: an index holds that there is one at the most.
async fn take_default(tx: &Tx, user_id: UserId, now: Instant) -> Result<(), Fault> {
    let present = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::IsDefault.eq(true)).one(tx).await;
    if let Some(present) = present.map_err(failed)? {
        set_default(tx, present, false, now).await?;
    }
    Ok(())
}

async fn set_default(tx: &Tx, row: Model, is_default: bool, now: Instant) -> Result<(), Fault> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.is_default = Set(is_default);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    tell(tx, &row).await
}

async fn tell(tx: &Tx, row: &Model) -> Result<(), Fault> {
    tx.emit(&AddressUpdated(convert::address_state(row))).await
}
