//! A hash tree over the records of a ledger: a trie over the SHA-256 of their keys, four bits a level. A leaf names up to
//! a few records with the digest of their sealed bytes, a branch its children with theirs. Nodes are records themselves;
//! the root's digest is in the position record. Finding, changing and checking a record takes one node a level.

use std::collections::BTreeMap;

use admit_crypto::{Digest, Entropy};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::ledger::{Ledger, decode, encode};
use crate::{Change, Error, KeyValue};

#[derive(Debug, Encode, Decode)]
enum Node {
    #[n(0)]
    Leaf(#[n(0)] Vec<Entry>),
    #[n(1)]
    Branch(#[n(0)] Box<Children>),
}

type Children = [Option<Digest>; 16];

#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Entry {
    #[n(0)]
    key: ByteVec,
    #[n(1)]
    digest: Digest,
}

/// A record that gets another digest, or goes.
#[derive(Clone)]
struct Edit<'c> {
    key: &'c [u8],
    digest: Option<Digest>,
}

impl<K: KeyValue> Ledger<'_, K> {
    /// The digest of the record that belongs under this key; none where there is no such record.
    pub(crate) fn digest_of(&self, key: &[u8]) -> Result<Option<Digest>, Error> {
        let path = self.path_of(key);
        let mut node = self.root();
        for (depth, &nibble) in path.iter().enumerate() {
            let Some(digest) = node else { return Ok(None) };
            match self.node(&path[..depth], digest)? {
                Node::Branch(children) => node = children[usize::from(nibble)],
                Node::Leaf(entries) => {
                    let entry = entries.into_iter().find(|entry| **entry.key == *key);
                    return Ok(entry.map(|entry| entry.digest));
                }
            }
        }
        // No two keys have the same path, so no branch is as deep as that.
        Err(self.mismatch(key))
    }

    /// The keys of all records whose key begins like this, in order. Looks at the whole tree.
    pub(crate) fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let mut keys = Vec::new();
        let mut pending: Vec<_> = self.root().map(|digest| (Vec::new(), digest)).into_iter().collect();
        while let Some((path, digest)) = pending.pop() {
            match self.node(&path, digest)? {
                Node::Leaf(entries) => {
                    keys.extend(
                        entries
                            .into_iter()
                            .map(|entry| entry.key.into())
                            .filter(|key: &Vec<u8>| key.starts_with(prefix)),
                    );
                }
                Node::Branch(children) => {
                    let children = (0_u8..).zip(*children).filter_map(|(nibble, child)| Some((nibble, child?)));
                    pending.extend(children.map(|(nibble, child)| ([&path[..], &[nibble]].concat(), child)));
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    fn node(&self, path: &[u8], digest: Digest) -> Result<Node, Error> {
        let key = node_key(path);
        decode(&key, &self.get_node(&key, digest)?)
    }

    /// The SHA-256 of a key, four bits a byte.
    fn path_of(&self, key: &[u8]) -> [u8; 2 * Digest::LENGTH] {
        let digest = self.digest(key);
        core::array::from_fn(|index| {
            let byte = digest.as_bytes()[index / 2];
            if index % 2 == 0 { byte >> 4 } else { byte & 0x0f }
        })
    }
}

/// The nodes that change with some records.
pub(crate) struct Update<'a, 'p, K> {
    ledger: &'a Ledger<'p, K>,
    entropy: &'a mut dyn Entropy,
    changes: Vec<Change>,
}

impl<'a, 'p, K: KeyValue> Update<'a, 'p, K> {
    pub(crate) fn new(ledger: &'a Ledger<'p, K>, entropy: &'a mut dyn Entropy) -> Self {
        Self { ledger, entropy, changes: Vec::new() }
    }

    /// Follows changes to records, and says what the root's digest is behind them.
    pub(crate) fn make(&mut self, records: &[Change]) -> Result<Option<Digest>, Error> {
        let edit = |change: &'_ Change| match change {
            Change::Put { key, value } => (key.clone(), Some(self.ledger.digest(value))),
            Change::Delete { key } => (key.clone(), None),
        };
        let edits: Vec<_> = records.iter().map(edit).collect();
        let edits = edits.iter().map(|(key, digest)| Edit { key, digest: *digest }).collect();
        self.node(&[], self.ledger.root(), edits)
    }

    /// The nodes to write beside the records.
    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    fn node(&mut self, path: &[u8], digest: Option<Digest>, edits: Vec<Edit<'_>>) -> Result<Option<Digest>, Error> {
        let node = digest.map_or(Ok(Node::Leaf(Vec::new())), |digest| self.ledger.node(path, digest))?;
        let node = match node {
            Node::Branch(children) => self.branch(path, *children, edits)?,
            Node::Leaf(mut entries) => {
                entries.retain(|entry| edits.iter().all(|edit| *edit.key != **entry.key));
                let put = |edit: &Edit<'_>| Some(Entry { key: edit.key.to_vec().into(), digest: edit.digest? });
                entries.extend(edits.iter().filter_map(put));
                if entries.len() <= LEAF_CAPACITY {
                    Node::Leaf(entries)
                } else {
                    let edits = entries.iter().map(|entry| Edit { key: &entry.key, digest: Some(entry.digest) });
                    self.branch(path, Children::default(), edits.collect())?
                }
            }
        };
        Ok(self.put(path, &node))
    }

    fn branch(&mut self, path: &[u8], mut children: Children, edits: Vec<Edit<'_>>) -> Result<Node, Error> {
        let mut by_child = BTreeMap::<u8, Vec<Edit<'_>>>::new();
        for edit in edits {
            by_child.entry(self.ledger.path_of(edit.key)[path.len()]).or_default().push(edit);
        }
        for (nibble, edits) in by_child {
            let child = &mut children[usize::from(nibble)];
            *child = self.node(&[path, &[nibble]].concat(), *child, edits)?;
        }
        Ok(Node::Branch(Box::new(children)))
    }

    /// Writes a node, or removes one that has nothing under it.
    fn put(&mut self, path: &[u8], node: &Node) -> Option<Digest> {
        let key = node_key(path);
        let is_empty = match node {
            Node::Leaf(entries) => entries.is_empty(),
            Node::Branch(children) => children.iter().all(Option::is_none),
        };
        if is_empty {
            self.changes.push(Change::Delete { key });
            return None;
        }
        let value = self.ledger.seal(&key, &encode(node), self.entropy);
        let digest = self.ledger.digest(&value);
        self.changes.push(Change::Put { key, value });
        Some(digest)
    }
}

fn node_key(path: &[u8]) -> Vec<u8> {
    [NODE, path].concat()
}

/// Entries of a leaf, until it becomes a branch.
const LEAF_CAPACITY: usize = 16;
const NODE: &[u8] = b"n";
