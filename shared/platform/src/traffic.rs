//! Which share of a service's requests goes to which of its versions, and how NATS is told.

use crate::service::Declaration;
use crate::versions::{STABLE, check, is_shared_out, version_subject};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use subjects::{Operation, catalogue};

/// All of a service's requests, in percent.
const ALL: u8 = 100;

/// The shares of versions, in percent, by service and version. What is left goes to the stable replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Traffic(BTreeMap<String, BTreeMap<String, u8>>);

/// Shares that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TrafficError {
    /// No version is called so.
    #[error("{0}")]
    BadVersion(String),
    /// More than there is.
    #[error("{service}: the versions would have {percent} % of the requests")]
    TooMuch {
        /// The service.
        service: String,
        /// What all its versions would have.
        percent: u32,
    },
}

impl Traffic {
    /// Where the shares are kept: beside the public keys, which NATS's configuration is made of as well.
    pub fn path(keys: &Path) -> PathBuf {
        keys.join("nats").join("traffic.json")
    }

    /// Reads the shares; where there is no file, nothing is shared out.
    ///
    /// # Errors
    /// The file cannot be read, or holds shares that cannot be.
    pub fn read(path: &Path) -> anyhow::Result<Traffic> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Traffic::default()),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let told = || format!("{} does not hold shares of versions", path.display());
        let traffic: Traffic = serde_json::from_str(&text).with_context(told)?;
        for service in traffic.services() {
            traffic.check(service).with_context(told)?;
        }
        Ok(traffic)
    }

    /// Keeps the shares in place of those that were there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let unfinished = path.with_extension("json.new");
        let text = serde_json::to_string_pretty(self)?;
        let written = std::fs::write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// The services whose requests are shared out.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The versions that a service's requests go to, the stable one first, and how many in a hundred each has.
    pub fn shares(&self, service: &str) -> Vec<(&str, u8)> {
        let versions = || self.0.get(service).into_iter().flatten().map(|(version, share)| (version.as_str(), *share));
        let given = versions().fold(0, |sum: u8, (_, share)| sum.saturating_add(share));
        std::iter::once((STABLE, ALL.saturating_sub(given))).chain(versions()).collect()
    }

    /// Gives a version its share of a service's requests; 0 takes it away.
    ///
    /// # Errors
    /// There would be more than all, or no version is called so. The shares are as before then.
    pub fn set(&mut self, service: &str, version: &str, percent: u8) -> Result<(), TrafficError> {
        let mut changed = self.clone();
        let versions = changed.0.entry(service.to_owned()).or_default();
        if percent == 0 {
            versions.remove(version);
        } else {
            versions.insert(version.to_owned(), percent);
        }
        if versions.is_empty() {
            changed.0.remove(service);
        }
        changed.check(service)?;
        *self = changed;
        Ok(())
    }

    /// Gives all of a service's requests to its stable replicas.
    pub fn reset(&mut self, service: &str) {
        self.0.remove(service);
    }

    fn check(&self, service: &str) -> Result<(), TrafficError> {
        let Some(versions) = self.0.get(service) else { return Ok(()) };
        for version in versions.keys() {
            check(version).map_err(TrafficError::BadVersion)?;
        }
        let percent = versions.values().map(|share| u32::from(*share)).sum();
        if percent > u32::from(ALL) {
            return Err(TrafficError::TooMuch { service: service.to_owned(), percent });
        }
        Ok(())
    }

    /// The shares as the `mappings` block of a nats-server configuration. It is there even if nothing is shared out: the
    /// server would keep the mappings that it has if it were told of none.
    pub fn mappings(&self, declarations: &[Declaration]) -> String {
        let mut text = String::from("mappings {\n");
        for declaration in declarations.iter().filter(|declaration| self.0.contains_key(declaration.name)) {
            let (service, shares) = (declaration.name, self.shares(declaration.name));
            for Asked { source, target } in asked(declaration) {
                let to = |version: &str| match version {
                    STABLE => target.clone(),
                    version => version_subject(service, version, &target),
                };
                let destinations: Vec<String> = shares
                    .iter()
                    .filter(|(_, share)| *share > 0)
                    .map(|(version, share)| format!("{{ destination: '{}', weight: {share} }}", to(version)))
                    .collect();
                // Writing to a String cannot fail.
                let _infallible = writeln!(text, "  '{source}': [ {} ]", destinations.join(", "));
            }
            let _infallible = writeln!(text, "  '{}': '>'", version_subject(service, STABLE, ">"));
        }
        text.push_str("}\n");
        text
    }
}

/// Subjects that are shared out alike, as NATS writes what is mapped and what it is mapped to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    source: String,
    target: String,
}

