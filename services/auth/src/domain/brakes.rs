//! How many attempts may fail, and how long the next one has to wait then.

use chrono::TimeDelta;

/// How long an address stays familiar to an account after the last time that somebody signed in from there.
pub const FAMILIAR_FOR: TimeDelta = TimeDelta::days(30);

/// What holds up attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// Which failure is the first after which there is a wait.
    pub first_at: u32,
    /// That wait. Each further failure doubles it.
    pub first_wait: TimeDelta,
    /// The longest wait.
    pub longest_wait: TimeDelta,
    /// When failures are forgotten.
    pub forgets: Forgets,
}

/// When failures are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgets {
    /// So long after the last one: whoever goes on trying slowly gets nowhere.
    AfterTheLast(TimeDelta),
    /// So long after the first one: many people may share an address, and some of them always err.
    AfterTheFirst(TimeDelta),
}

/// Attempts on one account, after `allowed` failures.
pub const fn of_account(allowed: u32) -> Brake {
    Brake {
        first_at: allowed,
        first_wait: TimeDelta::seconds(1),
        longest_wait: TimeDelta::minutes(15),
        forgets: Forgets::AfterTheLast(TimeDelta::hours(1)),
    }
}

/// Attempts from one address on whatever accounts, after `allowed` failures.
pub const fn of_address(allowed: u32) -> Brake {
    Brake { forgets: Forgets::AfterTheFirst(TimeDelta::hours(1)), ..of_account(allowed) }
}

/// Codes that are asked for one account: there is a wait after each. In a day that makes thirty of them at the most, with
/// five tries each: less than one chance in 6,000 for whoever guesses all day.
pub const CODES_FOR_ACCOUNT: Brake = Brake {
    first_at: 1,
    first_wait: TimeDelta::minutes(1),
    longest_wait: TimeDelta::hours(1),
    forgets: Forgets::AfterTheLast(TimeDelta::hours(24)),
};

/// Codes that are asked for from one address, for whatever accounts.
pub const CODES_FOR_ADDRESS: Brake = Brake {
    first_at: 20,
    first_wait: TimeDelta::minutes(1),
    longest_wait: TimeDelta::minutes(15),
    forgets: Forgets::AfterTheFirst(TimeDelta::hours(1)),
};

impl Brake {
    /// The waits after the failure that is the first with one, after the next one, and so on; the last of them is that
    /// after all that follow.
    pub fn waits(&self) -> Vec<TimeDelta> {
        let mut waits = Vec::new();
        let mut wait = self.first_wait;
        while wait < self.longest_wait {
            waits.push(wait);
            wait = wait + wait;
        }
        waits.push(self.longest_wait);
        waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<i64> = of_account(5).waits().iter().map(TimeDelta::num_seconds).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
        let for_codes: Vec<i64> = CODES_FOR_ACCOUNT.waits().iter().map(TimeDelta::num_minutes).collect();
        assert_eq!(for_codes, [1, 2, 4, 8, 16, 32, 60]);
        let in_a_day = 7 + (24 * 60 - for_codes.iter().sum::<i64>()) / 60 + 1;
        assert!(in_a_day <= 30, "{in_a_day}");
        assert_eq!(of_address(100).waits(), of_account(5).waits());
    }
}
