//! A folder of keys, opened.

use super::certificates::{self, Authorities, Authority, Certificate, Issuance, Validity};
use super::create::{self, KeysMade};
use super::folder::Folder;
use super::live::{Live, Published};
use super::signer::HeldKeys;
use super::{
    DataKey, Kept, KeyError, NatsRegistry, NatsSeed, Purpose, Registry, Rotation, RotationTimes, Sealing, Signer,
    SigningKey, files, rotate,
};
use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subjects::time::Instant;

/// A folder of keys. Clones see the same changes.
#[derive(Clone)]
pub struct KeyStore {
    folder: Folder,
    issuance: Issuance,
    live: Arc<Live>,
}

impl KeyStore {
    /// Opens a folder of secrets that are not sealed.
    pub fn open(dir: impl AsRef<Path>) -> Result<KeyStore, KeyError> {
        KeyStore::open_sealed(dir, Sealing::none())
    }

    /// Opens the folder and reads its public registries, but no secret.
    pub fn open_sealed(dir: impl AsRef<Path>, sealing: Sealing) -> Result<KeyStore, KeyError> {
        let folder = Folder { dir: dir.as_ref().to_path_buf(), sealing };
        let live = Live::new(Published::read(&folder)?);
        Ok(KeyStore { folder, issuance: Issuance::default(), live: Arc::new(live) })
    }

    /// The same, and certificates that it renews are issued so.
    #[must_use]
    pub fn issuing(self, issuance: Issuance) -> KeyStore {
        KeyStore { issuance, ..self }
    }

    /// [`KeyStore::create_sealed`] for a folder of secrets that are not sealed.
    pub fn create_missing(dir: impl AsRef<Path>, services: &[&str]) -> Result<KeysMade, KeyError> {
        KeyStore::create_sealed(dir, Sealing::none(), services)
    }

    /// Makes whatever the named services, the edge, the operator, the neighbours and the provisioner need and do not have
    /// yet, and tells what it made. What is there stays as it is. A new folder gets mode 0700, every file 0600.
    pub fn create_sealed(dir: impl AsRef<Path>, sealing: Sealing, services: &[&str]) -> Result<KeysMade, KeyError> {
        KeyStore::create_issuing(dir, sealing, &Issuance::default(), services)
    }

    /// [`KeyStore::create_sealed`], with certificates that are issued so.
    pub fn create_issuing(
        dir: impl AsRef<Path>,
        sealing: Sealing,
        issuance: &Issuance,
        services: &[&str],
    ) -> Result<KeysMade, KeyError> {
        create::create_missing(&Folder { dir: dir.as_ref().to_path_buf(), sealing }, issuance, services)
    }

    /// Seals every secret of a folder that is not sealed under the current key yet, and answers which those were.
    pub fn seal(dir: impl AsRef<Path>, sealing: Sealing) -> Result<Vec<PathBuf>, KeyError> {
        let folder = Folder { dir: dir.as_ref().to_path_buf(), sealing };
        let _lock = files::lock_dir(&folder.dir)?;
        folder.seal_all()
    }

    /// [`KeyStore::tidy`] of a folder that may not be there, or not whole. It comes before [`KeyStore::create_issuing`]:
    /// what that puts in the place of something is not everywhere yet, and the other one is needed for a while.
    pub fn tidy_folder(dir: impl AsRef<Path>, sealing: Sealing, issuance: &Issuance) -> Result<Vec<String>, KeyError> {
        let folder = Folder { dir: dir.as_ref().to_path_buf(), sealing };
        if folder.dir.exists() { rotate::tidy(&folder, issuance, Utc::now()) } else { Ok(Vec::new()) }
    }

    /// Begins to put new signing keys and nkeys in the place of those of the named owners, or of all but neighbours where
    /// nobody is named. Where that is under way already, shorter times bring its end forward, and nothing else changes.
    /// Their certificates are renewed at once; [`super::NATS_SERVER`] and [`super::AUTHORITY`] may be named as well.
    pub fn rotate(&self, owners: &[&str], times: &RotationTimes) -> Result<Rotation, KeyError> {
        rotate::rotate(&self.folder, &self.issuance, owners, times, Utc::now())
    }

    /// Forgets keys that have left, and answers their names. Gives nats-server the certificate that it should have now.
    pub fn tidy(&self) -> Result<Vec<String>, KeyError> {
        rotate::tidy(&self.folder, &self.issuance, Utc::now())
    }

    /// Reads the registries again, and private keys that were added since. Answers whether anything public has changed.
    ///
    /// # Errors
    /// Something cannot be read. What was known before stays in force.
    pub fn refresh(&self) -> Result<bool, KeyError> {
        let is_new = self.live.publish(Published::read(&self.folder)?);
        let read = |signer: &Signer| signer.read_again(|owner, purpose| self.held_keys(owner, purpose));
        self.live.bring_signers_up(read)?;
        Ok(is_new)
    }

