//! Which process holds a service's relay: the one at the other end of the connection that holds its lock.

use super::World;
use anyhow::Context as _;
use std::fs;

/// The client's port of whoever holds an advisory lock.
const HOLDER: &str = "\
    select activity.client_port from pg_locks as lock
    join pg_stat_activity as activity using (pid)
    where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 1
        and ((lock.classid::bigint << 32) | lock.objid::bigint) = $1";

impl World {
    /// The name of the process that relays the events of a service; none while nobody does.
    ///
    /// # Errors
    /// The database's, or a system without `/proc`.
    pub async fn relay_holder(&self, service: &str) -> anyhow::Result<Option<&'static str>> {
        let mut database = self.database().await?;
        let key = store::relay_lock_key(service);
        let port: Option<Option<i32>> = sqlx::query_scalar(HOLDER).bind(key).fetch_optional(&mut database).await?;
        let Some(port) = port.flatten() else { return Ok(None) };
        let inode = inode_of_port(u16::try_from(port)?)?;
        let Some(inode) = inode else { return Ok(None) };
        let socket = format!("socket:[{inode}]");
        let ids = self.processes.ids().await;
        Ok(ids.into_iter().find(|(_, id)| has_open(*id, &socket)).map(|(name, _)| name))
    }
}

/// The inode of the socket that has this local port; see proc(5), `/proc/net/tcp`.
fn inode_of_port(port: u16) -> anyhow::Result<Option<u64>> {
    let table = fs::read_to_string("/proc/net/tcp").context("relays are found through /proc")?;
    let wanted = format!("0100007F:{port:04X}");
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.get(1) == Some(&wanted.as_str()) {
            return Ok(fields.get(9).and_then(|inode| inode.parse().ok()));
        }
    }
    Ok(None)
}

fn has_open(process_id: u32, target: &str) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{process_id}/fd")) else { return false };
    entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == target))
}
