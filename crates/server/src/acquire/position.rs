//! Whether a client's store is older than one that this server has seen of it.

use std::collections::{HashMap, HashSet};

use admit_crypto::Digest;
use admit_protocol::acquire::StorePosition;

/// Where clients' stores stand, while a transaction is under way.
pub(super) struct Positions {
    seen: HashMap<Digest, StorePosition>,
    moved: HashSet<Digest>,
}

impl Positions {
    pub(super) fn new(seen: HashMap<Digest, StorePosition>) -> Self {
        Self { seen, moved: HashSet::new() }
    }

    /// The later state that was seen of this client's store, if there is one.
    pub(super) fn later(&self, client: &Digest, now: &StorePosition) -> Option<StorePosition> {
        self.seen.get(client).filter(|seen| now.is_older_than(seen)).copied()
    }

    /// The client is issued something: its store stands here from now on.
    pub(super) fn advance(&mut self, client: Digest, now: &StorePosition) {
        if self.seen.insert(client, *now) != Some(*now) {
            self.moved.insert(client);
        }
    }

    pub(super) fn moved(&self) -> Vec<(Digest, StorePosition)> {
        self.moved.iter().filter_map(|client| Some((*client, *self.seen.get(client)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u8, sequence: u64, head: u8) -> StorePosition {
        StorePosition { epoch: [epoch; 16].into(), sequence, head: Digest::from_bytes([head; 32]) }
    }

    #[test]
    fn a_store_goes_on_and_neither_back_nor_another_way() {
        let client = Digest::from_bytes([1; 32]);
        let mut positions = Positions::new(HashMap::from([(client, at(1, 5, 1))]));
        let mut take = |client: Digest, now: StorePosition| {
            let later = positions.later(&client, &now);
            if later.is_none() {
                positions.advance(client, &now);
            }
            (later, positions.moved().len())
        };
        assert_eq!(take(client, at(1, 5, 1)), (None, 0), "two challenges from one state");
        assert_eq!(take(client, at(1, 4, 9)), (Some(at(1, 5, 1)), 0));
        assert_eq!(take(client, at(1, 5, 2)), (Some(at(1, 5, 1)), 0), "two copies went on");
        assert_eq!(take(client, at(1, 9, 3)), (None, 1));
        assert_eq!(take(client, at(1, 8, 3)), (Some(at(1, 9, 3)), 1), "in the same transaction");
        assert_eq!(take(client, at(2, 0, 4)), (None, 1), "another store");
        assert_eq!(take(Digest::from_bytes([2; 32]), at(1, 1, 1)), (None, 2), "another client");
        let mut moved = positions.moved();
        moved.sort_by_key(|(client, _)| *client);
        assert_eq!(moved, [(client, at(2, 0, 4)), (Digest::from_bytes([2; 32]), at(1, 1, 1))]);
    }
}