    /// Where the files are.
    pub fn dir(&self) -> &Path {
        &self.folder.dir
    }

    /// The public keys of all signing keys, as last read.
    pub fn registry(&self) -> Arc<Registry> {
        self.live.published().registry
    }

    /// The nkeys of all NATS identities, as last read.
    pub fn nats_registry(&self) -> Arc<NatsRegistry> {
        self.live.published().nats
    }

    /// Changes with each change of the registries.
    pub(crate) fn generation(&self) -> u64 {
        self.live.generation()
    }

    /// The private key that `owner` signs with now for this purpose. It must stand in the registry, or else nobody
    /// would accept what it signs.
    pub fn signing_key(&self, owner: &str, purpose: Purpose) -> Result<SigningKey, KeyError> {
        Ok(self.held_keys(owner, purpose)?.at(Utc::now()).clone())
    }

    /// Signs for `owner` with whichever key is in use; it learns of a new one by [`KeyStore::refresh`].
    pub fn signer(&self, owner: &str, purpose: Purpose) -> Result<Signer, KeyError> {
        let signer = Signer::new(owner, purpose, self.held_keys(owner, purpose)?);
        self.live.add_signer(&signer);
        Ok(signer)
    }

    fn held_keys(&self, owner: &str, purpose: Purpose) -> Result<HeldKeys, KeyError> {
        let path = files::signing_key_path(&self.folder.dir, owner, purpose)?;
        let waiting = files::next_signing_key_path(&self.folder.dir, owner, purpose)?;
        let registry = self.registry();
        // The one that waits first: between the two, it may take the other's place.
        let next = self.registered_key(&registry, &waiting, owner, purpose)?;
        let current = self.registered_key(&registry, &path, owner, purpose)?;
        match (current, next) {
            (Some((current, _)), next) => Ok(HeldKeys { current, next }),
            (None, Some((current, _))) => Ok(HeldKeys { current, next: None }),
            (None, None) => match files::read_text(&path) {
                Ok(_) => Err(KeyError::NotInRegistry { path }),
                Err(error) => Err(error),
            },
        }
    }

    /// The private key in a file, if there is one and the registry has it.
    fn registered_key(
        &self,
        registry: &Registry,
        path: &Path,
        owner: &str,
        purpose: Purpose,
    ) -> Result<Option<(SigningKey, Option<Instant>)>, KeyError> {
        let Some(pem) = self.folder.read_secret_if_there(path)? else { return Ok(None) };
        let key = SigningKey::from_pkcs8_pem(owner, purpose, pem.expose_secret())
            .map_err(|reason| KeyError::invalid(path, reason))?;
        let public = registry.find(key.kid()).filter(|public| public.owner == owner && public.purpose == purpose);
        Ok(public.map(|public| (key, public.signs_from)))
    }

    /// The seed of the nkey that a NATS identity connects with now.
    pub fn nats_seed(&self, identity: &str) -> Result<SecretString, KeyError> {
        let seeds = self.nats_seeds(identity)?;
        match seeds.into_iter().next() {
            Some(seed) => Ok(seed.seed),
            None => Err(KeyError::Missing { path: files::nats_seed_path(&self.folder.dir, identity)? }),
        }
    }

    /// The seeds of a NATS identity: first the one to connect with, then, while keys are rotated, the other one, which a
    /// server may still, or already, insist on.
    pub fn nats_seeds(&self, identity: &str) -> Result<Vec<NatsSeed>, KeyError> {
        let path = files::nats_seed_path(&self.folder.dir, identity)?;
        let waiting = files::next_nats_seed_path(&self.folder.dir, identity)?;
        let mut seeds = Vec::new();
        for path in [&waiting, &path] {
            if let Some(seed) = self.folder.read_secret_if_there(path)? {
                seeds.push(NatsSeed::of(path, seed)?);
            }
        }
        if seeds.is_empty() {
            return Err(KeyError::Missing { path });
        }
        let active = self.nats_registry().active(identity, Utc::now());
        seeds.sort_by_key(|seed| active.as_ref().is_none_or(|active| active.key != seed.key));
        Ok(seeds)
    }

    /// The public nkey (`U…`) that every NATS identity connects with now, by name.
    pub fn nats_public_keys(&self) -> BTreeMap<String, String> {
        let (registry, now) = (self.nats_registry(), Utc::now());
        let active = |identity: &str| Some((identity.to_owned(), registry.active(identity, now)?.key));
        registry.identities().filter_map(active).collect()
    }

    /// The authorities for connections to NATS, as last read.
    pub fn authorities(&self) -> Arc<Authorities> {
        self.live.published().authorities
    }

