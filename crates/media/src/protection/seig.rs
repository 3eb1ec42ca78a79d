//! `sbgp` and `sgpd` with grouping type `seig` (ISO/IEC 23001-7 section 6): samples whose protection differs from
//! their track's.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::tree::Node;
use crate::{Cursor, Error, Tenc, fourcc};

/// Which protection each sample in a row has.
#[derive(Debug, Clone, Default)]
pub struct Groups<'a> {
    /// `(sample count, description index)` pairs, 8 bytes each.
    runs: &'a [u8],
    left_in_run: u32,
    index: u32,
    local: Vec<Tenc>,
    global: Rc<[Tenc]>,
}

/// The descriptions that a whole track shares, read when they are first needed: a file may have a million fragments.
#[derive(Debug, Clone)]
pub struct SharedDescriptions<'a> {
    stbl: &'a Node<'a>,
    read: OnceCell<Rc<[Tenc]>>,
}

impl<'a> SharedDescriptions<'a> {
    /// Those in a track's `stbl`.
    #[must_use]
    pub fn new(stbl: &'a Node<'a>) -> Self {
        Self { stbl, read: OnceCell::new() }
    }

    /// The box that they are in.
    pub(crate) fn stbl(&self) -> &'a Node<'a> {
        self.stbl
    }

    fn all(&self) -> Result<Rc<[Tenc]>, Error> {
        if let Some(read) = self.read.get() {
            return Ok(Rc::clone(read));
        }
        let read = descriptions(self.stbl)?.into();
        Ok(Rc::clone(self.read.get_or_init(|| read)))
    }
}

impl<'a> Groups<'a> {
    /// Reads the groups in `holder` (`traf` or `stbl`).
    pub fn read(holder: &Node<'a>, shared: &SharedDescriptions<'_>) -> Result<Self, Error> {
        let runs = match find(holder, fourcc::SBGP)? {
            None => &[],
            Some(sbgp) => runs(sbgp.payload().unwrap_or_else(|| Cursor::new(&[], sbgp.at)))?,
        };
        if runs.is_empty() {
            return Ok(Self::default());
        }
        let (local, global) = (descriptions(holder)?, shared.all()?);
        Ok(Self { runs, left_in_run: 0, index: 0, local, global })
    }

    /// Bytes of memory that the descriptions take. Those that the track shares count for each who uses them.
    pub(crate) fn size(&self) -> u64 {
        ((self.local.len() + self.global.len()) * size_of::<Tenc>()) as u64
    }

    /// The protection of the next sample, or `None` if its track's holds.
    pub fn next_sample(&mut self) -> Option<&Tenc> {
        while self.left_in_run == 0 {
            let (run, rest) = self.runs.split_at_checked(8)?;
            let mut fields = run.chunks_exact(4).map(|word| u32::from_be_bytes(word.try_into().expect("4 bytes")));
            self.left_in_run = fields.next()?;
            self.index = fields.next()?;
            self.runs = rest;
        }
        self.left_in_run -= 1;
        let index = usize::try_from(self.index & 0xffff).ok()?.checked_sub(1)?;
        // Descriptions of the fragment itself are numbered from 0x10001 (ISO/IEC 14496-12 section 8.9.4).
        if self.index > 0xffff { self.local.get(index) } else { self.global.get(index) }
    }
}

fn find<'t, 'a>(holder: &'t Node<'a>, kind: crate::FourCc) -> Result<Option<&'t Node<'a>>, Error> {
    for node in holder.all(kind) {
        let mut fields = node.fields();
        fields.version_and_flags()?;
        if fields.array()? == fourcc::SEIG.0 {
            return Ok(Some(node));
        }
    }
    Ok(None)
}

fn runs(mut cursor: Cursor<'_>) -> Result<&[u8], Error> {
    let (version, _) = cursor.version_up_to(1)?;
    cursor.u32()?;
    if version == 1 {
        cursor.u32()?;
    }
    let count = cursor.u32()?;
    cursor.table(count, 8)
}

/// The protections that groups of samples may have.
pub(crate) fn descriptions(holder: &Node<'_>) -> Result<Vec<Tenc>, Error> {
    let Some(sgpd) = find(holder, fourcc::SGPD)? else { return Ok(Vec::new()) };
    let mut cursor = sgpd.fields();
    let (version, _) = cursor.version_up_to(3)?;
    cursor.u32()?;
    let default_length = if version >= 1 { cursor.u32()? } else { 0 };
    if version >= 2 {
        cursor.u32()?;
    }
    let count = cursor.u32()?;
    (0..count).map(|_| description(&mut cursor, version, default_length)).collect()
}

/// Reads an entry; in version 0, whose entries have no length, it takes what its fields need.
fn description(cursor: &mut Cursor<'_>, version: u8, default_length: u32) -> Result<Tenc, Error> {
    if version == 0 {
        return Tenc::parse_fields(cursor, true);
    }
    let length = if default_length == 0 { cursor.u32()? } else { default_length };
    let at = cursor.at();
    Tenc::parse_fields(&mut Cursor::new(cursor.table(length, 1)?, at), true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyId;

    fn sgpd(key: u8) -> Node<'static> {
        Node::build_full(fourcc::SGPD, 1, 0, |out| {
            out.extend_from_slice(b"seig\0\0\0\x14\0\0\0\x01\0\0\x01\x08");
            out.extend_from_slice(&[key; 16]);
        })
    }

    fn holder(boxes: Vec<Node<'static>>) -> Vec<u8> {
        let mut bytes = Vec::new();
        Node::container(fourcc::STBL, Vec::new(), boxes).write(&mut bytes);
        bytes
    }

    #[test]
    fn local_and_global_descriptions_and_samples_of_no_group() {
        let sbgp = Node::build_full(fourcc::SBGP, 0, 0, |out| {
            out.extend_from_slice(b"seig\0\0\0\x03\0\0\0\x01\0\x01\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\0");
        });
        let (local, global) = (holder(vec![sgpd(1), sbgp]), holder(vec![sgpd(2)]));
        let (local, global) = (Node::parse(&local, 0).unwrap(), Node::parse(&global, 0).unwrap());
        let mut groups = Groups::read(&local, &SharedDescriptions::new(&global)).unwrap();
        let keys: Vec<_> = (0..5).map(|_| groups.next_sample().map(|tenc| tenc.key_id)).collect();
        let (one, two) = (Some(KeyId::from_bytes([1; 16])), Some(KeyId::from_bytes([2; 16])));
        assert_eq!(keys, [one, two, two, None, None]);
    }

    #[test]
    fn shared_descriptions_are_read_once() {
        let stbl = holder(vec![sgpd(1)]);
        let stbl = Node::parse(&stbl, 0).unwrap();
        let shared = SharedDescriptions::new(&stbl);
        assert!(Rc::ptr_eq(&shared.all().unwrap(), &shared.all().unwrap()));
    }

    #[test]
    fn a_lying_count_of_descriptions_ends_with_the_box() {
        let mut raw = Vec::new();
        sgpd(1).write(&mut raw);
        raw[20..24].copy_from_slice(&u32::MAX.to_be_bytes());
        let mut bytes = Vec::new();
        crate::frame::put_box(&mut bytes, fourcc::STBL, |out| out.extend_from_slice(&raw));
        let stbl = Node::parse(&bytes, 0).unwrap();
        assert!(matches!(descriptions(&stbl), Err(Error::Truncated { .. })));
    }
}
