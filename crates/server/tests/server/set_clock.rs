//! The clock of a server under test: it stands still until it is moved, and what waits for a time waits for that.

use std::pin::Pin;
use std::time::Duration;

use admit_server::Clock;
use admit_time::Timestamp;
use tokio::sync::watch;

use super::START;

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct SetClock(watch::Sender<u64>);

impl SetClock {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(START.unix_secs()))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.send_modify(|secs| *secs += by.as_secs());
    }

    pub(crate) fn set_back(&self, by: Duration) {
        self.0.send_modify(|secs| *secs -= by.as_secs());
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(*self.0.borrow())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let end = *self.0.borrow() + duration.as_secs();
        let mut time = self.0.subscribe();
        Box::pin(async move {
            let _ = time.wait_for(|secs| *secs >= end).await;
        })
    }
}
