//! `petpro token`.

use crate::cli::TokenArgs;
use crate::demo_users::DemoUser;
use crate::output::say;
use anyhow::Context as _;
use identity::keys::{KeyStore, OPERATOR, Purpose};
use identity::{User, UserTokens};
use platform::Settings;
use platform::setup::KeysConfig;
use subjects::Role;
use subjects::ids::{SessionId, UserId};

pub(super) fn execute(args: &TokenArgs) -> anyhow::Result<()> {
    let config: KeysConfig = Settings::load()?.section("keys")?;
    say!("{}", issue(&config.open()?, args)?)?;
    Ok(())
}

/// A user token, signed by the operator.
pub(super) fn issue(keys: &KeyStore, args: &TokenArgs) -> anyhow::Result<String> {
    let tokens = UserTokens::new(keys.signing_key(OPERATOR, Purpose::User)?);
    Ok(tokens.issue(&user(args)?, chrono::Utc::now()))
}

fn user(args: &TokenArgs) -> anyhow::Result<User> {
    let session = SessionId::new();
    if let Some(email) = &args.demo_user {
        let demo_user = DemoUser::by_email(email)
            .with_context(|| format!("{email} is nobody of the demo data; give --user with an id instead"))?;
        return Ok(User { id: demo_user.id(), session, roles: vec![demo_user.role] });
    }
    if args.roles.is_empty() {
        // Whoever looks as a user must not act with more rights than the user has.
        let role = if args.user.is_some() { Role::Customer } else { Role::PlatformAdmin };
        return Ok(User { id: args.user.map_or_else(UserId::new, UserId), session, roles: vec![role] });
    }
    let roles = args.roles.iter().map(|name| {
        Role::parse(name)
            .with_context(|| format!("{name} is no name of a role, as customer, platform_admin or support are"))
    });
    Ok(User { id: args.user.map_or_else(UserId::new, UserId), session, roles: roles.collect::<anyhow::Result<_>>()? })
}
