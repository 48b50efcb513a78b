//! Which processes there are, and which services run in each.

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// The services in it.
    pub services: &'static [&'static str],
}

/// All processes.
#[derive(Debug, Clone)]
pub struct Layout(pub Vec<Member>);

impl Layout {
    /// Two replicas of everything.
    pub fn full() -> Layout {
        Layout(vec![
            Member { name: "edge-1", services: &["edge"] },
            Member { name: "edge-2", services: &["edge"] },
            Member { name: "booking-1", services: &["booking"] },
            Member { name: "booking-2", services: &["booking"] },
            Member { name: "catalog-1", services: &["catalog"] },
            Member { name: "catalog-2", services: &["catalog"] },
            Member { name: "people-1", services: &["auth", "profile", "vendor"] },
            Member { name: "people-2", services: &["auth", "profile", "vendor"] },
            Member { name: "ledger-1", services: &["ledger"] },
            Member { name: "ledger-2", services: &["ledger"] },
        ])
    }

    /// Two replicas of booking, one of the rest.
    pub fn cut() -> Layout {
        Layout(vec![
            Member { name: "edge-1", services: &["edge"] },
            Member { name: "booking-1", services: &["booking"] },
            Member { name: "booking-2", services: &["booking"] },
            Member { name: "others-1", services: &["auth", "profile", "vendor", "catalog"] },
            Member { name: "ledger-1", services: &["ledger"] },
        ])
    }

    /// Everything in one process, and the ledger in one of its own.
    pub fn small() -> Layout {
        Layout(vec![
            Member { name: "all-1", services: &["auth", "profile", "vendor", "booking", "catalog", "edge"] },
            Member { name: "ledger-1", services: &["ledger"] },
        ])
    }

    /// Whether it is the one of the full run.
    pub fn is_full(&self) -> bool {
        self.0 == Layout::full().0
    }

    /// The processes in which a service runs.
    pub fn with(&self, service: &str) -> Vec<&'static str> {
        self.0.iter().filter(|member| member.services.contains(&service)).map(|member| member.name).collect()
    }
}
