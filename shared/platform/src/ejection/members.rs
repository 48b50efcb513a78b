//! The other replicas of a queue group: who is there, and how they do. They tell it in their answers to `$SRV.PING`.

use super::EjectionConfig;
use super::condition::{Counts, Standing};
use crate::discovery::VERSION;
use async_nats::Client;
use futures::StreamExt as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the answers of a group may take. Whoever is later is not counted, and fewer may be away then.
const ANSWERS_WITHIN: Duration = Duration::from_millis(250);
/// At the most: so many members that no group has them.
const MOST_MEMBERS: usize = 10_000;
/// Of so many members one may be away.
const ONE_OF: usize = 3;
/// A replica that does well fails so many times more seldom than one that has to go.
const BETTER_BY: u32 = 4;

/// How a member stands.
pub(super) const STANDING: &str = "standing";
/// How many requests it has handled of late.
pub(super) const HANDLED: &str = "handled";
/// How many of them failed by its own fault.
pub(super) const FAILED: &str = "failed";

/// Where all replicas of a service answer a ping.
pub(crate) fn group_ping(name: &str) -> String {
    format!("$SRV.PING.{name}")
}

/// A replica, as it tells of itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    id: String,
    /// A replica of an older version tells nothing here: it is in the group, and nobody knows how it does.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

impl Member {
    fn stands(&self, standing: Standing) -> bool {
        self.metadata.get(STANDING).is_some_and(|told| told == standing.as_str())
    }

    fn is_stable(&self) -> bool {
        !self.metadata.contains_key(VERSION)
    }

    fn counts(&self) -> Counts {
        let number = |name| self.metadata.get(name).and_then(|told| told.parse().ok()).unwrap_or(0);
        Counts { handled: number(HANDLED), failed: number(FAILED) }
    }
}

/// Asks the group.
pub(super) struct Members {
    pub(super) nats: Client,
    pub(super) name: &'static str,
    /// Whether it is a stable replica that asks.
    pub(super) is_stable: bool,
}

impl Members {
    /// All who belong to the group, this one included, but for those who leave for good. For a stable replica those are
    /// the stable ones: it must not rely on replicas of a version that has a share of the requests. For those the stable
    /// replicas stand in.
    pub(super) async fn gather(&self) -> anyhow::Result<Vec<Member>> {
        let mut members: Vec<Member> = Vec::new();
        let gather = async {
            let inbox = self.nats.new_inbox();
            let mut replies = self.nats.subscribe(inbox.clone()).await?;
            self.nats.publish_with_reply(group_ping(self.name), inbox, "".into()).await?;
            while let Some(message) = replies.next().await {
                let Ok(member) = serde_json::from_slice::<Member>(&message.payload) else { continue };
                let counts = !self.is_stable || member.is_stable();
                if counts && !member.stands(Standing::Leaving) && members.len() < MOST_MEMBERS {
                    members.push(member);
                }
            }
            Ok(())
        };
        match tokio::time::timeout(ANSWERS_WITHIN, gather).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Ok(members),
        }
    }
}

/// How many of a group may be away at a time.
pub(super) fn may_be_away(group: &[Member]) -> usize {
    group.len() / ONE_OF
}

/// How many are.
pub(super) fn away(group: &[Member]) -> usize {
    group.iter().filter(|member| member.stands(Standing::Away)).count()
}

/// Whether a replica other than `own` handles requests and does well.
pub(super) fn another_does_well(group: &[Member], own: &str, config: &EjectionConfig) -> bool {
    let does_well = |counts: Counts| {
        let failed = u64::from(counts.failed) * 100 * u64::from(BETTER_BY);
        counts.handled >= config.min_requests.div_ceil(2)
            && failed <= u64::from(config.failure_percent) * u64::from(counts.handled)
    };
    let takes_part = |member: &Member| !member.stands(Standing::Away);
    group.iter().any(|member| member.id != own && takes_part(member) && does_well(member.counts()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, standing: Standing, handled: u32, failed: u32) -> Member {
        let told =
            [(STANDING, standing.as_str().to_owned()), (HANDLED, handled.to_string()), (FAILED, failed.to_string())];
        Member { id: id.to_owned(), metadata: told.map(|(name, value)| (name.to_owned(), value)).into() }
    }

    #[test]
    fn of_fewer_than_three_nobody_may_be_away() {
        let group: Vec<Member> = (0..7).map(|id| member(&id.to_string(), Standing::InGroup, 0, 0)).collect();
        let allowed: Vec<usize> = (0..=7).map(|size| may_be_away(&group[..size])).collect();
        assert_eq!(allowed, [0, 0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(away(&[member("a", Standing::Away, 0, 0), member("b", Standing::Probation, 0, 0)]), 1);
    }

    #[test]
    fn another_does_well_only_if_it_handles_enough_and_fails_much_more_seldom() {
        let config = EjectionConfig::default();
        let with =
            |other: Member| another_does_well(&[member("own", Standing::InGroup, 100, 0), other], "own", &config);
        assert!(with(member("b", Standing::InGroup, 100, 12)));
        assert!(!with(member("b", Standing::InGroup, 100, 13)));
        assert!(!with(member("b", Standing::InGroup, 9, 0)), "too few to tell");
        assert!(!with(member("b", Standing::Away, 100, 0)), "it does nothing");
        assert!(!with(Member { id: "b".to_owned(), metadata: BTreeMap::new() }), "it does not say");
    }
}
