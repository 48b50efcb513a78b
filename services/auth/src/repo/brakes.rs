//! What holds up attempts.

use crate::domain::brakes::{Brake, Forgets};
use sea_orm::{ConnectionTrait, Value};
use store::{Error, statement};
use subjects::time::Instant;

/// What attempts are counted for: a row's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The keyed hash of an account's e-mail address; empty: whatever account.
    pub account: Vec<u8>,
    /// The keyed hash of a client's address; empty: from wherever.
    pub address: Vec<u8>,
}

impl Key {
    /// What is counted for whatever account.
    pub fn of_address(address: Vec<u8>) -> Key {
        Key { account: Vec::new(), address }
    }
}

/// An attempt that was counted as a failure before it began.
#[derive(Debug, Clone)]
pub struct Counted {
    key: Key,
    /// The wait that it began for those that come after it.
    locked_until: Option<Instant>,
}

impl Counted {
    /// Whether it was counted for an account.
    pub fn is_of_account(&self) -> bool {
        !self.key.account.is_empty()
    }
}

/// What counting an attempt comes to.
#[derive(Debug, Clone)]
pub enum Count {
    /// It may be made.
    Counted(Counted),
    /// It may not before this time, and was not counted.
    LockedUntil(Instant),
}

// One statement: the row's lock makes attempts at the same time count one after the other, and is not held while a password
// is hashed. A subscript outside of an array gives null.
const COUNT: &str = "
insert into attempt_brakes as brake (account, address, failures, locked_until, forgotten_at)
values ($1, $2, 1, $3 + (string_to_array($5, ',')::interval[])[2 - $4], $3 + $6::interval)
on conflict on constraint attempt_brakes_pkey do update set (failures, locked_until, forgotten_at) = (
    select counted.failures,
        $3 + (string_to_array($5, ',')::interval[])
            [least(counted.failures - $4 + 1, cardinality(string_to_array($5, ',')))],
        case when $7 or counted.failures = 1 then $3 + $6::interval else brake.forgotten_at end
    from (select case when brake.forgotten_at <= $3 then 1 else brake.failures + 1 end as failures) as counted)
where brake.locked_until is null or brake.locked_until <= $3
returning locked_until";

const LOCKED_UNTIL: &str = "select locked_until from attempt_brakes where account = $1 and address = $2";

/// Counts an attempt as one that failed, unless there is a wait.
pub async fn count(db: &impl ConnectionTrait, key: Key, brake: &Brake, now: Instant) -> Result<Count, Error> {
    let waits: Vec<String> = brake.waits().iter().map(|wait| format!("{}s", wait.num_seconds())).collect();
    let (remembered, slides) = match brake.forgets {
        Forgets::AfterTheLast(time) => (time, true),
        Forgets::AfterTheFirst(time) => (time, false),
    };
    let values: Vec<Value> = vec![
        key.account.clone().into(),
        key.address.clone().into(),
        now.into(),
        i32::try_from(brake.first_at).unwrap_or(i32::MAX).into(),
        waits.join(",").into(),
        format!("{}s", remembered.num_seconds()).into(),
        slides.into(),
    ];
    if let Some(row) = db.query_one_raw(statement(COUNT, values)).await? {
        return Ok(Count::Counted(Counted { key, locked_until: row.try_get("", "locked_until")? }));
    }
    let row = db.query_one_raw(statement(LOCKED_UNTIL, vec![key.account.into(), key.address.into()])).await?;
    let until: Option<Instant> = row.map_or(Ok(None), |row| row.try_get("", "locked_until"))?;
    // Somebody may have lifted it since.
    Ok(Count::LockedUntil(until.unwrap_or(now)))
}

const TAKE_BACK: &str = "
update attempt_brakes set failures = greatest(failures - 1, 0),
    locked_until = case when locked_until = $3 then null else locked_until end
where account = $1 and address = $2";

/// Takes back that an attempt was counted, with the wait that it began.
pub async fn take_back(db: &impl ConnectionTrait, counted: &Counted) -> Result<(), Error> {
    let Counted { key, locked_until } = counted.clone();
    let values = vec![key.account.into(), key.address.into(), locked_until.into()];
    db.execute_raw(statement(TAKE_BACK, values)).await?;
    Ok(())
}

/// Forgets all that was counted under the key of an attempt.
pub async fn reset(db: &impl ConnectionTrait, counted: &Counted) -> Result<(), Error> {
    let Key { account, address } = counted.key.clone();
    let reset = "delete from attempt_brakes where account = $1 and address = $2";
    db.execute_raw(statement(reset, vec![account.into(), address.into()])).await?;
    Ok(())
}

/// Forgets all that was counted for an account, from wherever.
pub async fn lift(db: &impl ConnectionTrait, account: &[u8]) -> Result<(), Error> {
    db.execute_raw(statement("delete from attempt_brakes where account = $1", vec![account.into()])).await?;
    Ok(())
}

/// Removes what is forgotten by `now` and locks nobody, in batches, and answers how many.
pub async fn remove_forgotten(db: &impl ConnectionTrait, now: Instant) -> Result<u64, Error> {
    let is_forgotten = "forgotten_at <= $1 and (locked_until is null or locked_until <= $1)";
    store::delete_in_batches(db, "attempt_brakes", is_forgotten, &[now.into()]).await
}
