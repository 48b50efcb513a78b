//! Typed ids: a UUID that knows what it names. New ones are version 7 (RFC 9562), so they sort by time.

macro_rules! ids {
    ($( $(#[$meta:meta])* $name:ident; )+) => { $(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[cfg_attr(feature = "sea-orm", derive(sea_orm::DeriveValueType))]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id of version 7, later than all made before it on this machine.
            #[allow(clippy::new_without_default, reason = "two new ids are never equal, so there is no default")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        #[cfg(feature = "sea-orm")]
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )+ };
}

ids! {
    /// A user, kept by the auth service.
    UserId;
    /// A signed-in session of a user: one family of refresh tokens.
    SessionId;
    /// A role of users.
    RoleId;
    /// A one-time code.
    CodeId;
    /// A message that somebody is to get.
    NotificationId;
    /// A vendor: a business that offers services or sells.
    VendorId;
    /// A clinic: one place of a vendor, with its own hours and time zone.
    ClinicId;
    /// A service that a clinic offers, for example a vaccination.
    ServiceId;
    /// A staff member of a vendor who performs services.
    StaffId;
    /// A membership of a user at a vendor.
    MembershipId;
    /// A booking of a service for a pet.
    BookingId;
    /// A hold on time that somebody may still book.
    HoldId;
    /// A calendar that other programs read by a secret address.
    CalendarId;
    /// A pet, kept by the profile service.
    PetId;
    /// An address of a person.
    AddressId;
    /// An entry in a pet's records.
    PetRecordId;
    /// A pet that is shared with another person, or the invitation to it.
    PetShareId;
    /// A person's request to have their data exported or erased.
    PrivacyRequestId;
    /// A product of a vendor.
    ProductId;
    /// A variant of a product: what is priced, kept in stock and bought.
    VariantId;
    /// A category of products.
    CategoryId;
    /// The stock of a variant at a place.
    InventoryId;
    /// A movement of stock.
    StockMovementId;
    /// A reservation of stock.
    ReservationId;
    /// A durable event.
    EventId;
    /// An entry of the audit log; the time in it is when it was asked.
    AuditEntryId;
}
