//! The public registries as a running process knows them: read again from time to time, so that keys change without a
//! restart.

use super::certificates::Authorities;
use super::folder::Folder;
use super::nats_registry::NatsRegistry;
use super::registry::Registry;
use super::signer::{Signer, WeakSigner};
use super::{KeyError, files};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Registries that are read again. Shared by all clones of a store.
pub(super) struct Live {
    published: RwLock<Published>,
    generation: AtomicU64,
    /// Not every signer has what the registries tell of.
    signers_are_behind: AtomicBool,
    signers: Mutex<Vec<WeakSigner>>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) registry: Arc<Registry>,
    pub(super) nats: Arc<NatsRegistry>,
    pub(super) authorities: Arc<Authorities>,
}

impl Published {
    pub(super) fn read(folder: &Folder) -> Result<Published, KeyError> {
        let registry = read_registry(&folder.dir)?;
        let nats = read_nats_registry(&folder.dir)?;
        let authorities = Authorities::read(&folder.dir)?;
        Ok(Published { registry: Arc::new(registry), nats: Arc::new(nats), authorities: Arc::new(authorities) })
    }
}

impl Live {
    pub(super) fn new(published: Published) -> Live {
        Live {
            published: RwLock::new(published),
            generation: AtomicU64::new(0),
            signers_are_behind: AtomicBool::new(false),
            signers: Mutex::default(),
        }
    }

    pub(super) fn published(&self) -> Published {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes with each change of the registries.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Puts what was read in force; answers whether that is anything new.
    pub(super) fn publish(&self, fresh: Published) -> bool {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        if *published == fresh {
            return false;
        }
        *published = fresh;
        self.signers_are_behind.store(true, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
        true
    }

    pub(super) fn add_signer(&self, signer: &Signer) {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        signers.retain(|known| known.upgrade().is_some());
        signers.push(signer.downgrade());
    }

    /// Has every signer read its keys again, if any of them may lack one: until all of them could.
    pub(super) fn bring_signers_up(&self, read: impl Fn(&Signer) -> Result<(), KeyError>) -> Result<(), KeyError> {
        if !self.signers_are_behind.load(Ordering::Acquire) {
            return Ok(());
        }
        let signers: Vec<Signer> = {
            let signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
            signers.iter().filter_map(WeakSigner::upgrade).collect()
        };
        let outcomes: Vec<Result<(), KeyError>> = signers.iter().map(read).collect();
        outcomes.into_iter().collect::<Result<(), KeyError>>()?;
        self.signers_are_behind.store(false, Ordering::Release);
        Ok(())
    }
}

pub(super) fn read_registry(dir: &Path) -> Result<Registry, KeyError> {
    let path = files::registry_path(dir);
    parse_registry(&path, &files::read_text(&path)?)
}

pub(super) fn read_nats_registry(dir: &Path) -> Result<NatsRegistry, KeyError> {
    let path = files::nats_registry_path(dir);
    parse_nats_registry(&path, &files::read_text(&path)?)
}

pub(super) fn parse_registry(path: &Path, text: &str) -> Result<Registry, KeyError> {
    Registry::from_json(text).map_err(|reason| KeyError::invalid(path, reason))
}

pub(super) fn parse_nats_registry(path: &Path, text: &str) -> Result<NatsRegistry, KeyError> {
    NatsRegistry::from_json(text).map_err(|reason| KeyError::invalid(path, reason))
}

pub(super) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), KeyError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| KeyError::invalid(path, error.to_string()))?;
    files::write_private(path, &format!("{text}\n"))
}
