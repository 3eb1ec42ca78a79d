//! What tests need and the product must not have: seeded randomness, a fixture realm with every certificate, and a
//! Roughtime responder.

pub mod entropy;
pub mod realm;
pub mod roughtime;

pub use entropy::SeededEntropy;
pub use realm::{FixtureClient, FixtureRealm};
