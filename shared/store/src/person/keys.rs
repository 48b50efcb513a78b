//! The keys of persons, as a service keeps them.

use super::cipher::{self, KEY};
use super::held::HeldKeys;
use super::key::PersonKey;
use crate::error::Error;
use crate::store::Store;
use crate::tx::Tx;
use anyhow::Context as _;
use identity::DataKey;
use platform::Setup;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subjects::{ErrorCode, Fault};
use uuid::Uuid;
use zeroize::Zeroizing;

/// For how long an unwrapped key is used without looking whether it still exists. As long as this may a replica show
/// the texts of somebody whose key another replica has destroyed.
const USED_FOR: Duration = Duration::from_secs(60);
/// How often a key is looked for that somebody else is making at the same time.
const TRIES: u32 = 5;
/// The version of the form of a wrapped key, its first byte.
const WRAPPED_FORM: u8 = 1;

/// The key of a subject, made where there was neither key nor the mark of a destroyed one. No row: somebody else made
/// it while this statement ran, which it cannot see.
const FIND_OR_MAKE: &str = "
with found as (
    select wrapped from person_keys where subject = $1
), made as (
    insert into person_keys (subject, wrapped) select $1, $2 where not exists (select from found)
    on conflict on constraint person_keys_pkey do nothing
    returning wrapped
)
select $1 as subject, wrapped from found union all select $1, wrapped from made";

const FIND_MANY: &str =
    "select subject, wrapped from person_keys where subject = any(string_to_array($1, ',')::uuid[])";

const DESTROY: &str = "
insert into person_keys (subject, destroyed_at) values ($1, clock_timestamp())
on conflict on constraint person_keys_pkey do update set wrapped = null, destroyed_at = excluded.destroyed_at
where person_keys.destroyed_at is null";

/// Keeps the keys of persons for one service. Cheap to clone.
#[derive(Clone)]
pub struct PersonKeys {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    data_key: DataKey,
    unwrapped: Arc<HeldKeys>,
}

impl PersonKeys {
    /// Over the service's store, with the data key from its keys. To be called where tasks can be spawned.
    ///
    /// # Errors
    /// There is no data key.
    pub fn open(setup: &Setup, store: &Store) -> anyhow::Result<PersonKeys> {
        let data_key = setup.keys.data_key(setup.name).context("the key that wraps the keys of persons")?;
        let inner = Inner { store: store.clone(), data_key, unwrapped: HeldKeys::new(USED_FOR) };
        Ok(PersonKeys { inner: Arc::new(inner) })
    }

    /// The key to seal something new with, made where there is none yet. It is made outside of any transaction: call
    /// this before one begins, so that no key is used that a rollback takes back.
    ///
    /// # Errors
    /// `gone`, with the reason `person_erased`, where the key was destroyed; the database's failures.
    pub async fn for_writing(&self, subject: Uuid) -> Result<PersonKey, Fault> {
        if let Some(key) = self.inner.unwrapped.get(subject) {
            return Ok(key);
        }
        for _ in 0..TRIES {
            let fresh = Zeroizing::new(rand::random::<[u8; KEY]>());
            let wrapped = self.wrap(subject, &fresh)?;
            let statement =
                Statement::from_sql_and_values(DbBackend::Postgres, FIND_OR_MAKE, [subject.into(), wrapped.into()]);
            let row = self.inner.store.read().query_one_raw(statement).await.map_err(Error::from)?;
            if let Some(row) = row {
                let (_, key) = self.unwrap_row(&row)?;
                return key.ok_or_else(erased);
            }
        }
        Err(Fault::internal("a person's key was neither there nor could be made"))
    }

    /// The key to open with what is there; none where it was destroyed, or nothing was ever sealed.
    ///
    /// # Errors
    /// The database's failures; `internal` for a key that was wrapped under another data key.
    pub async fn for_reading(&self, db: &impl ConnectionTrait, subject: Uuid) -> Result<Option<PersonKey>, Fault> {
        Ok(self.of_many(db, [subject]).await?.get(subject).cloned())
    }

