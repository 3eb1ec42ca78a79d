//! Secrets at rest: sealed under the home's key-encryption key for one table, row and column each.

use admit_crypto::record::{self, Opened};
use admit_crypto::{Entropy, Provider, RecordKey};

use crate::Error;

/// The place in the database that a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a [u8],
    pub(crate) column: &'static str,
}

/// Seals and opens with the home's key-encryption key.
#[derive(Debug)]
pub(crate) struct Sealer {
    provider: &'static Provider,
    key: RecordKey,
}

impl Sealer {
    pub(crate) const fn new(provider: &'static Provider, key: RecordKey) -> Self {
        Self { provider, key }
    }

    pub(crate) fn seal(&self, place: Place<'_>, secret: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        record::seal(self.provider, &self.key, &place.context(), secret, entropy)
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error> {
        record::open(self.provider, &self.key, &place.context(), sealed).map_err(|_| place.damaged())
    }
}

impl Place<'_> {
    const fn context(&self) -> [&[u8]; 3] {
        [self.table.as_bytes(), self.row, self.column.as_bytes()]
    }

    pub(crate) fn damaged(&self) -> Error {
        let text = str::from_utf8(self.row).ok().filter(|row| row.chars().all(|c| c.is_ascii_graphic()));
        let row = text.map_or_else(|| hex::encode(self.row), str::to_owned);
        Error::Damaged { table: self.table, row, column: self.column }
    }
}
