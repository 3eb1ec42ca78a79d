//! What tests need and the product must not have: seeded randomness, a fixture realm with every certificate, the corpus
//! reader, a Roughtime responder, and a PostgreSQL server.

pub mod corpus;
pub mod entropy;
#[cfg(not(target_arch = "wasm32"))]
pub mod postgres;
pub mod realm;
pub mod roughtime;
mod trusted_time;

pub use entropy::SeededEntropy;
#[cfg(not(target_arch = "wasm32"))]
pub use postgres::Postgres;
pub use realm::{FixtureClient, FixtureRealm, FixtureService};
pub use trusted_time::trusted_time;