    /// [`PersonKeys::for_reading`] for several, in at most one query.
    ///
    /// # Errors
    /// Likewise.
    pub async fn of_many(
        &self,
        db: &impl ConnectionTrait,
        subjects: impl IntoIterator<Item = Uuid>,
    ) -> Result<KeysOfMany, Fault> {
        let mut keys = HashMap::new();
        let mut missing = BTreeSet::new();
        for subject in subjects {
            match self.inner.unwrapped.get(subject) {
                Some(key) => drop(keys.insert(subject, key)),
                None => drop(missing.insert(subject)),
            }
        }
        if !missing.is_empty() {
            let ids: Vec<String> = missing.iter().map(Uuid::to_string).collect();
            let values: [Value; 1] = [ids.join(",").into()];
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, FIND_MANY, values);
            for row in db.query_all_raw(statement).await.map_err(Error::from)? {
                if let (subject, Some(key)) = self.unwrap_row(&row)? {
                    keys.insert(subject, key);
                }
            }
        }
        Ok(KeysOfMany(keys))
    }

    /// Destroys the key, and with it all that was ever sealed under it. It is never made again. Other replicas may use
    /// it for a minute yet: what they seal with it meanwhile is as lost.
    ///
    /// # Errors
    /// The database's failures.
    pub async fn destroy(&self, tx: &Tx, subject: Uuid) -> Result<(), Fault> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, DESTROY, [subject.into()]);
        tx.execute_raw(statement).await.map_err(Error::from)?;
        self.inner.unwrapped.remove(subject);
        Ok(())
    }

    /// The subject of a row and its key, which is held from now on; none of a destroyed one.
    fn unwrap_row(&self, row: &QueryResult) -> Result<(Uuid, Option<PersonKey>), Fault> {
        let subject: Uuid = row.try_get("", "subject").map_err(Error::from)?;
        let wrapped: Option<Vec<u8>> = row.try_get("", "wrapped").map_err(Error::from)?;
        let Some(wrapped) = wrapped else { return Ok((subject, None)) };
        let key = self.unwrap(subject, &wrapped).ok_or_else(|| {
            Fault::internal(format!(
                "the key of the person {subject} is not wrapped under the data key of this service"
            ))
        })?;
        let key = PersonKey::new(subject, key);
        self.inner.unwrapped.hold(subject, key.clone());
        Ok((subject, Some(key)))
    }

    fn wrap(&self, subject: Uuid, key: &[u8; KEY]) -> Result<Vec<u8>, Fault> {
        let sealed = cipher::encrypt(self.inner.data_key.expose(), &self.context(subject), key);
        let mut wrapped = vec![WRAPPED_FORM];
        wrapped.extend(sealed.map_err(Fault::internal)?);
        Ok(wrapped)
    }

    fn unwrap(&self, subject: Uuid, wrapped: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
        let sealed = wrapped.strip_prefix(&[WRAPPED_FORM])?;
        let key = Zeroizing::new(cipher::decrypt(self.inner.data_key.expose(), &self.context(subject), sealed)?);
        key.as_slice().try_into().ok().map(Zeroizing::new)
    }

    fn context(&self, subject: Uuid) -> Vec<u8> {
        let service = self.inner.store.inner().service;
        [b"petpro person key 1\0", service.as_bytes(), b"\0", subject.as_bytes().as_slice()].concat()
    }
}

/// The keys of several, as far as they exist.
#[derive(Debug, Default)]
pub struct KeysOfMany(HashMap<Uuid, PersonKey>);

impl KeysOfMany {
    /// One of them.
    pub fn get(&self, subject: Uuid) -> Option<&PersonKey> {
        self.0.get(&subject)
    }
}

fn erased() -> Fault {
    Fault::new(ErrorCode::Gone, "the data of this person has been erased").with_reason("person_erased")
}

/// Without any key.
impl fmt::Debug for PersonKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonKeys").field("service", &self.inner.store.inner().service).finish_non_exhaustive()
    }
}
