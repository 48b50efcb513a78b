//! Demo data: people, their pets, and clinics to book and buy at.

use crate::demo_users;
use auth::SeedUser;
use catalog::seed::DemoShop;
use platform::setup::{Host, Setup};
use profile::seed::DemoPeople;
use std::sync::Arc;
use std::time::Duration;
use store::HasStore as _;
use subjects::auth::NewPassword;
use vendor::seed::DemoMember;

/// How long the data of one service may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How many products the demo has.
pub const PRODUCTS: usize = 5_000;

/// Makes so many products with their stock for the demo's vendors, where they are not there yet.
///
/// # Errors
/// A server is away, or the database is not migrated.
pub async fn products(host: &Host, count: usize) -> anyhow::Result<()> {
    let setup = Setup::connect(host, "catalog").await?;
    let catalog = Arc::new(catalog::app(&setup).await?);
    let shops: Vec<DemoShop> = vendor::seed::vendors_and_clinics()
        .into_iter()
        .map(|(vendor_id, clinic_ids)| DemoShop { vendor_id, clinic_ids })
        .collect();
    catalog::seed::demo_products(&setup.cx(catalog, "demo products", TIMEOUT), &shops, count).await?;
    Ok(())
}

/// Makes the demo's people, households and clinics where it is not there yet. Doing it again changes nothing.
///
/// # Errors
/// A server is away, or the database is not migrated.
pub async fn seed(host: &Host) -> anyhow::Result<()> {
    // None of them looks at what the others make.
    tokio::try_join!(people(host), clinics(host), households(host))?;
    Ok(())
}

async fn people(host: &Host) -> anyhow::Result<()> {
    let auth = auth::app(&Setup::connect(host, "auth").await?).await?;
    for user in &demo_users::ALL {
        auth::ensure_user(
            auth.store().read(),
            auth.passwords(),
            SeedUser {
                id: Some(user.id()),
                email: user.email.to_owned(),
                password: NewPassword::new(demo_users::PASSWORD),
                first_name: user.first_name.to_owned(),
                last_name: Some(user.last_name.to_owned()),
                roles: vec![user.role],
            },
        )
        .await?;
    }
    Ok(())
}

async fn clinics(host: &Host) -> anyhow::Result<()> {
    let setup = Setup::connect(host, "vendor").await?;
    let vendor = Arc::new(vendor::app(&setup).await?);
    let members: Vec<DemoMember> =
        demo_users::members().into_iter().map(|(user_id, role)| DemoMember { user_id, role }).collect();
    vendor::seed::demo_clinics(&setup.cx(vendor, "demo clinics", TIMEOUT), &members).await?;
    Ok(())
}

async fn households(host: &Host) -> anyhow::Result<()> {
    let setup = Setup::connect(host, "profile").await?;
    let profile = Arc::new(profile::app(&setup).await?);
    let people = DemoPeople { cat_owner: demo_users::CAT_OWNER.id(), dog_owner: demo_users::DOG_OWNER.id() };
    profile::seed::demo_households(&setup.cx(profile, "demo households", TIMEOUT), people).await?;
    Ok(())
}
