//! Writes to the store before they are sealed, each for the place where its record is kept.

/// Where a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In the storage, durably.
    Storage,
    /// In memory, until the session ends.
    Session,
}

impl Place {
    /// Both places, in the order in which they are written.
    pub(crate) const ALL: [Self; 2] = [Self::Storage, Self::Session];
}

/// One write.
pub(crate) enum Write {
    /// Writes a record.
    Put { key: Vec<u8>, plaintext: Vec<u8> },
    /// Removes a record.
    Delete { key: Vec<u8> },
}

/// Writes that are made together, as far as they are for one place.
#[derive(Default)]
pub(crate) struct Writes {
    pub(crate) storage: Vec<Write>,
    pub(crate) session: Vec<Write>,
}

impl Writes {
    pub(crate) fn put(&mut self, place: Place, key: Vec<u8>, plaintext: Vec<u8>) {
        self.of(place).push(Write::Put { key, plaintext });
    }

    pub(crate) fn delete(&mut self, place: Place, key: Vec<u8>) {
        self.of(place).push(Write::Delete { key });
    }

    fn of(&mut self, place: Place) -> &mut Vec<Write> {
        match place {
            Place::Storage => &mut self.storage,
            Place::Session => &mut self.session,
        }
    }
}
