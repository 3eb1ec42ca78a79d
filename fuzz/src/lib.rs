//! What the targets share: the fixture realm, seeds for their corpora, and the one way to read, write and read again.

pub mod forge;
pub mod messages;
pub mod mutate;
pub mod seeds;

use std::sync::LazyLock;

use admit_crypto::Provider;
use admit_testkit::{FixtureClient, FixtureRealm};
use admit_trust::DateCheck;

/// The realm that the corpora in `vectors` were made in.
pub static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));

/// The client that they were made for.
pub static CLIENT: LazyLock<FixtureClient> = LazyLock::new(|| REALM.client(2, 150));

/// The cryptography of the targets: pure Rust, so that the fuzzer sees inside.
pub fn provider() -> &'static Provider {
    REALM.provider
}

/// The time of the fixtures.
pub fn dates() -> DateCheck {
    DateCheck::At(REALM.now)
}

/// Reads all of `bytes` as one CBOR value; what is read is written, and what is written is read as the same and
/// written as the same bytes.
pub fn round_trip<T>(bytes: &[u8]) -> Option<T>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()> + PartialEq + std::fmt::Debug,
{
    let value: T = minicbor::decode(bytes).ok()?;
    let written = minicbor::to_vec(&value).expect("writing to memory succeeds");
    let again: T = minicbor::decode(&written).expect("what is written is read");
    assert_eq!(again, value);
    assert_eq!(minicbor::to_vec(&again).expect("writing to memory succeeds"), written);
    Some(value)
}
