//! A hash tree over the records of a ledger: a trie over the SHA-256 of their keys, four bits a level. A leaf names up to
//! a few records with the digest of their sealed bytes, a branch its children with theirs. Nodes are records themselves;
//! the root's digest is in the position record. Finding, changing and checking a record takes one node a level, of which
//! those near the root are kept in memory.

use core::ops::ControlFlow;
use std::collections::BTreeMap;

use admit_crypto::record::Opened;
use admit_crypto::{Digest, Entropy};
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

use crate::branches::Children;
use crate::ledger::{Ledger, decode, encode};
use crate::{Change, Error, KeyValue};

#[derive(Debug, Encode, Decode)]
enum Node<'b> {
    #[n(0)]
    Leaf(#[b(0)] Vec<Entry<'b>>),
    #[n(1)]
    Branch(#[n(0)] Box<Children>),
}

#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Entry<'b> {
    #[b(0)]
    key: &'b ByteSlice,
    #[n(1)]
    digest: Digest,
}

/// The SHA-256 of a key, four bits a byte.
type Path = [u8; 2 * Digest::LENGTH];

/// What is called with a record's key and plaintext.
type Visit<'v> = dyn FnMut(&[u8], &Opened) -> Result<ControlFlow<()>, Error> + 'v;

/// A record that gets another digest, or goes.
#[derive(Clone)]
struct Edit<'c> {
    key: &'c [u8],
    path: Path,
    digest: Option<Digest>,
}

impl<K: KeyValue> Ledger<'_, K> {
    /// The digest of the record that belongs under this key; none where there is no such record.
    pub(crate) fn digest_of(&self, key: &[u8]) -> Result<Option<Digest>, Error> {
        let Some(mut digest) = self.root() else { return Ok(None) };
        let path = self.path_of(key);
        for (depth, &nibble) in path.iter().enumerate() {
            let above = &path[..depth];
            let child = match self.branches().child(above, digest, nibble) {
                Some(child) => child,
                None => match self.node(above, digest, &mut None)? {
                    Node::Branch(children) => children[usize::from(nibble)],
                    Node::Leaf(entries) => {
                        let entry = entries.iter().find(|entry| **entry.key == *key);
                        return Ok(entry.map(|entry| entry.digest));
                    }
                },
            };
            let Some(child) = child else { return Ok(None) };
            digest = child;
        }
        // No two keys have the same path, so no branch is as deep as that.
        Err(self.mismatch(key))
    }

    /// Visits the records whose key begins like this, in the order of the tree, until the visitor breaks. Where it does not,
    /// the whole tree was looked at, and it is still the one that counts.
    pub(crate) fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), Error> {
        let mut pending: Vec<_> = self.root().map(|digest| (Vec::new(), digest)).into_iter().collect();
        while let Some((path, digest)) = pending.pop() {
            match self.node(&path, digest, &mut None)? {
                Node::Leaf(entries) => {
                    for Entry { key, digest } in entries.iter().filter(|entry| entry.key.starts_with(prefix)) {
                        if visit(key, &self.get_as(key, *digest)?)?.is_break() {
                            return Ok(());
                        }
                    }
                }
                Node::Branch(children) => {
                    let children = (0_u8..).zip(*children).filter_map(|(nibble, child)| Some((nibble, child?)));
                    pending.extend(children.map(|(nibble, child)| ([&path[..], &[nibble]].concat(), child)));
                }
            }
        }
        self.check_position()
    }

    /// The node at a path that has this digest. What it borrows from is left in `record`.
    fn node<'r>(&self, path: &[u8], digest: Digest, record: &'r mut Option<Opened>) -> Result<Node<'r>, Error> {
        if let Some(children) = self.branches().find(path, digest) {
            return Ok(Node::Branch(children));
        }
        let key = node_key(path);
        let node = decode(&key, record.insert(self.get_as(&key, digest)?))?;
        if let Node::Branch(children) = &node {
            self.branches().keep(path, digest, children);
        }
        Ok(node)
    }

    fn path_of(&self, key: &[u8]) -> Path {
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
    nodes: NewNodes,
}

