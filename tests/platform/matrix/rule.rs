//! What the contract's access rules mean for a caller and a row.

use crate::hostile::scene::Person;
use crate::samples::Sample;
use identity::keys::EDGE;
use subjects::{Access, MembershipRole, Method, Operation, Role, Who, catalogue};

/// Somebody who asks: at the edge, or inside as a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    User(Person),
    Anonymous,
    Service(&'static str),
}

/// The columns of the matrix.
pub const CALLERS: [Caller; 12] = [
    Caller::User(Person::Customer),
    Caller::User(Person::Nobody),
    Caller::User(Person::Staff),
    Caller::User(Person::Owner),
    Caller::User(Person::Branch),
    Caller::User(Person::Rival),
    Caller::User(Person::Admin),
    Caller::User(Person::Clerk),
    Caller::User(Person::Idler),
    Caller::Anonymous,
    Caller::Service("booking"),
    Caller::Service(EDGE),
];

impl Caller {
    pub fn name(self) -> String {
        match self {
            Caller::User(person) => format!("{person:?}"),
            Caller::Anonymous => "anonymous".to_owned(),
            Caller::Service(name) => format!("s:{name}"),
        }
    }

    fn is_user(self) -> bool {
        matches!(self, Caller::User(_))
    }

    fn has_role(self, role: Role) -> bool {
        match self {
            Caller::User(Person::Admin) => role == Role::PlatformAdmin,
            // What roles allow that were made is permissions.
            Caller::User(Person::Clerk | Person::Idler) => false,
            Caller::User(_) => role == Role::Customer,
            _ => false,
        }
    }

    /// Whether the caller has every permission.
    fn is_permitted(self) -> bool {
        matches!(self, Caller::User(Person::Admin | Person::Clerk))
    }

    /// What the caller is at the clinic, or the whole vendor, that the row belongs to.
    fn is_there(self, level: MembershipRole) -> bool {
        match self {
            Caller::User(Person::Owner) => true,
            Caller::User(Person::Staff) => level == MembershipRole::ClinicStaff,
            _ => false,
        }
    }
}

/// Whose the row is that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// No row: what is asked is the same for everybody who may ask at all, or the caller's own.
    Nobodys,
    /// This person's alone.
    Of(Person),
    /// The vendor's.
    Vendors,
    /// The vendor's, and this person's as well.
    VendorsAnd(Person),
}

/// Routes that name no row of anybody's: what everybody sees, what only a role decides, and what is the caller's own.
const OF_NO_ROW: [&str; 39] = [
    "address.create",
    "address.findAll",
    "audit.findAll",
    "auth.changePassword",
    "auth.jwks",
    "auth.login",
    "auth.logout",
    "auth.me",
    "auth.refresh",
    "auth.register",
    "auth.requestCode",
    "auth.resetPassword",
    "auth.sessions",
    "auth.verifyCode",
    "availability.findAll",
    "booking.findAll",
    "booking.watch",
    "calendar.create",
    "calendar.findAll",
    "calendar.feed",
    "inventory.findAll",
    "inventory.watch",
    "petShare.accept",
    "pet.create",
    "pet.findAll",
    "preference.findOne",
    "preference.update",
    "privacy.export",
    "permission.findAll",
    "role.assign",
    "role.create",
    "role.findAll",
    "role.findOne",
    "role.remove",
    "role.update",
    "user.findAll",
    "vendor.create",
    "vendor.register",
    "vendor.findAll",
];

impl Whose {
    /// Of the row that a route's sample names.
    pub fn of(sample: &Sample) -> Whose {
        let subject = sample.operation.subject;
        let path = sample.rest.path;
        let (entity, verb) = subject.split_once('.').unwrap();
        if OF_NO_ROW.contains(&subject) || path == "/profiles/me" || path == "/memberships" {
            return Whose::Nobodys;
        }
        match (entity, verb) {
            ("booking" | "hold", "create") => Whose::Vendors,
            ("privacy", "erase") => Whose::Of(Person::Nobody),
            (
                "user" | "auth" | "profile" | "address" | "pet" | "petRecord" | "petShare" | "privacy" | "hold"
                | "calendar",
                _,
            ) => Whose::Of(Person::Customer),
            ("booking", _) => Whose::VendorsAnd(Person::Customer),
            ("membership", "accept" | "revoke") => Whose::VendorsAnd(Person::Staff),
            ("category", _) => Whose::Nobodys,
            (
                "vendor" | "clinic" | "service" | "staff" | "hours" | "membership" | "product" | "inventory"
                | "reservation",
                _,
            ) => Whose::Vendors,
            _ => panic!("say here whose the row is that {subject} is about"),
        }
    }

    /// Whether it is about a row of somebody's.
    pub fn is_a_row(self) -> bool {
        self != Whose::Nobodys
    }

