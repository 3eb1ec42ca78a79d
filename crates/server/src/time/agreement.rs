//! Whether the clocks of the instances on one database agree (row E10). Each says how its own stands to the database's, and
//! hears how the others' do. Who is far from most of them signs no time, and goes on issuing licenses.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::clock::{self, ClockRow};
use crate::{Error, Server};

/// What came of the last comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Agreement {
    /// There was none: this is the only instance.
    #[default]
    NotCompared,
    /// Most clocks are near this one.
    Near,
    /// Most clocks are not.
    Far,
    /// The database did not answer.
    Unknown,
}

/// What one instance knows of its clock and the others'.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    instance: OnceLock<[u8; 16]>,
    last: Mutex<Agreement>,
}

impl Comparison {
    pub(super) fn last(&self) -> Agreement {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a result over, and says whether it is another one than before.
    fn set(&self, agreement: Agreement) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, agreement) != agreement
    }
}

impl Server {
    /// Compares this instance's clock with those of the others on its database, again and again. Never ends. Before it is
    /// called a first time nothing is compared.
    pub async fn watch_clocks(self) {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            self.compare_clocks().await;
        }
    }

    /// Compares once. With SQLite there is no other instance, and nothing is done.
    pub async fn compare_clocks(&self) {
        if !self.home.store().is_shared() {
            return;
        }
        let agreement = match tokio::time::timeout(LIMIT, self.agreement()).await {
            Ok(Ok(agreement)) => agreement,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the clocks were not compared");
                Agreement::Unknown
            }
            Err(_) => Agreement::Unknown,
        };
        if self.time.comparison.set(agreement) {
            match agreement {
                Agreement::Far => {
                    tracing::error!("this clock is far from the others on the database: no time is signed")
                }
                Agreement::Unknown => tracing::error!("the clocks cannot be compared: no time is signed"),
                Agreement::Near | Agreement::NotCompared => tracing::info!("this clock is near the others"),
            }
        }
    }

    async fn agreement(&self) -> Result<Agreement, Error> {
        let mut connection = self.home.store().read().await?;
        let (asked_at, reading) = (Instant::now(), self.clock.reading());
        let (database_ms, others) = clock::read(&mut connection).await?;
        let uncertainty = asked_at.elapsed() / 2;
        drop(connection);
        let mine_ms = i64::try_from((reading + uncertainty).as_millis()).unwrap_or(i64::MAX);
        let uncertainty_ms = u32::try_from(uncertainty.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
        let ahead_ms = mine_ms.saturating_sub(database_ms);
        self.metrics
            .clock_ahead
            .set(Duration::from_millis(ahead_ms.unsigned_abs()).as_secs_f64().copysign(ahead_ms as f64));
        let mine = ClockRow { instance: self.instance(), ahead_ms, uncertainty_ms };
        let mut transaction = self.home.store().write().await?;
        clock::set(&mut transaction, &mine, database_ms).await?;
        transaction.commit().await?;
        Ok(if is_near_most(&mine, &others) { Agreement::Near } else { Agreement::Far })
    }

    fn instance(&self) -> Vec<u8> {
        let drawn = self.time.comparison.instance.get_or_init(|| {
            let mut bytes = [0; 16];
            self.entropy.entropy().fill(&mut bytes);
            bytes
        });
        drawn.to_vec()
    }
}

/// Whether more than half of all clocks, this one and the database's among them, are near this one.
fn is_near_most(mine: &ClockRow, found: &[ClockRow]) -> bool {
    let database = ClockRow { instance: Vec::new(), ahead_ms: 0, uncertainty_ms: 0 };
    let others = || found.iter().filter(|row| row.instance != mine.instance).chain([&database]);
    let is_near = |other: &ClockRow| {
        let unsure = u64::from(mine.uncertainty_ms) + u64::from(other.uncertainty_ms);
        mine.ahead_ms.abs_diff(other.ahead_ms) <= LARGEST_DIFFERENCE_MS + unsure
    };
    let (near, all) = (1 + others().filter(|other| is_near(other)).count(), 1 + others().count());
    near * 2 > all
}

/// Row E10.
const LARGEST_DIFFERENCE_MS: u64 = 2_000;
const EVERY: Duration = Duration::from_secs(10);
/// The longest that a comparison may take: its round trip is a part of what it is unsure of.
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instance: u8, ahead_ms: i64) -> ClockRow {
        ClockRow { instance: vec![instance], ahead_ms, uncertainty_ms: 10 }
    }

    #[test]
    fn e10_who_is_more_than_two_seconds_from_most_clocks_is_far() {
        let near = |mine, found: &[i64]| {
            let found: Vec<_> = (2..).zip(found).map(|(number, ahead)| row(number, *ahead)).collect();
            is_near_most(&row(1, mine), &found)
        };
        assert!(near(0, &[]) && near(2_010, &[]) && !near(2_011, &[]), "the database and this one");
        assert!(near(0, &[3_000]) && !near(3_000, &[0]) && !near(-3_000, &[0]), "the database decides between two");
        assert!(near(3_000, &[3_000]), "the database's own clock is the one that is off");
        assert!(near(0, &[0, 3_000, 9_000]) && !near(3_000, &[0, 0, 3_000]));
        assert!(!near(0, &[5_000, 5_000]), "most are elsewhere");
        assert!(!near(0, &[5_000, 10_000, 15_000]), "nobody agrees with anybody");
    }

    #[test]
    fn an_instances_own_row_is_not_somebody_else() {
        assert!(!is_near_most(&row(1, 3_000), &[row(1, 3_000)]));
    }

    #[test]
    fn what_both_are_unsure_of_is_allowed() {
        let other = ClockRow { uncertainty_ms: 100, ..row(2, 4_110) };
        assert!(is_near_most(&row(1, 2_000), std::slice::from_ref(&other)));
        let later = ClockRow { ahead_ms: 4_111, ..other };
        assert!(!is_near_most(&row(1, 2_000), &[later.clone(), ClockRow { instance: vec![3], ..later }]));
    }
}
