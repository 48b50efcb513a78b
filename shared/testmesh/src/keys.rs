//! The keys of all identities.

use identity::keys::KeyStore;
use std::path::PathBuf;
use std::sync::OnceLock;
use subjects::catalogue;

/// A service that there is not yet, but that the contract names.
pub(crate) const NOTIFIER: &str = "notification";

/// Opens the keys that all tests of this binary share: roles belong to the Postgres server that they share, so they
/// share the passwords too. The folder lies beside the binary and is as lasting as that.
pub(crate) fn keys() -> (PathBuf, KeyStore) {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = std::env::current_exe().unwrap().with_extension("keys");
        let mut identities = catalogue::SERVICES.to_vec();
        identities.extend(["edge", NOTIFIER]);
        KeyStore::create_missing(&folder, &identities).unwrap();
        folder
    });
    (folder.clone(), KeyStore::open(folder).unwrap())
}
