//! The command about versions and their shares.

use super::OperatorArgs;
use super::operations::service;
use clap::Args;
use std::str::FromStr;

/// Whose requests, and who gets them.
#[derive(Debug, Args)]
pub struct TrafficArgs {
    /// The service; every one of which requests are shared out when not given
    #[arg(value_parser = service())]
    pub service: Option<String>,
    /// A version and how many in a hundred requests it gets; 0 takes them away. The stable replicas get what is left
    #[arg(value_name = "VERSION=PERCENT", requires = "service")]
    pub shares: Vec<Share>,
    /// Give all requests to the stable replicas again
    #[arg(long, requires = "service", conflicts_with = "shares")]
    pub reset: bool,
    /// Give a share to a version also if no replica of it answers
    #[arg(long, requires = "shares")]
    pub unseen: bool,
    /// How
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// What a version gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The version.
    pub version: String,
    /// So many in a hundred requests.
    pub percent: u8,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let split = text.split_once('=').and_then(|(version, percent)| Some((version, percent.parse::<u8>().ok()?)));
        match split {
            Some((version, percent)) if percent <= 100 => Ok(Share { version: version.to_owned(), percent }),
            _ => Err("give a version and a number from 0 to 100, such as v2=10".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;

    #[test]
    fn a_share_is_a_version_and_percent() {
        assert_eq!("v2=10".parse(), Ok(Share { version: "v2".to_owned(), percent: 10 }));
        for broken in ["v2", "v2=", "v2=101", "v2=-1", "v2=1.5", "=", ""] {
            assert!(broken.parse::<Share>().is_err(), "{broken}");
        }
    }

    #[test]
    fn shares_are_those_of_a_service() {
        let taken = |arguments: &str| Cli::try_parse_from(arguments.split(' ')).is_ok();
        let good = ["", " booking", " booking v2=10", " booking v2=10 v3=5 --unseen", " booking --reset --json"];
        assert!(good.iter().all(|rest| taken(&format!("petpro traffic{rest}"))));
        let bad = [" v2=10", " --reset", " booking v2=10 --reset", " booking --unseen", " edge v2=10"];
        assert!(!bad.iter().any(|rest| taken(&format!("petpro traffic{rest}"))));
    }
}
