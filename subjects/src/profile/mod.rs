//! Messages of the profile service: people, their addresses and preferences, their pets, and what becomes of their data.

pub mod addresses;
mod dates;
pub mod errors;
pub mod events;
pub mod pets;
pub mod preferences;
pub mod privacy;
pub mod profiles;
pub mod records;
pub mod shares;
pub mod snapshots;
pub mod values;

pub use addresses::{
    CreateAddress, FindAddress, FindAddresses, MAX_ADDRESSES, PostalAddress, RemoveAddress, SavedAddress, UpdateAddress,
};
pub use errors::ProfileError;
pub use events::{
    AddressState, AddressUpdated, PetCreated, PetRemoved, PetState, PetUpdated, ProfileState, ProfileUpdated,
};
pub use pets::{CreatePet, FindPet, FindPets, MAX_PETS, MAX_WEIGHT_GRAMS, Pet, RemovePet, UpdatePet};
pub use preferences::{ChannelChanges, Channels, FindPreferences, Preferences, QuietHours, UpdatePreferences};
pub use privacy::{
    ErasePrivacy, ExportPart, ExportPrivacy, FindPrivacyRequest, PrivacyEraseRequested, PrivacyErased, PrivacyKind,
    PrivacyRequest, PrivacyState, PrivacyStatus, PrivacyStep, ReadExport,
};
pub use profiles::{FindProfile, Profile, UpdateProfile};
pub use records::{
    Allergy, CreatePetRecord, FindPetRecords, MAX_RECORDS, PetRecord, RecordAuthor, Vaccination, Weighing,
};
pub use shares::{AcceptPetShare, CreatePetShare, FindPetShares, MAX_SHARES, NewPetShare, PetShare, RevokePetShare};
pub use snapshots::PetSnapshot;
pub use values::{
    AgeSort, AuthorKind, Language, PetAccess, RecordKind, Severity, Sex, ShareRole, ShareStatus, Species,
};

use crate::audit::FindAuditEntriesOfProfile;
use crate::operation::{EventType, Operation};

/// Every operation of the profile service.
pub const OPERATIONS: &[Operation] = &[
    Operation::of::<FindProfile>("profile"),
    Operation::of::<UpdateProfile>("profile"),
    Operation::of::<FindAddresses>("profile"),
    Operation::of::<FindAddress>("profile"),
    Operation::of::<CreateAddress>("profile"),
    Operation::of::<UpdateAddress>("profile"),
    Operation::of::<RemoveAddress>("profile"),
    Operation::of::<FindPets>("profile"),
    Operation::of::<FindPet>("profile"),
    Operation::of::<CreatePet>("profile"),
    Operation::of::<UpdatePet>("profile"),
    Operation::of::<RemovePet>("profile"),
    Operation::of::<FindPetRecords>("profile"),
    Operation::of::<CreatePetRecord>("profile"),
    Operation::of::<FindPetShares>("profile"),
    Operation::of::<CreatePetShare>("profile"),
    Operation::of::<AcceptPetShare>("profile"),
    Operation::of::<RevokePetShare>("profile"),
    Operation::of::<FindPreferences>("profile"),
    Operation::of::<UpdatePreferences>("profile"),
    Operation::of::<ExportPrivacy>("profile"),
    Operation::of::<ErasePrivacy>("profile"),
    Operation::of::<FindPrivacyRequest>("profile"),
    Operation::of::<ReadExport>("profile"),
    Operation::of::<PetSnapshot>("profile"),
    Operation::of::<FindAuditEntriesOfProfile>("profile"),
];

/// Every event type of the profile service.
pub const EVENTS: &[EventType] = &[
    EventType::of::<ProfileUpdated>(),
    EventType::of::<AddressUpdated>(),
    EventType::of::<PetCreated>(),
    EventType::of::<PetUpdated>(),
    EventType::of::<PetRemoved>(),
    EventType::of::<PrivacyEraseRequested>(),
    EventType::of::<PrivacyErased>(),
];
