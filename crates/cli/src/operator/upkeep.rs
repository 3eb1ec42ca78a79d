//! What `admit serve` does beside serving: taking over keys that were renewed or rotated, renewing those of a
//! demonstration, and saying in the log when a certificate is due to be renewed.

use std::time::Duration;

use admit_server::home::{Home, Renewal, Renewed};
use admit_time::Timestamp;
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use crate::system::{SystemEntropy, now};

/// Looks at once, then at every interval and every time that the signal comes. Never ends.
pub(super) async fn run(home: Home, mut hangup: Signal) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut warned_at = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Some(()) = hangup.recv() => tracing::info!("told to look at the keys"),
        }
        look(&home, &mut warned_at).await;
    }
}

async fn look(home: &Home, warned_at: &mut Option<Timestamp>) {
    match home.reload().await {
        Ok(true) => tracing::info!(services_end_at = %home.services_end_at(), "took over renewed keys"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "cannot look at the keys; those in memory stay in use"),
    }
    let now = now();
    match home.renew_demonstration(Renewal::Due, now, &mut SystemEntropy).await {
        Ok(renewed) => {
            for Renewed { name, ends_at } in renewed.into_iter().flatten() {
                tracing::info!(certificate = %name, %ends_at, "renewed a certificate");
            }
        }
        Err(error) => tracing::error!(%error, "cannot renew the certificates that are due"),
    }
    let is_time = warned_at.is_none_or(|at| at.saturating_add(WARN_EVERY) <= now);
    for due in home.standings().filter(|standing| is_time && standing.is_due(now)) {
        *warned_at = Some(now);
        tracing::warn!(certificate = %due.name, ends_at = %due.ends_at, "due to be renewed: run admit admin renew");
    }
}

/// Looking is cheap, and `docs/operate/upgrade.md` promises that renewed keys are in use after this time.
const INTERVAL: Duration = Duration::from_secs(30);
const WARN_EVERY: Duration = Duration::from_secs(86_400);
