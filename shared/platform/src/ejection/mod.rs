//! Outlier ejection: a replica that fails by itself leaves its queue group for a while, and the others do its work.
//!
//! It judges itself, by what came of its own handlers ([`condition`]), and goes only where another replica does the same
//! work well ([`members`]): what they all depend on drives nobody out, and neither does a fault that is in the code of all.
//! Never more than a third of a group is away: for each who may go there is a place in a stream, which is taken by whoever is
//! first ([`places`]).
//!
//! A replica that is away finishes what it has begun, goes on answering `$SRV`, and comes back on probation.

mod condition;
mod members;
mod metrics;
mod places;

use crate::app::App;
use crate::dispatcher::chain;
use crate::queue_group::{Membership, QueueGroup};
use crate::setup::Setup;
use garde::Validate;
use members::Members;
use places::{Place, Places};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

pub(crate) use condition::{Condition, Handled, Standing};
pub(crate) use members::group_ping;
pub(crate) use metrics::EjectionMetrics;
pub(crate) use places::places_of;
pub use places::{AWAY, AWAY_SUBJECTS};

/// How often a replica looks at how it does.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long one that may not go waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long taking a place may take: until then a replica that is to leave for good waits.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);
/// How often one that is away looks whether the group still can do without it.
const LOOK_BACK_EVERY: Duration = Duration::from_secs(1);
/// The pause before one that cannot come back tries again.
const RETURN_PAUSE: Duration = Duration::from_secs(1);

/// The section `ejection`: when a replica that fails by itself leaves its queue group.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct EjectionConfig {
    /// Whether any does.
    #[garde(skip)]
    pub enabled: bool,
    /// How many requests it must have handled within ten seconds before anything is made of them.
    #[garde(range(min = 1, max = 100_000))]
    pub min_requests: u32,
    /// Of 100 requests so many that fail by its own fault. Another replica has to have a quarter of that at the most.
    #[garde(range(min = 1, max = 100))]
    pub failure_percent: u32,
    /// For how many milliseconds it is away at first; each time that it comes back no better, for twice as long.
    #[garde(range(min = 100, max = 600_000))]
    pub away_ms: u64,
    /// For how many at the most.
    #[garde(range(min = 100, max = 3_600_000))]
    pub max_away_ms: u64,
    /// How many requests are enough to send it away again when it has just come back.
    #[garde(range(min = 1, max = 10_000))]
    pub probation_requests: u32,
}

impl Default for EjectionConfig {
    fn default() -> EjectionConfig {
        EjectionConfig {
            enabled: true,
            min_requests: 20,
            failure_percent: 50,
            away_ms: 10_000,
            max_away_ms: 300_000,
            probation_requests: 5,
        }
    }
}

/// Sees to it that one replica is in its queue group, or out of it while it fails by itself.
pub(crate) struct Ejection {
    name: &'static str,
    instance: Arc<str>,
    config: EjectionConfig,
    condition: Arc<Condition>,
    members: Members,
    places: Places,
    metrics: EjectionMetrics,
}

impl Ejection {
    pub(crate) fn new(setup: &Setup, config: EjectionConfig, condition: Arc<Condition>) -> Ejection {
        let is_stable = setup.version.is_none();
        let members = Members { nats: setup.nats.clone(), name: setup.name, is_stable };
        let places = Places {
            jetstream: setup.jetstream.clone(),
            name: setup.name,
            version: setup.version.clone(),
            instance: setup.instance.clone(),
        };
        let metrics = setup.metrics.ejection();
        let (name, instance) = (setup.name, setup.instance.clone());
        let ejection = Ejection { name, instance, config, condition, members, places, metrics };
        ejection.stand(Standing::InGroup);
        ejection
    }

    /// Until `leave`, and then out of the group for good.
    pub(crate) async fn stay<A: App>(self, group: QueueGroup<A>, membership: Membership, leave: CancellationToken) {
        let mut membership = membership;
        let mut spell = Duration::from_millis(self.config.away_ms);
        loop {
            let Some(place) = self.until_it_has_to_go(&mut spell, &leave).await else { break };
            // Not all who went at the same moment come back at the same moment.
            let back_at = Instant::now() + jittered(spell);
            self.stand(Standing::Away);
            self.metrics.left(self.name);
            membership.leave().await;
            tokio::select! {
                biased;
                () = leave.cancelled() => {
                    self.stand(Standing::Leaving);
                    return self.places.give_back(place).await;
                }
                () = self.until_it_may_come_back(back_at) => {}
            }
            let Some(returned) = self.come_back(&group, place, &leave).await else {
                return self.stand(Standing::Leaving);
            };
            membership = returned;
            spell = longer(spell, &self.config);
        }
        self.stand(Standing::Leaving);
        membership.leave().await;
    }

