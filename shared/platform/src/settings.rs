//! Configuration: defaults ← file ← `PETPRO_…__…` environment ← `PETPRO_…_FILE` secrets, a struct a concern.

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use garde::Validate;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

const PREFIX: &str = "PETPRO_";
/// Where a local stack says how it can be reached.
const STACK_FILE: &str = ".petpro/stack.toml";

/// Where configuration comes from. Each concern reads its own section, with defaults for all that is not said.
#[derive(Debug, Clone)]
pub struct Settings(Figment);

/// A setting that does not hold, with the name of the variable that sets it.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value of the wrong kind, or an unknown name.
    #[error("{0}")]
    Unreadable(String),
    /// Values that break a rule, each with its variable.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// A file that a `…_FILE` variable names cannot be read.
    #[error("{variable}: cannot read {path}: {source}")]
    SecretFile {
        /// The variable.
        variable: String,
        /// The file that it names.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
}

impl Settings {
    /// Reads `.petpro/stack.toml`, which a local stack writes while it runs, then the file that `PETPRO_CONFIG` names
    /// (`petpro.toml` in the current folder otherwise), where there are such, then the environment.
    ///
    /// # Errors
    /// A `…_FILE` variable names a file that cannot be read.
    pub fn load() -> Result<Settings, SettingsError> {
        let file = std::env::var("PETPRO_CONFIG").unwrap_or_else(|_| "petpro.toml".to_owned());
        let variables: BTreeMap<String, String> =
            std::env::vars().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        let secrets = secret_files(&variables)?;
        let figment = Figment::new()
            .merge(Toml::file(STACK_FILE))
            .merge(Toml::file(Path::new(&file)))
            .merge(Env::prefixed(PREFIX).ignore(&["config"]).filter(|name| !is_secret_file(name.as_str())).split("__"))
            .merge(secrets);
        Ok(Settings(figment))
    }

    /// Settings from TOML text alone, for tests and for processes that a test starts.
    pub fn from_toml(text: &str) -> Settings {
        Settings(Figment::new().merge(Toml::string(text)))
    }

    /// The same settings with one value set, for example `set("nats.url", "nats://…")`.
    pub fn set(self, key: &str, value: impl serde::Serialize) -> Settings {
        Settings(self.0.merge((key, value)))
    }

    /// The same settings, and one value where nothing is said of it.
    pub fn set_if_unsaid(self, key: &str, value: impl serde::Serialize) -> Settings {
        Settings(self.0.join(Serialized::default(key, value)))
    }

    /// The names of the sections that something is said of.
    pub fn section_names(&self) -> Vec<String> {
        let said: Map<String, Value> = self.0.extract().unwrap_or_default();
        said.into_keys().collect()
    }

    /// One concern's settings, validated.
    ///
    /// # Errors
    /// A value that cannot be read or breaks a rule; the text names its variable.
    pub fn section<T>(&self, name: &str) -> Result<T, SettingsError>
    where
        T: DeserializeOwned + Validate<Context = ()>,
    {
        let figment = match self.0.find_value(name) {
            Ok(_) => self.0.focus(name),
            Err(_) => Figment::new(),
        };
        let section: T = figment.extract().map_err(|error| unreadable(name, &error))?;
        match section.validate() {
            Ok(()) => Ok(section),
            Err(report) => Err(SettingsError::Invalid(
                report.iter().map(|(path, error)| format!("{}: {error}", variable(name, &path.to_string()))).collect(),
            )),
        }
    }
}

fn unreadable(section: &str, error: &figment::Error) -> SettingsError {
    let lines: Vec<String> = error
        .clone()
        .into_iter()
        .map(|error| format!("{}: {}", variable(section, &error.path.join(".")), error.kind))
        .collect();
    SettingsError::Unreadable(lines.join("; "))
}

fn variable(section: &str, path: &str) -> String {
    let mut name = format!("{PREFIX}{}", section.to_uppercase());
    for part in path.split('.').filter(|part| !part.is_empty() && !part.eq_ignore_ascii_case(section)) {
        name.push_str("__");
        name.push_str(&part.to_uppercase());
    }
    name
}

/// Whether a variable names a file that holds the value; variables may be written in any case.
fn is_secret_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("_file")
}

/// `PETPRO_POSTGRES__PASSWORD_FILE=/run/secrets/x` sets `postgres.password` to the file's content.
fn secret_files(variables: &BTreeMap<String, String>) -> Result<SecretFiles, SettingsError> {
    let mut values = Vec::new();
    for (variable, path) in variables {
        let Some(name) = variable.strip_prefix(PREFIX).and_then(|name| name.strip_suffix("_FILE")) else { continue };
        let content = std::fs::read_to_string(path).map_err(|source| SettingsError::SecretFile {
            variable: variable.clone(),
            path: path.clone(),
            source,
        })?;
        values.push((name.to_lowercase().replace("__", "."), content.trim_end().to_owned()));
    }
    Ok(SecretFiles(values))
}

struct SecretFiles(Vec<(String, String)>);

impl figment::Provider for SecretFiles {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("PETPRO_…_FILE variables")
    }

    fn data(&self) -> Result<Map<figment::Profile, Dict>, figment::Error> {
        let mut figment = Figment::new();
        for (key, content) in &self.0 {
            figment = figment.merge((key.as_str(), Value::from(content.clone())));
        }
        figment.data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        #[garde(range(min = 1))]
        size: u16,
        #[garde(skip)]
        password: String,
    }

    fn complaint(toml: &str) -> String {
        Settings::from_toml(toml).section::<Example>("example").unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let nothing = Settings::from_toml("").section::<crate::nats::NatsConfig>("nats").unwrap();
        assert_eq!(nothing.replicas, 1);
    }

    #[test]
    fn what_is_said_stays_beside_what_is_added() {
        let said = Settings::from_toml("[example]\nsize = 2").set_if_unsaid("example.size", 3);
        let example: Example = said.set_if_unsaid("example.password", "p").section("example").unwrap();
        assert_eq!((example.size, example.password.as_str()), (2, "p"));
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        assert!(complaint("[example]\nsize = 'big'").starts_with("PETPRO_EXAMPLE__SIZE: "));
        assert!(complaint("[example]\nsize = 0").starts_with("PETPRO_EXAMPLE__SIZE: "));
        assert!(complaint("[example]\nsighs = 1").contains("sighs"));
    }

    #[test]
    fn a_secret_comes_from_its_file() {
        let file = std::env::temp_dir().join(format!("petpro-secret-{}", uuid::Uuid::now_v7()));
        std::fs::write(&file, "s3cret\n").unwrap();
        let variables =
            BTreeMap::from([("PETPRO_EXAMPLE__PASSWORD_FILE".to_owned(), file.to_string_lossy().into_owned())]);
        let figment =
            Figment::new().merge(Toml::string("[example]\nsize = 2")).merge(secret_files(&variables).unwrap());
        let example: Example = Settings(figment).section("example").unwrap();
        assert_eq!((example.size, example.password.as_str()), (2, "s3cret"));
        std::fs::remove_file(file).unwrap();
    }
}
