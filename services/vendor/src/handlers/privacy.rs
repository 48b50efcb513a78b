//! `vendor.exportPerson` and `vendor.erasePerson`.

use crate::Cx;
use crate::entity::membership;
use crate::repo::staff::{self, StaffMember, StaffProfile};
use crate::repo::vendors::VendorProfile;
use crate::repo::{memberships, privacy, vendors};
use store::Tx;
use store::person::{self, Section, only_for_privacy};
use subjects::ids::UserId;
use subjects::privacy::{ErasePersonFromVendor, Erasure, ExportPersonOfVendor, PersonPage};
use subjects::time::Instant;
use subjects::{Fault, NoError};
use uuid::Uuid;

/// The name of a staff member whose person had themselves erased. It is shown to customers.
const FORMER_STAFF: &str = "Former staff member";

/// What is kept of a person: the means of reaching them through a vendor that they alone run, where they work, and as
/// whom customers know them there.
const SECTIONS: &[Section] = &[
    Section {
        kind: "vendor",
        rows: "select vendor.id::text as key, jsonb_build_object('id', vendor.id, 'name', vendor.name,
                'email', vendor.email, 'phone', vendor.phone) as data
            from vendors as vendor
            where (vendor.email is not null or vendor.phone is not null)
                and vendor.id in (select vendor_id from memberships
                    where user_id = $1 and role = 'clinic_admin' and clinic_id is null
                        and status in ('active', 'revoked'))
                and not exists (select from memberships as other
                    where other.vendor_id = vendor.id and other.user_id <> $1 and other.role = 'clinic_admin'
                        and other.clinic_id is null and other.status = 'active')
                and vendor.id::text > $2 order by vendor.id limit $3",
    },
    Section {
        kind: "membership",
        rows: "select membership.id::text as key, jsonb_build_object('id', membership.id,
                'vendorId', membership.vendor_id, 'vendor', vendor.name, 'clinicId', membership.clinic_id,
                'role', membership.role, 'status', membership.status, 'createdAt', membership.created_at,
                'updatedAt', membership.updated_at) as data
            from memberships as membership join vendors as vendor on vendor.id = membership.vendor_id
            where membership.user_id = $1 and membership.id::text > $2 order by membership.id limit $3",
    },
    Section {
        kind: "staffMember",
        rows: "select id::text as key, jsonb_build_object('id', id, 'vendorId', vendor_id, 'displayName', display_name,
                'title', title, 'hours', hours, 'exceptions', exceptions, 'active', active, 'createdAt', created_at,
                'updatedAt', updated_at) as data
            from staff where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "registration",
        rows: "select id::text as key, jsonb_build_object('id', id, 'vendorId', vendor_id, 'step', step,
                'createdAt', created_at) as data
            from registrations where user_id = $1 and id::text > $2 order by id limit $3",
    },
];

/// What is kept of a person, a page at a time.
pub async fn export(cx: Cx, request: ExportPersonOfVendor) -> Result<PersonPage, NoError> {
    only_for_privacy(&cx)?;
    Ok(person::export(cx.app.store.read(), SECTIONS, request.user_id, request.cursor.as_deref()).await?)
}

/// Ends a person's memberships and invitations, takes their name from where they are staff, and the means of reaching
/// them from vendors that nobody else runs. The vendors stay: they are businesses, with bookings of others.
pub async fn erase(cx: Cx, request: ErasePersonFromVendor) -> Result<Erasure, NoError> {
    only_for_privacy(&cx)?;
    cx.app.store.write(&cx, |tx| async move { Ok(erase_person(&tx, request.user_id).await?) }).await
}

async fn erase_person(tx: &Tx, user_id: UserId) -> Result<Erasure, Fault> {
    let now = store::now();
    // Others may have answers stored that tell of the person without their id: those who approve a vendor, for example.
    let mut named: Vec<Uuid> = vec![user_id.into()];
    // Vendors first, in the order of their ids, as whoever changes their members does.
    for vendor in privacy::lock_vendors_of(tx, user_id).await? {
        if !privacy::is_run_by_alone(tx, vendor.id, user_id).await? {
            continue;
        }
        named.push(vendor.id.into());
        if vendor.email.is_some() || vendor.phone.is_some() {
            let (name, kind) = (vendor.name.clone(), vendor.kind);
            let (description, website) = (vendor.description.clone(), vendor.website.clone());
            let unreachable = VendorProfile { name, kind, description, email: None, phone: None, website };
            vendors::replace(tx, vendor, unreachable, now).await?;
        }
    }
    let held: Vec<membership::Model> = privacy::lock_memberships_of(tx, user_id).await?;
    for row in held {
        memberships::revoke(tx, row, now).await?;
    }
    for member in privacy::lock_staff_of(tx, user_id).await? {
        named.push(member.row.id.into());
        forget_staff(tx, member, now).await?;
    }
    privacy::forget_registrations(tx, user_id).await?;
    person::forget_person(tx, user_id, named).await?;
    Ok(Erasure { complete: true })
}

/// A staff member stays, since bookings name them, but as nobody in particular who cannot be booked any more.
async fn forget_staff(tx: &Tx, member: StaffMember, now: Instant) -> Result<(), Fault> {
    let profile = StaffProfile {
        display_name: FORMER_STAFF.to_owned(),
        title: None,
        clinic_ids: member.clinic_ids.clone(),
        service_ids: member.service_ids.clone(),
        user_id: None,
        hours: None,
        exceptions: Vec::new(),
        active: false,
    };
    staff::replace(tx, member, profile, now).await.map_err(subjects::ServiceError::into_fault)?;
    Ok(())
}