    /// Returns with the place of one who may be away; none: it is to leave for good. `spell` is as at first again once it
    /// has done well.
    async fn until_it_has_to_go(&self, spell: &mut Duration, leave: &CancellationToken) -> Option<Place> {
        if !self.config.enabled {
            leave.cancelled().await;
            return None;
        }
        let mut pause = LOOK_EVERY;
        loop {
            // What follows is not given up half-way: a place would be taken, and nobody would give it back.
            leave.run_until_cancelled(sleep(pause)).await?;
            pause = LOOK_EVERY;
            if !self.condition.fails(&self.config, Instant::now()) {
                if self.condition.is_past_probation(&self.config) {
                    *spell = Duration::from_millis(self.config.away_ms);
                    self.stand(Standing::InGroup);
                    tracing::info!(service = self.name, "does well again");
                }
                continue;
            }
            match self.take_leave(*spell).await {
                Ok(place) => return Some(place),
                Err(why) => {
                    self.metrics.stayed(self.name, why.as_str());
                    tracing::warn!(
                        service = self.name,
                        why = why.as_str(),
                        "fails by itself, and stays in its queue group"
                    );
                }
            }
            pause = ASK_AGAIN;
        }
    }

    async fn take_leave(&self, spell: Duration) -> Result<Place, Stays> {
        let group = self.members.gather().await.map_err(|error| {
            tracing::debug!(service = self.name, error = format!("{error:#}"), "could not ask the group");
            Stays::NobodyAnswers
        })?;
        let may_be_away = members::may_be_away(&group);
        if members::away(&group) >= may_be_away {
            return Err(Stays::TooFew);
        }
        if !members::another_does_well(&group, &self.instance, &self.config) {
            return Err(Stays::AllFail);
        }
        let taken = tokio::time::timeout(TAKEN_WITHIN, self.places.take(may_be_away, longest(spell))).await;
        let place = taken.map_err(|_elapsed| Stays::NobodyAnswers)?.map_err(|error| {
            tracing::debug!(service = self.name, error = chain(&error), "could not take a place");
            Stays::NobodyAnswers
        })?;
        let place = place.ok_or(Stays::TooFew)?;
        let counts = self.condition.counts(Instant::now());
        tracing::warn!(
            service = self.name,
            instance = &*self.instance,
            requests = counts.handled,
            failed = counts.failed,
            away_ms = u64::try_from(spell.as_millis()).unwrap_or(u64::MAX),
            "leaves its queue group for a while: it fails by itself, and others do not"
        );
        Ok(place)
    }

    /// Returns once its time is over, or it is needed.
    async fn until_it_may_come_back(&self, back_at: Instant) {
        while Instant::now() < back_at {
            sleep_until(back_at.min(Instant::now() + LOOK_BACK_EVERY)).await;
            let group = self.members.gather().await.unwrap_or_default();
            if members::away(&group) > members::may_be_away(&group) || group.is_empty() {
                tracing::info!(service = self.name, "too few are left to do without this replica");
                return;
            }
        }
    }

    /// Joins the group again. None: it leaves for good.
    async fn come_back<A: App>(
        &self,
        group: &QueueGroup<A>,
        place: Place,
        leave: &CancellationToken,
    ) -> Option<Membership> {
        self.condition.begin_anew();
        let membership = loop {
            match group.join().await {
                Ok(membership) => break membership,
                Err(error) => {
                    tracing::warn!(service = self.name, error = format!("{error:#}"), "could not join the queue group");
                }
            }
            if leave.run_until_cancelled(sleep(RETURN_PAUSE)).await.is_none() {
                self.places.give_back(place).await;
                return None;
            }
        };
        self.stand(Standing::Probation);
        tracing::info!(service = self.name, instance = &*self.instance, "back in its queue group, on probation");
        let places = self.places.clone();
        tokio::spawn(async move { places.give_back(place).await });
        Some(membership)
    }

    fn stand(&self, standing: Standing) {
        self.condition.set(standing);
        self.metrics.stands(self.name, standing);
    }
}

/// Why a replica that fails does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stays {
    /// More than a third would be away.
    TooFew,
    /// No other does well: it is not this replica's own fault, or nobody is left to do its work.
    AllFail,
    /// NATS or JetStream is away.
    NobodyAnswers,
}

impl Stays {
    const fn as_str(self) -> &'static str {
        match self {
            Stays::TooFew => "too_few",
            Stays::AllFail => "all_fail",
            Stays::NobodyAnswers => "nobody_answers",
        }
    }
}

const JITTER: f64 = 0.2;

fn jittered(spell: Duration) -> Duration {
    spell.mul_f64(1.0 - JITTER + rand::random::<f64>() * 2.0 * JITTER)
}

/// The longest that [`jittered`] may be.
fn longest(spell: Duration) -> Duration {
    spell.mul_f64(1.0 + JITTER)
}

fn longer(spell: Duration, config: &EjectionConfig) -> Duration {
    let most = Duration::from_millis(config.max_away_ms.max(config.away_ms));
    spell.saturating_mul(2).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_it_is_away_for_twice_as_long_up_to_a_limit() {
        let config = EjectionConfig { away_ms: 10_000, max_away_ms: 35_000, ..EjectionConfig::default() };
        let mut spells = vec![Duration::from_millis(config.away_ms)];
        (0..3).for_each(|_| spells.push(longer(*spells.last().unwrap(), &config)));
        assert_eq!(spells.iter().map(Duration::as_secs).collect::<Vec<_>>(), [10, 20, 35, 35]);
    }

    #[test]
    fn no_spell_outlasts_its_place() {
        let spell = Duration::from_secs(10);
        let spells: Vec<Duration> = (0..1_000).map(|_| jittered(spell)).collect();
        assert!(spells.iter().all(|jittered| *jittered <= longest(spell) && *jittered >= spell.mul_f64(0.8)));
        assert!(spells.iter().any(|jittered| *jittered != spells[0]));
    }
}
