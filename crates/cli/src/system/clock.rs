//! The wall clock, for the operator's side. A client never believes it.

use std::time::{SystemTime, UNIX_EPOCH};

use admit_time::Timestamp;

/// The time by the operating system's clock; 1970 where that stands before it.
pub(crate) fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_secs(since_1970.as_secs())
}
