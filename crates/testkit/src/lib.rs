//! What tests need and the product must not have: seeded randomness, a fixture realm with every certificate, the corpus
//! reader, a Roughtime responder and somebody else's Roughtime server, a PostgreSQL server, a hardware security module and a
//! TPM in software.

pub mod clock;
pub mod corpus;
pub mod entropy;
#[cfg(not(target_arch = "wasm32"))]
pub mod postgres;
pub mod realm;
#[cfg(feature = "roughenough")]
pub mod roughenough;
pub mod roughtime;
#[cfg(not(target_arch = "wasm32"))]
pub mod soft_hsm;
#[cfg(not(target_arch = "wasm32"))]
pub mod soft_tpm;

pub use clock::now_at;
pub use entropy::SeededEntropy;
#[cfg(not(target_arch = "wasm32"))]
pub use postgres::Postgres;
pub use realm::{FixtureClient, FixtureHardware, FixtureRealm, FixtureService, FixtureTimeService};
#[cfg(feature = "roughenough")]
pub use roughenough::Roughenough;
#[cfg(not(target_arch = "wasm32"))]
pub use soft_hsm::SoftHsm;
#[cfg(not(target_arch = "wasm32"))]
pub use soft_tpm::SoftTpm;
