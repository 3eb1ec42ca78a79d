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

    /// The later state that was seen of this client's store, if there is one; else the store stands here from now on.
    pub(super) fn advance(&mut self, client: Digest, now: &StorePosition) -> Option<StorePosition> {
        if let Some(later) = self.seen.get(&client).filter(|seen| now.is_older_than(seen)) {
            return Some(*later);
        }
        if self.seen.insert(client, *now) != Some(*now) {
            self.moved.insert(client);
        }
        None
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
        assert_eq!(positions.advance(client, &at(1, 5, 1)), None, "two challenges from one state");
        assert!(positions.moved().is_empty());
        assert_eq!(positions.advance(client, &at(1, 4, 9)), Some(at(1, 5, 1)));
        assert_eq!(positions.advance(client, &at(1, 5, 2)), Some(at(1, 5, 1)), "two copies went on");
        assert_eq!(positions.advance(client, &at(1, 9, 3)), None);
        assert_eq!(positions.advance(client, &at(1, 8, 3)), Some(at(1, 9, 3)), "in the same transaction");
        assert_eq!(positions.advance(client, &at(2, 0, 4)), None, "another store");
        assert_eq!(positions.advance(Digest::from_bytes([2; 32]), &at(1, 1, 1)), None, "another client");
        let mut moved = positions.moved();
        moved.sort_by_key(|(client, _)| *client);
        assert_eq!(moved, [(client, at(2, 0, 4)), (Digest::from_bytes([2; 32]), at(1, 1, 1))]);
    }
}
