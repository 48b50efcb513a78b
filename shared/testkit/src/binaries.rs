//! Where the servers' programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

const INSTALL_HINT: &str = "`./just up` and `./just test` install what is missing, or say how";

/// The `nats-server` of the checkout's venv, or else the one on PATH.
pub(crate) fn nats_server() -> Result<PathBuf> {
    in_venv_or_on_path("nats-server", "nats-server")
        .context("nats-server is not installed; run ./just once, it puts nats-server into .venv")
}

/// The Python of the checkout's venv, with the packages that `./just` puts there, or else the `python3` on PATH.
///
/// # Errors
/// There is none.
pub fn python() -> Result<PathBuf> {
    in_venv_or_on_path("python", "python3").context("Python 3 is not installed; run ./just once, it makes .venv")
}

fn in_venv_or_on_path(name_in_venv: &str, name_on_path: &str) -> Option<PathBuf> {
    // A program that was built elsewhere finds nothing here, and PATH decides.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let from_checkout = checkout.map(|checkout| checkout.join(".venv/bin").join(name_in_venv));
    from_checkout.filter(|program| program.is_file()).or_else(|| on_path(name_on_path))
}

/// The `redis-server` on PATH.
pub(crate) fn redis_server() -> Result<PathBuf> {
    on_path("redis-server").with_context(|| format!("redis-server is not installed; {INSTALL_HINT}"))
}

/// The folder with the programs of Postgres: of the wanted major version if there is one, else of the newest.
pub(crate) fn postgres_programs(wanted: Option<u32>) -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = postgres_folders()
        .into_iter()
        .filter(|folder| folder.join("initdb").is_file())
        .filter_map(|folder| Some((major_version(&folder.join("postgres"))?, folder)))
        .collect();
    found.sort();
    if let Some((_, folder)) = found.iter().find(|(version, _)| Some(*version) == wanted) {
        return Ok(folder.clone());
    }
    match found.pop() {
        Some((version, folder)) if version >= 15 => Ok(folder),
        Some((version, _)) => {
            bail!("Postgres 15 or newer is needed, the newest here is {version}; {INSTALL_HINT}")
        }
        None => bail!("Postgres 15 or newer is not installed; {INSTALL_HINT}"),
    }
}

fn postgres_folders() -> Vec<PathBuf> {
    // Packages keep several versions apart, away from PATH: (parent, start of the folder's name, rest of the path).
    let packaged = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ];
    let mut folders: Vec<PathBuf> = path_folders();
    for (parent, start, rest) in packaged {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(start) {
                folders.push(entry.path().join(rest));
            }
        }
    }
    folders
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).find(|part| !part.is_empty())?;
    digits.parse().ok()
}

fn on_path(program: &str) -> Option<PathBuf> {
    path_folders().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn path_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}