    fn is_of(self, caller: Caller) -> bool {
        match self {
            Whose::Nobodys => true,
            Whose::Of(person) | Whose::VendorsAnd(person) => caller == Caller::User(person),
            Whose::Vendors => false,
        }
    }

    fn has_members(self) -> bool {
        matches!(self, Whose::Vendors | Whose::VendorsAnd(_))
    }
}

/// What a signed-in caller is told who may not: that it is not theirs where the contract lets them read the row, and else
/// that it is not there.
pub fn refusal(sample: &Sample, whose: Whose, caller: Caller) -> u16 {
    let Operation { subject, access, .. } = sample.operation;
    if let Some((_, _, status)) = REFUSED_OTHERWISE
        .iter()
        .find(|(name, of, _)| *name == subject && of.is_none_or(|of| caller == Caller::User(of)))
    {
        return *status;
    }
    if access.0.iter().all(|who| matches!(who, Who::Role(_) | Who::Permitted)) {
        return 403;
    }
    let entity = match subject.split('.').next().unwrap() {
        "petRecord" | "petShare" => "pet",
        "membership" => "vendor",
        entity => entity,
    };
    let read = catalogue::find(&format!("{entity}.findOne"));
    let is_seen = read.is_some_and(|read| read.access.0.iter().any(|who| does(*who, whose, caller)));
    if is_seen { 403 } else { 404 }
}

/// Subject, caller or all of them, status.
const REFUSED_OTHERWISE: [(&str, Option<Person>, u16); 8] = [
    // Who asks names somebody; whether there is such an account is not told either way.
    ("user.findOne", None, 403),
    ("user.update", None, 403),
    ("privacy.erase", None, 403),
    // An invitation is its addressee's affair, and what was collected its person's.
    ("membership.accept", None, 404),
    ("privacy.readExport", None, 404),
    // Who is no customer does not book; of the row nothing is told by that.
    ("booking.create", Some(Person::Idler), 403),
    ("hold.create", Some(Person::Idler), 403),
    // A variant of the own vendor is seen, the clinic is another.
    ("inventory.create", Some(Person::Branch), 403),
];

/// What a service may do only with what it has made itself; the row here is that of somebody who works at the clinic.
const OF_WHICH_SERVICE_MADE_IT: [&str; 3] = ["reservation.findOne", "inventory.commit", "inventory.release"];

/// How a service is refused: by its token alone, as a rule.
pub fn refusal_of_service(sample: &Sample, name: &str) -> u16 {
    if name != EDGE && OF_WHICH_SERVICE_MADE_IT.contains(&sample.operation.subject) { 404 } else { 401 }
}

/// What is let in beyond the declaration: whoever runs one clinic is shown the members of that clinic.
const BEYOND: [(&str, Person); 1] = [("membership.findAll", Person::Branch)];

/// Whether the contract lets a caller do it with the row.
pub fn lets_in(sample: &Sample, whose: Whose, caller: Caller) -> bool {
    let is_beyond =
        BEYOND.iter().any(|(subject, person)| *subject == sample.operation.subject && caller == Caller::User(*person));
    if matches!(caller, Caller::Service(_)) && OF_WHICH_SERVICE_MADE_IT.contains(&sample.operation.subject) {
        return false;
    }
    is_beyond || sample.operation.access.0.iter().any(|who| does(*who, whose, caller))
}

/// Likewise where no row is asked about.
pub fn lets_in_without_row(access: Access, caller: Caller) -> bool {
    access.0.iter().any(|who| does(*who, Whose::Nobodys, caller))
}

fn does(who: Who, whose: Whose, caller: Caller) -> bool {
    match who {
        Who::Public => true,
        Who::SignedIn => caller.is_user(),
        Who::Role(role) => caller.has_role(role),
        Who::Permitted => caller.is_permitted(),
        Who::Member(level) if whose.has_members() => caller.is_there(level),
        // Of all that there is they are shown what is theirs.
        Who::Member(_) => whose == Whose::Nobodys && caller.is_user(),
        Who::Owner => caller.is_user() && whose.is_of(caller),
        // The edge by itself is nobody.
        Who::Service => matches!(caller, Caller::Service(name) if name != EDGE),
    }
}

/// In which order requests are sent that are let in, so that none ends what the next is about.
pub fn how_much_it_ends(sample: &Sample) -> usize {
    const REMOVED_IN_ORDER: [&str; 16] = [
        "petShare",
        "pet",
        "address",
        "calendar",
        "hold",
        "auth",
        "booking",
        "inventory",
        "membership",
        "staff",
        "service",
        "product",
        "category",
        "role",
        "clinic",
        "vendor",
    ];
    let entity = sample.operation.subject.split('.').next().unwrap();
    match sample.rest.method {
        Method::Get => 0,
        Method::Put | Method::Patch => 1,
        Method::Post if sample.operation.subject == "privacy.erase" => 99,
        Method::Post => 2,
        Method::Delete => 3 + REMOVED_IN_ORDER.iter().position(|name| *name == entity).unwrap(),
    }
}
