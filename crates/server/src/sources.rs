//! Clock and randomness as the server takes them: from whoever runs it.

use std::time::Duration;

use admit_crypto::Entropy;
use admit_time::Timestamp;

/// A clock. The operating system's in the program, a set one in tests.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time now as finely as the clock tells it, since 1970-01-01T00:00:00Z. What is said of clocks in comparisons is no
    /// better than this.
    fn reading(&self) -> Duration {
        Duration::from_secs(self.now().unix_secs())
    }
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// Where each request gets its randomness from.
pub trait EntropySource: Send + Sync {
    /// A source of random bytes for one piece of work.
    fn entropy(&self) -> Box<dyn Entropy + Send>;
}

impl<F: Fn() -> Box<dyn Entropy + Send> + Send + Sync> EntropySource for F {
    fn entropy(&self) -> Box<dyn Entropy + Send> {
        self()
    }
}