/// NATS holds each message of anybody against every mapping, which takes time. So where all operations whose subjects
/// differ in the last token only are the service's, there is one mapping for them.
fn asked(declaration: &Declaration) -> BTreeSet<Asked> {
    let foreign: BTreeSet<String> = catalogue::operations()
        .filter(|operation| operation.service != declaration.name || !is_shared_out(operation))
        .flat_map(|operation| every_form(*operation))
        .filter_map(|subject| parent(&subject).map(str::to_owned))
        .collect();
    let own = declaration.operations.iter().filter(|operation| is_shared_out(operation));
    own.flat_map(|operation| every_form(*operation))
        .map(|subject| match parent(&subject) {
            Some(parent) if !foreign.contains(parent) => {
                Asked { source: format!("{parent}.*"), target: format!("{parent}.{{{{wildcard(1)}}}}") }
            }
            _ => Asked { source: subject.clone(), target: subject },
        })
        .collect()
}

fn every_form(operation: Operation) -> impl Iterator<Item = String> {
    operation.subjects().map(str::to_owned).chain(operation.command_subjects())
}

/// All but the last token.
fn parent(subject: &str) -> Option<&str> {
    subject.rsplit_once('.').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declaration(service: &'static str) -> Declaration {
        let operations = catalogue::operations().filter(|operation| operation.service == service).copied().collect();
        Declaration {
            name: service,
            operations,
            calls: Vec::new(),
            consumers: Vec::new(),
            publishes_events: false,
            follows: Vec::new(),
        }
    }

    #[test]
    fn what_the_versions_do_not_have_is_the_stable_ones() {
        let mut traffic = Traffic::default();
        assert_eq!(traffic.shares("booking"), [("stable", 100)]);
        traffic.set("booking", "v2", 10).unwrap();
        traffic.set("booking", "v3", 85).unwrap();
        assert_eq!(traffic.shares("booking"), [("stable", 5), ("v2", 10), ("v3", 85)]);
        let error = traffic.set("booking", "v2", 16).unwrap_err();
        assert_eq!(error.to_string(), "booking: the versions would have 101 % of the requests");
        assert_eq!(traffic.shares("booking"), [("stable", 5), ("v2", 10), ("v3", 85)]);
        assert!(matches!(traffic.set("booking", "stable", 1), Err(TrafficError::BadVersion(_))));
        traffic.set("booking", "v3", 0).unwrap();
        traffic.set("booking", "v2", 0).unwrap();
        assert_eq!(traffic, Traffic::default());
    }

    #[test]
    fn shares_are_read_as_they_were_written_and_none_that_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("traffic.json");
        assert_eq!(Traffic::read(&path).unwrap(), Traffic::default());
        let mut traffic = Traffic::default();
        traffic.set("vendor", "v2", 100).unwrap();
        traffic.write(&path).unwrap();
        assert_eq!(Traffic::read(&path).unwrap(), traffic);
        for broken in [r#"{"vendor":{"v2":60,"v3":41}}"#, r#"{"vendor":{"v.2":6}}"#, r#"{"vendor":"v2"}"#, "vendor"] {
            std::fs::write(&path, broken).unwrap();
            assert!(Traffic::read(&path).unwrap_err().to_string().contains("does not hold shares"), "{broken}");
        }
    }

    #[test]
    fn nothing_shared_out_is_said_too() {
        assert_eq!(Traffic::default().mappings(&[declaration("booking")]), "mappings {\n}\n");
    }

    #[test]
    fn every_subject_is_mapped_once_but_for_those_of_operators() {
        for service in catalogue::SERVICES {
            let mut traffic = Traffic::default();
            traffic.set(service, "v2", 10).unwrap();
            let asked = asked(&declaration(service));
            let matches = |source: &str, subject: &str| match source.strip_suffix('*') {
                Some(parent) => subject.strip_prefix(parent).is_some_and(|last| !last.contains('.')),
                None => source == subject,
            };
            for operation in catalogue::operations() {
                let expected = usize::from(operation.service == service && is_shared_out(operation));
                for subject in every_form(*operation) {
                    let mapped = asked.iter().filter(|asked| matches(&asked.source, &subject)).count();
                    assert_eq!(mapped, expected, "{subject} in the mappings of {service}");
                }
            }
        }
    }

    #[test]
    fn mappings_are_written_as_nats_reads_them() {
        let mut traffic = Traffic::default();
        traffic.set("booking", "v2", 10).unwrap();
        let mut booking = declaration("booking");
        booking.operations.retain(|operation| operation.subject == "booking.findOne");
        let text = traffic.mappings(&[booking, declaration("vendor")]);
        let lines: Vec<&str> = text.lines().collect();
        let line = |source: &str, target: &str| {
            format!(
                "  '{source}': [ {{ destination: '{target}', weight: 90 }}, {{ destination: 'version.booking.v2.{target}', \
                 weight: 10 }} ]"
            )
        };
        assert!(lines.contains(&line("booking.*", "booking.{{wildcard(1)}}").as_str()), "{text}");
        assert!(lines.contains(&line(r#"{"cmd":"booking.*"#, r#"{"cmd":"booking.{{wildcard(1)}}"#).as_str()), "{text}");
        assert!(lines.contains(&"  'version.booking.stable.>': '>'"), "{text}");
        traffic.set("booking", "v2", 100).unwrap();
        let all = traffic.mappings(&[declaration("booking")]);
        assert!(all.contains("weight: 100") && !all.contains("weight: 0"), "{all}");
    }
}
