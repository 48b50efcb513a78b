//! The files of a Postgres cluster: where they are, and making them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use uuid::Uuid;

use crate::account::Account;
use crate::folder::Folder;
use crate::guarded::{Guarded, Recipe};
use crate::postgres::{ADMIN, Durability};

/// Where clusters go that cannot stay in the folder that was asked for.
const ELSEWHERE: &str = "/var/lib/petpro";

/// A cluster that was made before.
pub(crate) struct Existing {
    pub(crate) password: String,
    pub(crate) major_version: u32,
}

pub(crate) fn data(folder: &Folder) -> PathBuf {
    folder.path().join("data")
}

/// A temporary folder that the account may enter, whatever TMPDIR is.
pub(crate) async fn temporary(account: Account) -> Result<Folder> {
    let folder = Folder::temporary("postgres").await?;
    ensure!(
        account.can_enter(folder.path())?,
        "the account postgres cannot enter {}; set TMPDIR to a folder that it can, for example /tmp",
        folder.path().display()
    );
    Ok(folder)
}

/// The folder that a kept cluster lives in: the one asked for, or another one when the account cannot enter that.
pub(crate) fn home(asked_for: &Path, account: Account) -> Result<PathBuf> {
    let folder = asked_for.display();
    std::fs::create_dir_all(asked_for).with_context(|| format!("cannot make the folder {folder}"))?;
    let asked_for = asked_for.canonicalize()?;
    let note = asked_for.join("moved-to");
    if let Ok(path) = std::fs::read_to_string(&note) {
        return Ok(PathBuf::from(path.trim()));
    }
    if asked_for.join("data").exists() || account.can_enter(&asked_for)? {
        return Ok(asked_for);
    }
    let home = Path::new(ELSEWHERE).join(hash(&asked_for));
    // What lies there without a note belonged to a checkout that is gone.
    if home.exists() {
        std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
    }
    std::fs::create_dir_all(&home).with_context(|| format!("cannot make the folder {}", home.display()))?;
    std::fs::write(&note, format!("{}\n", home.display()))?;
    Ok(home)
}

/// The cluster in the folder, if its making was finished.
pub(crate) fn existing(folder: &Folder) -> Result<Option<Existing>> {
    let Ok(version) = std::fs::read_to_string(data(folder).join("PG_VERSION")) else {
        return Ok(None);
    };
    let Ok(password) = std::fs::read_to_string(folder.path().join("admin.password")) else {
        return Ok(None);
    };
    let major_version = version.trim().parse().context("the cluster's PG_VERSION is not a number")?;
    Ok(Some(Existing { password: password.trim().to_owned(), major_version }))
}

/// Makes a cluster and returns the superuser's password.
pub(crate) async fn create(
    folder: &mut Folder,
    account: Account,
    programs: &Path,
    durability: Durability,
) -> Result<String> {
    let data = data(folder);
    if data.exists() {
        // The remains of an attempt that did not get to its end.
        std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    std::fs::create_dir(&data)?;
    account.give(&data)?;
    let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let password_for_initdb = folder.path().join("initdb.password");
    write_secret(&password_for_initdb, &password)?;
    account.give(&password_for_initdb)?;

    let mut command = account.command_start();
    command.push(programs.join("initdb").into_os_string());
    command.extend(["--pgdata".into(), data.into_os_string()]);
    command.extend(["--pwfile".into(), password_for_initdb.clone().into_os_string()]);
    // macOS has no C.UTF-8.
    let locale = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };
    let settings = ["--username", ADMIN, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale];
    command.extend(settings.map(Into::into));
    if durability == Durability::ThrowAway {
        command.push("--no-sync".into());
    }
    let log_start = folder.log_length()?;
    let recipe =
        Recipe { command, stop_signal: "TERM", grace: Duration::from_secs(10), throw_away: folder.throw_away() };
    let initdb = Guarded::spawn(&recipe, folder.log_for_process()?)?;
    let code = initdb.exited(Duration::from_secs(120)).await?;
    ensure!(code == 0, "initdb failed; it says:\n{}", folder.logged_since(log_start));

    folder.change_guard(initdb).await?;
    std::fs::remove_file(&password_for_initdb)?;
    // Last, because it marks the cluster as finished.
    write_secret(&folder.path().join("admin.password"), &password)?;
    Ok(password)
}

fn write_secret(path: &Path, secret: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{secret}")?;
    Ok(())
}

/// FNV-1a of the path: a short name for the folder that never changes between versions of Rust.
fn hash(path: &Path) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in path.as_os_str().as_encoded_bytes() {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{state:016x}")
}