/// The nodes to write beside records, and what is known of them once they are written.
#[derive(Default)]
pub(crate) struct NewNodes {
    pub(crate) changes: Vec<Change>,
    pub(crate) branches: Vec<(Vec<u8>, Digest, Box<Children>)>,
}

impl<'a, 'p, K: KeyValue> Update<'a, 'p, K> {
    /// Follows changes to records. The nodes are not written yet; beside them, the digest of what is the root then.
    pub(crate) fn make(
        ledger: &'a Ledger<'p, K>,
        records: &[Change],
        entropy: &'a mut dyn Entropy,
    ) -> Result<(Option<Digest>, NewNodes), Error> {
        let edit = |change: &'_ Change| match change {
            Change::Put { key, value } => (key.clone(), Some(ledger.digest(value))),
            Change::Delete { key } => (key.clone(), None),
        };
        let edits: Vec<_> = records.iter().map(edit).collect();
        let edits = edits.iter().map(|(key, digest)| Edit { key, path: ledger.path_of(key), digest: *digest });
        let mut update = Self { ledger, entropy, nodes: NewNodes::default() };
        let root = update.node(&[], ledger.root(), edits.collect())?;
        Ok((root, update.nodes))
    }

    fn node(&mut self, path: &[u8], digest: Option<Digest>, edits: Vec<Edit<'_>>) -> Result<Option<Digest>, Error> {
        let mut record = None;
        let node = digest.map_or(Ok(Node::Leaf(Vec::new())), |digest| self.ledger.node(path, digest, &mut record))?;
        let mut entries = match node {
            Node::Branch(children) => return self.branch(path, children, edits),
            Node::Leaf(entries) => entries,
        };
        entries.retain(|entry| edits.iter().all(|edit| *edit.key != **entry.key));
        entries.extend(edits.iter().filter_map(|edit| Some(Entry { key: edit.key.into(), digest: edit.digest? })));
        if entries.len() <= LEAF_CAPACITY {
            let is_empty = entries.is_empty();
            return Ok(self.put(path, &Node::Leaf(entries), is_empty));
        }
        let edit = |Entry { key, digest }: &Entry<'_>| (self.ledger.path_of(key), Some(*digest));
        let paths: Vec<_> = entries.iter().map(edit).collect();
        let edits = entries.iter().zip(paths).map(|(entry, (path, digest))| Edit { key: entry.key, path, digest });
        self.branch(path, Box::default(), edits.collect())
    }

    fn branch(
        &mut self,
        path: &[u8],
        mut children: Box<Children>,
        edits: Vec<Edit<'_>>,
    ) -> Result<Option<Digest>, Error> {
        let mut by_child = BTreeMap::<u8, Vec<Edit<'_>>>::new();
        for edit in edits {
            by_child.entry(edit.path[path.len()]).or_default().push(edit);
        }
        for (nibble, edits) in by_child {
            let child = &mut children[usize::from(nibble)];
            *child = self.node(&[path, &[nibble]].concat(), *child, edits)?;
        }
        let is_empty = children.iter().all(Option::is_none);
        let digest = self.put(path, &Node::Branch(children.clone()), is_empty);
        self.nodes.branches.extend(digest.map(|digest| (path.to_vec(), digest, children)));
        Ok(digest)
    }

    /// Writes a node, or removes one that has nothing under it.
    fn put(&mut self, path: &[u8], node: &Node<'_>, is_empty: bool) -> Option<Digest> {
        let key = node_key(path);
        if is_empty {
            self.nodes.changes.push(Change::Delete { key });
            return None;
        }
        let value = self.ledger.seal(&key, &encode(node), self.entropy);
        let digest = self.ledger.digest(&value);
        self.nodes.changes.push(Change::Put { key, value });
        Some(digest)
    }
}

fn node_key(path: &[u8]) -> Vec<u8> {
    [NODE, path].concat()
}

/// Entries of a leaf, until it becomes a branch: a million records lie about fifteen in a leaf, four levels down.
const LEAF_CAPACITY: usize = 32;
const NODE: &[u8] = b"n";
