//! The time that this server signs (rows E05, E06 and E10): Roughtime, `docs/formats/time.md`.

pub(crate) mod key;
