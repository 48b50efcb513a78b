//! Where the keys of a process come from.

use anyhow::ensure;
use identity::keys::{Issuance, KeyEncryptionKey, KeyError, KeyStore, RotationTimes, Sealing};
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// The section `keys`.
#[derive(Debug, Clone, serde::Deserialize, garde::Validate)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// The folder that `petpro keys` fills.
    #[garde(skip)]
    pub dir: PathBuf,
    /// The key under which the secrets of the folder are sealed, as `petpro keys new-encryption-key` prints it.
    #[garde(skip)]
    pub encryption_key: Option<SecretString>,
    /// A file that has it, for configuration files; it goes before `encryption_key`.
    #[garde(skip)]
    pub encryption_key_file: Option<PathBuf>,
    /// The one before it, while `petpro keys seal` has not been everywhere.
    #[garde(skip)]
    pub previous_encryption_key: Option<SecretString>,
    /// A file that has it.
    #[garde(skip)]
    pub previous_encryption_key_file: Option<PathBuf>,
    /// Secrets that are not sealed are read, too, and written so where there is no key: for tests and tryouts.
    #[garde(skip)]
    pub allow_plain: bool,
    /// How often a process looks whether the public registries have changed, in milliseconds.
    #[garde(range(min = 50, max = 600_000))]
    pub refresh_ms: u64,
    /// How long `petpro keys rotate` has a new key only be known before it is used, in seconds: every replica has to have
    /// looked, and where files reach replicas later than they change, that time comes on top.
    #[garde(range(min = 1, max = 2_592_000))]
    pub rotation_overlap_seconds: u32,
    /// How long an old key is accepted after that, in seconds. When not given: as long as what it has signed lives, and a
    /// minute; for NATS as long as the overlap.
    #[garde(inner(range(max = 2_592_000)))]
    pub retire_after_seconds: Option<u32>,
    /// How long certificates for connections to NATS hold, in days. They are to be renewed before (`petpro keys rotate`).
    #[garde(range(min = 1, max = 3650))]
    pub certificate_days: u16,
    /// Names and addresses by which clients reach nats-server, separated by commas, beside `localhost`, `127.0.0.1`, `::1`
    /// and `nats`: its certificate holds for these.
    #[garde(length(max = 1024), pattern(r"^([A-Za-z0-9:._-]+([ \t]*,[ \t]*[A-Za-z0-9:._-]+)*)?$"))]
    pub server_names: String,
}

impl Default for KeysConfig {
    fn default() -> KeysConfig {
        KeysConfig {
            dir: PathBuf::from(".petpro/keys"),
            encryption_key: None,
            encryption_key_file: None,
            previous_encryption_key: None,
            previous_encryption_key_file: None,
            allow_plain: false,
            refresh_ms: 5_000,
            rotation_overlap_seconds: 300,
            retire_after_seconds: None,
            certificate_days: 365,
            server_names: String::new(),
        }
    }
}

impl KeysConfig {
    /// How the secrets of the folder are sealed.
    ///
    /// # Errors
    /// A key-encryption key that is none, or whose file cannot be read.
    pub fn sealing(&self) -> Result<Sealing, KeyError> {
        let current = key("ENCRYPTION_KEY", self.encryption_key_file.as_ref(), self.encryption_key.as_ref())?;
        let previous_file = self.previous_encryption_key_file.as_ref();
        let previous = key("PREVIOUS_ENCRYPTION_KEY", previous_file, self.previous_encryption_key.as_ref())?;
        let sealing = match current {
            Some(current) => Sealing::new(current, previous),
            None => Sealing::without_key(),
        };
        Ok(if self.allow_plain { sealing.allowing_plain() } else { sealing })
    }

    /// Opens the folder.
    ///
    /// # Errors
    /// A bad key-encryption key, or no keys yet.
    pub fn open(&self) -> Result<KeyStore, KeyError> {
        Ok(KeyStore::open_sealed(&self.dir, self.sealing()?)?.issuing(self.issuance()))
    }

    /// How certificates are issued.
    pub fn issuance(&self) -> Issuance {
        let names = self.server_names.split(',').map(str::trim).filter(|name| !name.is_empty());
        Issuance {
            lifetime: chrono::Duration::days(self.certificate_days.into()),
            server_names: names.map(str::to_owned).collect(),
        }
    }

