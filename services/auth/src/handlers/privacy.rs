//! `auth.exportPerson` and `auth.erasePerson`.

use super::Cx;
use crate::attempts::Counts;
use crate::domain::email;
use crate::entity::session::RevocationReason;
use crate::repo::sessions::Which;
use crate::repo::{brakes, codes, familiar_addresses, privacy, users};
use crate::revocation;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::Tx;
use store::person::{self, Section, only_for_privacy};
use subjects::auth::{UserStatus, UserUpdated};
use subjects::ids::UserId;
use subjects::privacy::{ErasePersonFromAuth, Erasure, ExportPersonOfAuth, PersonPage};
use subjects::{Fault, NoError};

/// What is kept of a person. Hashes of passwords and tokens are not told: they tell nothing of anybody, and would only
/// be a way in.
const SECTIONS: &[Section] = &[
    Section {
        kind: "account",
        rows: "select id::text as key, jsonb_build_object('id', id, 'email', email,
                'emailVerifiedAt', email_verified_at, 'firstName', first_name,
                'lastName', last_name, 'phoneNumber', phone_number, 'status', status, 'createdAt', created_at,
                'updatedAt', updated_at,
                'roles', (select coalesce(jsonb_agg(role), '[]') from user_roles where user_id = users.id)) as data
            from users where id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "session",
        rows: "select id::text as key, jsonb_build_object('id', id, 'device', device, 'createdAt', created_at,
                'lastUsedAt', last_used_at, 'expiresAt', expires_at, 'endedAt', revoked_at, 'endedBecause',
                revoked_reason) as data
            from sessions where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "signInAttempt",
        rows: "select id::text as key, jsonb_build_object('at', attempted_at, 'outcome', outcome) as data
            from login_attempts where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "oneTimeCode",
        rows: "select id::text as key, jsonb_build_object('purpose', purpose, 'createdAt', created_at, 'expiresAt',
                expires_at, 'usedAt', spent_at) as data
            from one_time_codes where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "familiarAddress",
        rows: "select encode(address, 'hex') as key, jsonb_build_object('signedInAt', signed_in_at) as data
            from familiar_addresses where user_id = $1 and encode(address, 'hex') > $2 order by 1 limit $3",
    },
];

/// What is kept of a person, a page at a time.
pub async fn export(cx: Cx, req: ExportPersonOfAuth) -> Result<PersonPage, NoError> {
    only_for_privacy(&cx)?;
    Ok(person::export(cx.app.store.read(), SECTIONS, req.user_id, req.cursor.as_deref()).await?)
}

/// Empties the account, which nobody can sign in to any more, and ends its sessions. Its row stays, so that its id is
/// never given to somebody else.
pub async fn erase(cx: Cx, req: ErasePersonFromAuth) -> Result<Erasure, NoError> {
    only_for_privacy(&cx)?;
    // The hash of a password that nobody knows.
    let unknown_password = &cx.app.passwords.hash(&URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())).await?;
    let cx = &cx;
    cx.app.store.write(cx, |tx| async move { Ok(erase_account(cx, &tx, req.user_id, unknown_password).await?) }).await
}

async fn erase_account(cx: &Cx, tx: &Tx, user_id: UserId, unknown_password: &str) -> Result<Erasure, Fault> {
    let now = store::now();
    if let Some(mut account) = users::lock(tx, user_id).await? {
        revocation::end_sessions(tx, user_id, Which::All, RevocationReason::AccountClosed, now).await?;
        privacy::erase_attempts(tx, user_id, email::hash(&account.row.email)).await?;
        privacy::erase_sessions(tx, user_id).await?;
        familiar_addresses::forget(tx, user_id).await?;
        let hash = email::hash(&account.row.email);
        for counts in Counts::ALL {
            brakes::lift(tx, &counts.account_hash(cx, &hash)?).await?;
        }
        codes::erase(tx, user_id, &Counts::CodeRequests.account_hash(cx, &hash)?).await?;
        let before = account.clone();
        account.row.email = privacy::email_of_erased(user_id);
        if account.row.email != before.row.email {
            account.row.password_hash = unknown_password.to_owned();
            account.row.email_verified_at = None;
        }
        account.row.first_name = "-".to_owned();
        account.row.last_name = None;
        account.row.phone_number = None;
        account.row.status = UserStatus::Inactive;
        account.row.expires_at = None;
        account.roles.clear();
        // Also of an account that was emptied before: a change that was under way then may have filled it again.
        if account != before {
            account.row.version += 1;
            account.row.updated_at = now;
            privacy::take_roles(tx, user_id).await?;
            users::save(tx, &account.row).await?;
            tx.emit(&UserUpdated(account.to_state())).await?;
        }
    }
    person::forget_person(tx, user_id, [user_id]).await?;
    Ok(Erasure { complete: true })
}