    /// What is certified of a NATS identity, by the newest authority last: one certificate, or two while one authority
    /// follows the other.
    pub fn nats_certificates(&self, identity: &str) -> Result<Vec<Certificate>, KeyError> {
        let authorities = self.authorities();
        let held = certificates::held_by(&self.folder, &authorities, identity)?;
        if held.is_empty() {
            let id = authorities.all().last().map_or("", |authority| authority.id.as_str());
            return Err(KeyError::Missing { path: files::certificate_path(&self.folder.dir, identity, id)? });
        }
        Ok(held.into_iter().map(|(_, certificate)| certificate).collect())
    }

    /// What each authority has certified of a NATS identity, as it lies here.
    pub fn certified(&self, identity: &str) -> Result<Vec<(Authority, Validity)>, KeyError> {
        let authorities = self.authorities();
        let held = certificates::held_by(&self.folder, &authorities, identity)?;
        Ok(held.into_iter().map(|(authority, certificate)| (authority.clone(), certificate.validity)).collect())
    }

    /// When the certificate holds that nats-server has; none where its folder is not here.
    pub fn validity_of_server(&self) -> Result<Option<Validity>, KeyError> {
        certificates::validity_of_server(&self.folder)
    }

    /// The folder that nats-server reads its certificate from: `server.pem` and `authorities.pem`.
    pub fn nats_server_dir(&self) -> PathBuf {
        files::nats_server_dir(&self.folder.dir)
    }

    /// The password of a service's database role, or of [`super::POSTGRES_ADMIN`].
    pub fn postgres_password(&self, service: &str) -> Result<SecretString, KeyError> {
        self.folder.read_secret(&files::postgres_password_path(&self.folder.dir, service)?)
    }

    /// The key under which a service wraps the keys of the persons whose texts it keeps.
    pub fn data_key(&self, service: &str) -> Result<DataKey, KeyError> {
        let path = files::data_key_path(&self.folder.dir, service)?;
        let text = self.folder.read_secret(&path)?;
        DataKey::parse(&text).ok_or_else(|| KeyError::invalid(&path, "it is not 32 bytes in base64url"))
    }

    /// Every secret of the folder by its name there, and how it is kept.
    pub fn secrets(&self) -> Result<Vec<(String, Kept)>, KeyError> {
        let secrets = self.folder.secrets()?;
        Ok(secrets.into_iter().map(|(path, kept)| (self.folder.name_of(&path), kept)).collect())
    }

    /// Writes the seed of a NATS identity into a file elsewhere, as other programs read it: not sealed.
    pub fn export_nats_seed(&self, identity: &str, to: &Path) -> Result<(), KeyError> {
        files::write_private(to, self.nats_seed(identity)?.expose_secret())
    }

    /// Writes the certificate of a NATS identity, its private key and the authorities to trust into files of that folder, as
    /// other programs read them: not sealed. Answers which files it wrote.
    pub fn export_nats_certificate(&self, identity: &str, to: &Path) -> Result<Vec<PathBuf>, KeyError> {
        let (authorities, now) = (self.authorities(), Utc::now());
        let held = certificates::held_by(&self.folder, &authorities, identity)?;
        let active = authorities.active(now);
        let is_active = |id: &str| active.is_some_and(|active| active.id == id);
        let Some((_, certificate)) = held.into_iter().find(|(authority, _)| is_active(&authority.id)) else {
            let id = active.map_or("", |authority| authority.id.as_str());
            return Err(KeyError::Missing { path: files::certificate_path(&self.folder.dir, identity, id)? });
        };
        let names = ["cert.pem", "key.pem", "authorities.pem"];
        let [certificate_path, key_path, authorities_path] = names.map(|name| to.join(format!("{identity}.{name}")));
        files::write_private(&certificate_path, &certificate.certificate)?;
        files::write_private(&key_path, certificate.key.expose_secret())?;
        files::write_private(&authorities_path, &authorities.bundle())?;
        Ok(vec![certificate_path, key_path, authorities_path])
    }

    /// Writes the user key, the seed and the certificate of one who is no part of the platform into another folder, as that
    /// one can read them: not sealed, for its owner's eyes only. Answers which files it wrote.
    pub fn export(&self, owner: &str, to: &Path) -> Result<Vec<PathBuf>, KeyError> {
        files::create_private_dir(to)?;
        files::create_private_dir(&to.join("nats"))?;
        let key = self.signing_key(owner, Purpose::User)?;
        let (pem_path, seed_path) =
            (files::signing_key_path(to, owner, Purpose::User)?, files::nats_seed_path(to, owner)?);
        let pem = key.to_pkcs8_pem().map_err(|reason| KeyError::invalid(&pem_path, reason))?;
        files::write_private(&pem_path, pem.expose_secret())?;
        self.export_nats_seed(owner, &seed_path)?;
        let mut written = vec![pem_path, seed_path];
        written.extend(self.export_nats_certificate(owner, &to.join("nats"))?);
        Ok(written)
    }
}

/// Without any key.
impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore").field("dir", &self.folder.dir).finish_non_exhaustive()
    }
}
