//! Lists the SQL files of `sql/<service>/`, so that a file put there is a migration without further ado.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let sql_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("sql");
    println!("cargo:rerun-if-changed={}", sql_folder.display());

    let mut services: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(&sql_folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            services.insert(file_name(&path)?, path);
        }
    }

    let mut code = String::from("&[\n");
    for (service, folder) in &services {
        writeln!(code, "    ({service:?}, &[")?;
        for name in migration_names(folder)? {
            let up = folder.join(format!("{name}.up.sql"));
            let down = folder.join(format!("{name}.down.sql"));
            if !down.is_file() {
                return Err(format!("{} has no .down.sql beside it", up.display()).into());
            }
            writeln!(
                code,
                "        SqlFile {{ name: {name:?}, up: include_str!({:?}), down: include_str!({:?}) }},",
                up.display().to_string(),
                down.display().to_string(),
            )?;
        }
        writeln!(code, "    ]),")?;
    }
    code.push_str("]\n");

    let generated = PathBuf::from(env::var("OUT_DIR")?).join("sql_files.rs");
    fs::write(generated, code)?;
    Ok(())
}

/// The names of a folder's migrations, in the order in which they are applied.
fn migration_names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = file_name(&entry?.path())?;
        if let Some(name) = file.strip_suffix(".up.sql") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn file_name(path: &Path) -> Result<String, Box<dyn Error>> {
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(name.ok_or_else(|| format!("{} has no readable name", path.display()))?.to_owned())
}
