//! The wall clock, for the operator's side. A client never believes it.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admit_server::Clock;
use admit_time::Timestamp;

/// The time by the operating system's clock; 1970 where that stands before it.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_secs(since_1970().as_secs())
}

/// The operating system's clock, for servers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn reading(&self) -> Duration {
        since_1970()
    }
}

/// Whether the kernel's clock is kept right (adjtimex(2), `STA_UNSYNC`), as systemd tells it; none where it does not.
pub(crate) fn is_clock_kept_right() -> Option<bool> {
    let asked = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output();
    match asked.as_ref().map(|output| output.stdout.trim_ascii()) {
        Ok(b"yes") => Some(true),
        Ok(b"no") => Some(false),
        _ => None,
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
