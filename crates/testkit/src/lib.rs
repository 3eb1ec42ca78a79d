//! What tests need and the product must not have: seeded randomness, a fixture realm with every certificate, the corpus
//! reader, and a Roughtime responder.

pub mod corpus;
pub mod entropy;
pub mod realm;
pub mod roughtime;
mod trusted_time;

pub use entropy::SeededEntropy;
pub use realm::{FixtureClient, FixtureRealm, FixtureService};
pub use trusted_time::trusted_time;
