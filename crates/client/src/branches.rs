//! Branches of the tree that are kept in memory, so that finding a record opens few nodes.

use core::cell::RefCell;
use std::collections::BTreeMap;

use admit_crypto::Digest;

/// The digests of a branch's children.
pub(crate) type Children = [Option<Digest>; 16];

/// The branches near the root that were verified or written, by their paths. One counts only for the digest that its parent
/// names now, so none can be out of date; and there are no more of them than there are paths of that length.
#[derive(Default)]
pub(crate) struct Branches(RefCell<BTreeMap<Vec<u8>, Known>>);

/// The digest of a branch's record, and what it says.
type Known = (Digest, Box<Children>);

impl Branches {
    /// The branch at a path, if it is known and has this digest.
    pub(crate) fn find(&self, path: &[u8], digest: Digest) -> Option<Box<Children>> {
        self.known(path, digest, |children| Box::new(*children))
    }

    /// What the branch at a path says of a child, if it is known and has this digest.
    pub(crate) fn child(&self, path: &[u8], digest: Digest, nibble: u8) -> Option<Option<Digest>> {
        self.known(path, digest, |children| children[usize::from(nibble)])
    }

    fn known<T>(&self, path: &[u8], digest: Digest, say: impl FnOnce(&Children) -> T) -> Option<T> {
        let known = self.0.borrow();
        known.get(path).filter(|(known, _)| *known == digest).map(|(_, children)| say(children))
    }

    /// Keeps a branch whose record has this digest, if it is near the root.
    pub(crate) fn keep(&self, path: &[u8], digest: Digest, children: &Children) {
        if path.len() <= DEEPEST {
            self.0.borrow_mut().insert(path.to_vec(), (digest, Box::new(*children)));
        }
    }
}

/// The longest path of a branch that is kept: 4369 branches at most, of 600 bytes each.
const DEEPEST: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_counts_for_its_digest_and_its_place_alone() {
        let branches = Branches::default();
        let (older, newer) = (Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32]));
        let children = |digest| core::array::from_fn(|nibble| (nibble == 3).then_some(digest));
        branches.keep(&[4, 5], older, &children(newer));
        assert_eq!(branches.find(&[4, 5], older).as_deref(), Some(&children(newer)));
        assert_eq!(branches.find(&[4, 5], newer), None);
        assert_eq!(branches.find(&[5, 4], older), None);
        branches.keep(&[4, 5], newer, &children(older));
        assert_eq!(branches.find(&[4, 5], older), None, "one for each place");
    }

    #[test]
    fn no_more_is_kept_than_there_are_places_near_the_root() {
        let branches = Branches::default();
        let digest = Digest::from_bytes([1; 32]);
        branches.keep(&[0; DEEPEST], digest, &Children::default());
        branches.keep(&[0; DEEPEST + 1], digest, &Children::default());
        assert_eq!(branches.0.borrow().len(), 1);
    }
}
