//! Whether it takes another time to refuse a wrong password than an account that is not there. Printed, not asserted:
//! docs/security.md says what was measured, and from what on somebody has to look why.

use super::Stage;
use crate::figures::as_f64;
use anyhow::Context as _;
use platform::Meta;
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::setup::Setup;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use subjects::{ErrorCode, Fault};
use uuid::Uuid;

/// How often an account may be tried before there is a wait, less one.
const TRIES: usize = 4;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of the slowest is left out of one of the figures: what the machine did meanwhile, rather than the service.
const SLOWEST: f64 = 0.1;

/// Pairs of logins, one after the other in random order, each from an address of its own, past the edge: it treats both
/// alike and would only add to the noise.
///
/// # Errors
/// One of them is answered as it should not be.
pub async fn measure(stage: &Stage) -> anyhow::Result<()> {
    let asker = Asker(Setup::connect(&stage.world.host, "edge").await?);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..stage.sized(400, 10) {
        let (account, nobody) = (asker.register().await?, somebody());
        for _ in 0..TRIES {
            if coin() {
                known.push(asker.time(&account).await?);
                unknown.push(asker.time(&nobody).await?);
            } else {
                unknown.push(asker.time(&nobody).await?);
                known.push(asker.time(&account).await?);
            }
        }
    }
    known.sort_unstable_by(f64::total_cmp);
    unknown.sort_unstable_by(f64::total_cmp);
    stage.report.say(format_args!(
        "{} logins of each: a wrong password takes {:.2} ms in the middle, an unknown account {:.2} ms; Welch's t {:.1}, \
         {:.1} without the slowest tenth (beyond 4.5 they can be told apart)",
        known.len(),
        middle(&known),
        middle(&unknown),
        welch(&known, &unknown),
        welch(without_slowest(&known), without_slowest(&unknown)),
    ));
    Ok(())
}

/// Asks the auth service as the edge does.
struct Asker(Setup);

impl Asker {
    /// Makes an account and answers its address.
    async fn register(&self) -> anyhow::Result<String> {
        let email = somebody();
        let body = json!({ "email": email, "password": Uuid::new_v4(), "firstName": "Sri" });
        self.ask("auth.register", &body).await.context("no account was made")?;
        Ok(email)
    }

    /// How many milliseconds a login with a wrong password takes.
    async fn time(&self, email: &str) -> anyhow::Result<f64> {
        let body = json!({ "email": email, "password": Uuid::new_v4() });
        let asked = Instant::now();
        let outcome = self.ask("auth.login", &body).await;
        let took = asked.elapsed().as_secs_f64() * 1_000.0;
        match outcome {
            Err(fault) if fault.code == ErrorCode::Unauthenticated => Ok(took),
            Err(fault) => Err(fault).context("a login was refused otherwise"),
            Ok(()) => anyhow::bail!("a wrong password was taken"),
        }
    }

    async fn ask(&self, subject: &str, body: &Value) -> Result<(), Fault> {
        let random = Uuid::new_v4().as_u128();
        let mut meta = Meta::background(subject);
        meta.client_address = Some(format!("2001:db8:{:x}:{:x}::/64", random & 0xffff, (random >> 16) & 0xffff));
        meta.idempotency_key = Some(Uuid::new_v4().to_string());
        let call = RawCall {
            content_type: ContentType::Json,
            body: body.to_string().into(),
            user_token: None,
            deadline: tokio::time::Instant::now() + PATIENCE,
            meta: &meta,
        };
        self.0.client.request_raw(subject, call).await.map(|_reply| ())
    }
}

/// An address that nobody else has.
fn somebody() -> String {
    format!("{}@example.com", Uuid::new_v4().simple())
}

fn coin() -> bool {
    Uuid::new_v4().as_u128() & 1 == 0
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
fn without_slowest(sorted: &[f64]) -> &[f64] {
    let kept = (as_f64(sorted.len()) * (1.0 - SLOWEST)) as usize;
    sorted.get(..kept).unwrap_or_default()
}

/// Welch's t: how far two means are apart, in standard errors of their difference.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((one_mean, one_error), (other_mean, other_error)) = (mean_and_error(one), mean_and_error(other));
    (one_mean - other_mean) / (one_error + other_error).sqrt()
}

/// The mean, and the square of its standard error.
fn mean_and_error(samples: &[f64]) -> (f64, f64) {
    let count = as_f64(samples.len());
    let mean = samples.iter().sum::<f64>() / count;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    (mean, squares / (count - 1.0) / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_apart_is_told_apart() {
        let (one, same) = ([1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 2.0, 1.0]);
        assert!(welch(&one, &same).abs() < 1e-9);
        let later = one.map(|sample| sample + 5.0);
        // Both have a variance of 2.5: the standard error of the difference is 1.
        assert!((welch(&later, &one) - 5.0).abs() < 1e-9);
        assert!((middle(&one) - 3.0).abs() < 1e-9);
        assert_eq!(without_slowest(&[0.0; 20]).len(), 18);
    }
}
