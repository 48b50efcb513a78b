//! The people of the demo data, with ids that never change. Local stacks only: their passwords are public.

use subjects::ids::UserId;
use subjects::{MembershipRole, Role};
use uuid::Uuid;

/// A person of the demo data.
#[derive(Debug, Clone, Copy)]
pub struct DemoUser {
    /// The last digits of the id.
    number: u128,
    /// The login.
    pub email: &'static str,
    /// The first name.
    pub first_name: &'static str,
    /// The last name.
    pub last_name: &'static str,
    /// The role on the platform.
    pub role: Role,
    /// What the person is there for, for people to read.
    pub about: &'static str,
}

/// The password of every person of the demo data.
pub const PASSWORD: &str = "kucing-oren-7";

/// The people: an admin, two who run and work at clinics, two who book.
pub const ALL: [DemoUser; 5] = [ADMIN, CLINIC_OWNER, CLINIC_STAFF, CAT_OWNER, DOG_OWNER];

/// Runs the platform.
pub const ADMIN: DemoUser = DemoUser {
    number: 1,
    email: "admin@petpro.example",
    first_name: "Ayu",
    last_name: "Lestari",
    role: Role::PlatformAdmin,
    about: "runs the platform",
};

/// Runs every demo clinic.
pub const CLINIC_OWNER: DemoUser = DemoUser {
    number: 2,
    email: "dewi@petpro.example",
    first_name: "Dewi",
    last_name: "Santoso",
    role: Role::Customer,
    about: "runs every demo clinic",
};

/// Works at every demo clinic.
pub const CLINIC_STAFF: DemoUser = DemoUser {
    number: 3,
    email: "rina@petpro.example",
    first_name: "Rina",
    last_name: "Wijaya",
    role: Role::Customer,
    about: "works at every demo clinic",
};

/// Has a cat.
pub const CAT_OWNER: DemoUser = DemoUser {
    number: 4,
    email: "budi@petpro.example",
    first_name: "Budi",
    last_name: "Hartono",
    role: Role::Customer,
    about: "has a cat, shared with Siti",
};

/// Has a dog and a rabbit.
pub const DOG_OWNER: DemoUser = DemoUser {
    number: 5,
    email: "siti@petpro.example",
    first_name: "Siti",
    last_name: "Rahma",
    role: Role::Customer,
    about: "has a dog and a rabbit",
};

/// Who belongs to every demo vendor, and as what.
pub fn members() -> Vec<(UserId, MembershipRole)> {
    vec![(CLINIC_OWNER.id(), MembershipRole::ClinicAdmin), (CLINIC_STAFF.id(), MembershipRole::ClinicStaff)]
}

impl DemoUser {
    /// The id.
    pub fn id(&self) -> UserId {
        UserId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + self.number))
    }

    /// The person with this login.
    pub fn by_email(email: &str) -> Option<&'static DemoUser> {
        ALL.iter().find(|user| user.email == email)
    }
}
