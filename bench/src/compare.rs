//! Ours beside the raw parts, over the same number of connections.

use crate::load::Found;
use crate::page::{Page, Row, or_dash};
use crate::subject::Subject;
use std::fmt;
use std::time::Duration;

impl Page {
    /// The tables of the page that compare.
    pub(crate) fn comparisons(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ratios(f)?;
        self.differences(f)
    }

    fn ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| Ours beside its raw parts | connections | parts in sequence, requests/s | ours as a share of that | \
             of a row committed | p50 ÷ sum of the parts' p50 |\n|---|--:|--:|--:|--:|--:|"
        )?;
        for row in self.rows.iter().filter(|row| !row.subject.parts().is_empty()) {
            let Row { subject, connections, found, used: _ } = row;
            let parts = self.parts_in_sequence(row);
            let in_sequence = parts.as_deref().map(per_second_in_sequence);
            let share = in_sequence.map(|in_sequence| found.per_second / in_sequence);
            let insert = subject.parts().contains(&Subject::Insert).then(|| self.found(Subject::Insert, *connections));
            let share_of_insert = insert.flatten().map(|insert| found.per_second / insert.per_second);
            let p50_of_parts = parts.map(|parts| parts.iter().map(|part| part.p50).sum::<Duration>());
            let times_p50 = p50_of_parts.map(|of_parts| found.p50.as_secs_f64() / of_parts.as_secs_f64());
            writeln!(
                f,
                "| {} | {connections} | {} | {} | {} | {} |",
                subject.name(),
                or_dash(in_sequence, 0),
                percent(share),
                percent(share_of_insert),
                or_dash(times_p50, 1)
            )?;
        }
        Ok(())
    }

    /// None when one of them was not measured.
    fn parts_in_sequence(&self, row: &Row) -> Option<Vec<&Found>> {
        row.subject.parts().iter().map(|part| self.found(*part, row.connections)).collect()
    }

    fn differences(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [
            ("the mesh: `auth.jwks` through it, less a raw request", Subject::MeshJwks, Subject::Nats),
            ("vendor and its database: `clinic.findOne` less `auth.jwks`", Subject::MeshClinic, Subject::MeshJwks),
            (
                "the edge: GET /clinics/{id} without its cache less `clinic.findOne` over NATS",
                Subject::GetClinicUncached,
                Subject::MeshClinic,
            ),
        ];
        writeln!(f, "\n| What each layer adds to the p50 | connections | µs |\n|---|--:|--:|")?;
        for (name, whole, without) in steps {
            for row in self.rows.iter().filter(|row| row.subject == whole) {
                let Some(without) = self.found(without, row.connections) else { continue };
                let added = (row.found.p50.as_secs_f64() - without.p50.as_secs_f64()) * 1e6;
                writeln!(f, "| {name} | {} | {added:.0} |", row.connections)?;
            }
        }
        Ok(())
    }
}

/// How many a second would be done by those who do each part after the other.
fn per_second_in_sequence(parts: &[&Found]) -> f64 {
    1.0 / parts.iter().map(|part| 1.0 / part.per_second).sum::<f64>()
}

fn percent(share: Option<f64>) -> String {
    match share {
        Some(share) if share.is_finite() => format!("{:.1} %", share * 100.0),
        _ => "–".to_owned(),
    }
}