    /// How often the registries are read again.
    pub fn refresh(&self) -> Duration {
        Duration::from_millis(self.refresh_ms)
    }

    /// How long the parts of a rotation take.
    ///
    /// # Errors
    /// Replicas could learn of a key after it is used.
    pub fn rotation_times(&self) -> anyhow::Result<RotationTimes> {
        let overlap = Duration::from_secs(self.rotation_overlap_seconds.into());
        ensure!(
            overlap >= 2 * self.refresh(),
            "PETPRO_KEYS__ROTATION_OVERLAP_SECONDS is too short: processes look every PETPRO_KEYS__REFRESH_MS, and a key \
             has to be known for at least two such times before it is used"
        );
        Ok(RotationTimes {
            overlap: chrono::Duration::seconds(self.rotation_overlap_seconds.into()),
            retirement: self.retire_after_seconds.map(|seconds| chrono::Duration::seconds(seconds.into())),
        })
    }
}

fn key(
    variable: &'static str,
    file: Option<&PathBuf>,
    value: Option<&SecretString>,
) -> Result<Option<KeyEncryptionKey>, KeyError> {
    let from_file = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|source| KeyError::EncryptionKeyFile { variable, path: path.clone(), source })?;
            Some(SecretString::from(text))
        }
        None => None,
    };
    let Some(text) = from_file.as_ref().or(value) else { return Ok(None) };
    KeyEncryptionKey::parse(text).map(Some).ok_or(KeyError::BadEncryptionKey { variable })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use identity::keys::Kept;
    use secrecy::ExposeSecret as _;

    fn config(toml: &str) -> KeysConfig {
        Settings::from_toml(&format!("[keys]\n{toml}")).section("keys").unwrap()
    }

    #[test]
    fn the_key_comes_from_a_value_or_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (KeyEncryptionKey::generate(), KeyEncryptionKey::generate());
        let id = |text: &SecretString| KeyEncryptionKey::parse(text).unwrap().id().to_owned();
        let file = folder.path().join("encryption.key");
        std::fs::write(&file, format!("{}\n", second.expose_secret())).unwrap();
        let by_value = config(&format!("encryption_key = {:?}", first.expose_secret()));
        assert_eq!(by_value.sealing().unwrap().current_id(), Some(id(&first).as_str()));
        let by_file = config(&format!("encryption_key_file = {file:?}"));
        assert_eq!(by_file.sealing().unwrap().current_id(), Some(id(&second).as_str()));
        assert_eq!(config("").sealing().unwrap().current_id(), None);

        let keys = folder.path().join("keys");
        KeyStore::create_sealed(&keys, by_value.sealing().unwrap(), &["auth"]).unwrap();
        let both = config(&format!(
            "dir = {keys:?}\nencryption_key_file = {file:?}\nprevious_encryption_key = {:?}",
            first.expose_secret()
        ));
        both.open().unwrap().nats_seed("auth").unwrap();
        let secrets = both.open().unwrap().secrets().unwrap();
        assert!(secrets.iter().all(|(_, kept)| *kept == Kept::Sealed(id(&first))), "{secrets:?}");
        assert!(!format!("{both:#?}").contains(first.expose_secret()));
    }

    #[test]
    fn what_is_no_key_is_named_by_its_variable() {
        let said = |toml: &str| config(toml).sealing().unwrap_err().to_string();
        assert!(said("encryption_key = 'short'").contains("PETPRO_KEYS__ENCRYPTION_KEY "));
        assert!(said("previous_encryption_key = 'short'").contains("PETPRO_KEYS__PREVIOUS_ENCRYPTION_KEY "));
        assert!(said("encryption_key_file = '/nowhere'").contains("PETPRO_KEYS__ENCRYPTION_KEY_FILE"));
    }

    #[test]
    fn a_new_key_is_known_to_all_before_it_is_used() {
        assert!(config("refresh_ms = 1000\nrotation_overlap_seconds = 1").rotation_times().is_err());
        let times = config("refresh_ms = 500\nrotation_overlap_seconds = 1\nretire_after_seconds = 2").rotation_times();
        assert_eq!(times.unwrap().retirement, Some(chrono::Duration::seconds(2)));
    }
}
