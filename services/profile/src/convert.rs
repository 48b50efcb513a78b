//! Rows as messages and as events tell them.

use crate::entity::pet_records::Details;
use crate::entity::{addresses, pet_records, pet_shares, pets, preferences, profiles};
use subjects::Fault;
use subjects::ids::{PetRecordId, UserId};
use subjects::profile::{
    AddressState, Channels, Language, Pet, PetAccess, PetRecord, PetShare, PetState, PostalAddress, Preferences,
    Profile, ProfileState, QuietHours, RecordAuthor, SavedAddress, ShareStatus,
};
use subjects::time::TimeZone;
use subjects::vendor::{Coordinates, WallTime};

/// The version of what nobody has changed yet.
pub const FIRST_VERSION: i64 = 1;

pub fn profile(row: profiles::Model) -> Profile {
    let profiles::Model { user_id, display_name, bio, avatar_url, birth_date, updated_at, version } = row;
    Profile { user_id, display_name, bio, avatar_url, birth_date, updated_at, version }
}

/// The profile of a person who has told nothing yet.
pub fn empty_profile(user_id: UserId) -> Profile {
    Profile {
        user_id,
        display_name: None,
        bio: None,
        avatar_url: None,
        birth_date: None,
        updated_at: None,
        version: FIRST_VERSION,
    }
}

pub fn profile_state(row: &profiles::Model) -> ProfileState {
    ProfileState { user_id: row.user_id, removed: false, version: row.version }
}

/// A person's preferences.
///
/// # Errors
/// `internal` for a row that cannot be read.
pub fn preferences(row: &preferences::Model) -> Result<Preferences, Fault> {
    let preferences::Model {
        user_id: _,
        language,
        time_zone,
        email,
        push,
        sms,
        whatsapp,
        quiet_from,
        quiet_to,
        updated_at,
        version,
    } = row;
    let time_zone = TimeZone::parse(time_zone).ok_or_else(|| Fault::internal("a stored time zone is not known"))?;
    let quiet_hours = quiet_from
        .zip(*quiet_to)
        .map(|(from, to)| QuietHours { from: WallTime::from_naive(from), to: WallTime::from_naive(to) });
    Ok(Preferences {
        language: *language,
        time_zone,
        channels: Channels { email: *email, push: *push, sms: *sms, whatsapp: *whatsapp },
        quiet_hours,
        updated_at: Some(*updated_at),
        version: *version,
    })
}

/// The preferences of a person who has chosen nothing yet.
///
/// # Errors
/// `internal` where the zone's name is not known, which it is.
pub fn default_preferences() -> Result<Preferences, Fault> {
    let jakarta = TimeZone::parse("Asia/Jakarta").ok_or_else(|| Fault::internal("the default zone is not known"))?;
    Ok(Preferences {
        language: Language::Indonesian,
        time_zone: jakarta,
        channels: Channels { email: true, push: true, sms: false, whatsapp: false },
        quiet_hours: None,
        updated_at: None,
        version: FIRST_VERSION,
    })
}

pub fn address(row: addresses::Model) -> SavedAddress {
    let addresses::Model {
        id,
        user_id,
        label,
        recipient,
        phone,
        street,
        rt,
        rw,
        village,
        district,
        city,
        province,
        postal_code,
        country,
        latitude,
        longitude,
        notes,
        is_default,
        created_at,
        updated_at,
        version,
    } = row;
    let coordinates = latitude.zip(longitude).map(|(latitude, longitude)| Coordinates { latitude, longitude });
    SavedAddress {
        id,
        user_id,
        label,
        recipient,
        phone,
        address: PostalAddress { street, rt, rw, village, district, city, province, postal_code, country },
        coordinates,
        notes,
        is_default,
        created_at,
        updated_at,
        version,
    }
}

pub fn address_state(row: &addresses::Model) -> AddressState {
    let addresses::Model { id, user_id, is_default, version, .. } = row;
    AddressState { address_id: *id, user_id: *user_id, is_default: *is_default, removed: false, version: *version }
}

/// A pet as somebody sees it who may; `shared_with` only where they may see that, too.
pub fn pet(row: pets::Model, access: PetAccess, shared_with: Option<Vec<UserId>>) -> Pet {
    let pets::Model {
        id,
        owner_id,
        name,
        species,
        breed,
        sex,
        neutered,
        birth_date,
        weight_grams,
        microchip,
        photo_url,
        notes,
        created_at,
        updated_at,
        version,
    } = row;
    Pet {
        id,
        owner_id,
        name,
        species,
        breed,
        sex,
        neutered,
        birth_date,
        weight_grams: weight_grams.and_then(|grams| u32::try_from(grams).ok()),
        microchip,
        photo_url,
        notes,
        access,
        shared_with,
        created_at,
        updated_at,
        version,
    }
}

pub fn pet_state(row: &pets::Model, shared_with: Vec<UserId>) -> PetState {
    let pets::Model { id, owner_id, species, version, .. } = row;
    PetState { pet_id: *id, owner_id: *owner_id, species: *species, shared_with, removed: false, version: *version }
}

pub fn share(row: pet_shares::Model) -> PetShare {
    let pet_shares::Model { id, pet_id, role, user_id, code_hash: _, expires_at, created_at, accepted_at: _ } = row;
    let status = if user_id.is_some() { ShareStatus::Accepted } else { ShareStatus::Invited };
    let expires_at = user_id.is_none().then_some(expires_at);
    PetShare { id, pet_id, role, status, user_id, expires_at, created_at }
}

/// An entry of a pet's records, and which one corrects it.
pub fn record(row: pet_records::Model, replaced_by: Option<PetRecordId>) -> PetRecord {
    let pet_records::Model {
        id,
        pet_id,
        kind,
        details,
        author_kind,
        author_id,
        vendor_id,
        clinic_id,
        replaces,
        created_at,
    } = row;
    let author = RecordAuthor { kind: author_kind, user_id: author_id, vendor_id, clinic_id };
    let mut entry = PetRecord {
        id,
        pet_id,
        kind,
        vaccination: None,
        allergy: None,
        weight: None,
        note: None,
        author,
        replaces,
        replaced_by,
        created_at,
    };
    match details {
        Details::Vaccination(vaccination) => entry.vaccination = Some(vaccination),
        Details::Allergy(allergy) => entry.allergy = Some(allergy),
        Details::Weight(weighing) => entry.weight = Some(weighing),
        Details::Note(note) => entry.note = Some(note),
    }
    entry
}
