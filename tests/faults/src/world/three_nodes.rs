//! A platform whose NATS is a cluster of three.

use super::{World, WorldOptions};
use crate::ledger;
use identity::keys::KeyStore;
use petpro::commands::nats_permissions;
use petpro::progress::step;
use petpro::stack::{NATS_URL, Stack, StackOptions};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use testkit::{Durability, NatsCluster, NatsClusterOptions};

/// Every node sets aside for a stream what it may hold at the most; three of them share this disk.
const STREAM_BYTES: &str = "268435456";

impl World {
    /// Likewise, with streams and consumers on three nodes.
    ///
    /// # Errors
    /// Likewise.
    pub async fn start_on_three_nodes(options: WorldOptions) -> anyhow::Result<World> {
        petpro::services::add(vec![ledger::entry()]);
        let starting = step("a cluster of three, other servers, demo data and services");
        let everyone_may_pass = std::fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("petpro-faults-").permissions(everyone_may_pass).tempdir()?;
        // The nodes have to know everybody's key before anybody comes.
        let keys = folder.path().join("keys");
        KeyStore::create_missing(&keys, &petpro::services::names())?;
        let key_store = KeyStore::open(&keys)?;
        let (accounts, tls) = (nats_permissions(&key_store)?, Some(key_store.nats_server_dir()));
        let cluster = NatsCluster::start(NatsClusterOptions { accounts, tls, ..NatsClusterOptions::default() }).await?;
        let given = BTreeMap::from([
            (NATS_URL.to_owned(), cluster.url()),
            ("PETPRO_NATS__REPLICAS".to_owned(), NatsCluster::NODES.to_string()),
            ("PETPRO_NATS__STREAM_BYTES".to_owned(), STREAM_BYTES.to_owned()),
        ]);
        let stack = Stack::start(StackOptions {
            folder: folder.path().to_owned(),
            durability: Durability::Kept,
            first_port: None,
            given,
        })
        .await?;
        let mut world = World::fill(stack, folder, options).await?;
        world.leaks.nats_cluster(&cluster);
        world.cluster = Some(cluster);
        starting.done();
        Ok(world)
    }
}
