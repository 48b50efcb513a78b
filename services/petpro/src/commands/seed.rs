//! Demo data: people, and clinics to book at.

use crate::demo_users;
use auth::SeedUser;
use platform::setup::{Host, Setup};
use std::sync::Arc;
use std::time::Duration;
use store::HasStore as _;
use subjects::auth::NewPassword;
use vendor::seed::DemoMember;

/// How long the clinics may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Makes the demo data where it is not there yet. Doing it again changes nothing.
///
/// # Errors
/// A server is away, or the database is not migrated.
pub async fn seed(host: &Host) -> anyhow::Result<()> {
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
    let setup = Setup::connect(host, "vendor").await?;
    let vendor = Arc::new(vendor::app(&setup).await?);
    let members: Vec<DemoMember> =
        demo_users::members().into_iter().map(|(user_id, role)| DemoMember { user_id, role }).collect();
    vendor::seed::demo_clinics(&setup.cx(vendor, "demo clinics", TIMEOUT), &members).await?;
    Ok(())
}
