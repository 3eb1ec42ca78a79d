//! Boxes in memory as a tree that borrows from the bytes it was read from. Boxes that nothing changes are written
//! back byte for byte, whether known or not, but for a size of 0 ("to the end"): the size is written out, for something
//! may follow the box now.

use std::borrow::Cow;

use crate::frame::{RawBox, put_box};
use crate::{Cursor, Error, FourCc, Location, fourcc};

/// A tree with more boxes than this is refused: each costs memory several times its size.
pub const MAX_BOXES: u64 = 1 << 16;

/// A box and what is in it.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its type; setting it renames the box.
    pub kind: FourCc,
    /// Where it was read; the path ends with its own type.
    pub at: Location,
    body: Body<'a>,
}

#[derive(Debug, Clone)]
enum Body<'a> {
    /// The whole box as it was read.
    Raw { raw: &'a [u8], header: usize },
    /// A payload made here.
    Built(Vec<u8>),
    /// Fields, then boxes, then (in some QuickTime files) zero bytes.
    Container { prefix: Cow<'a, [u8]>, children: Vec<Node<'a>>, trailer: &'a [u8], large: bool },
}

impl<'a> Node<'a> {
    /// Reads the box at the start of `bytes`, which lies at `offset` in the file, and all boxes in it.
    pub fn parse(bytes: &'a [u8], offset: u64) -> Result<Self, Error> {
        let mut boxes = 0;
        Self::from_raw(&RawBox::parse(bytes, Location::top(offset))?, None, &mut boxes)
    }

    /// A box with a payload made here.
    pub fn build(kind: FourCc, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut payload = Vec::new();
        fill(&mut payload);
        Self { kind, at: Location::default(), body: Body::Built(payload) }
    }

    /// A full box with a payload made here.
    pub fn build_full(kind: FourCc, version: u8, flags: u32, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        Self::build(kind, |out| {
            out.extend_from_slice(&(u32::from(version) << 24 | flags).to_be_bytes());
            fill(out);
        })
    }

    /// A container made here.
    #[must_use]
    pub fn container(kind: FourCc, prefix: Vec<u8>, children: Vec<Self>) -> Self {
        let body = Body::Container { prefix: Cow::Owned(prefix), children, trailer: &[], large: false };
        Self { kind, at: Location::default(), body }
    }

    /// The boxes in this one; none if it is not a container.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match &self.body {
            Body::Container { children, .. } => children,
            _ => &[],
        }
    }

    /// The boxes in this one, to change; `None` if it is not a container.
    pub fn children_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.body {
            Body::Container { children, .. } => Some(children),
            _ => None,
        }
    }

    /// The first child of a type.
    #[must_use]
    pub fn child(&self, kind: FourCc) -> Option<&Self> {
        self.children().iter().find(|child| child.kind == kind)
    }

    /// The first child of a type, to change.
    pub fn child_mut(&mut self, kind: FourCc) -> Option<&mut Self> {
        self.children_mut()?.iter_mut().find(|child| child.kind == kind)
    }

    /// All children of a type.
    pub fn all(&self, kind: FourCc) -> impl Iterator<Item = &Self> {
        self.children().iter().filter(move |child| child.kind == kind)
    }

    /// The first child of a type, or an error that names it.
    pub fn need(&self, kind: FourCc) -> Result<&Self, Error> {
        self.child(kind).ok_or(Error::Missing { at: self.at, wanted: kind })
    }

    /// As [`Self::need`], to change.
    pub fn need_mut(&mut self, kind: FourCc) -> Result<&mut Self, Error> {
        let at = self.at;
        self.child_mut(kind).ok_or(Error::Missing { at, wanted: kind })
    }

    /// Goes down a path of boxes that must be there.
    pub fn descend(&self, path: &[FourCc]) -> Result<&Self, Error> {
        path.iter().try_fold(self, |node, &kind| node.need(kind))
    }

    /// Goes down a path of boxes that must be there, to change.
    pub fn descend_mut(&mut self, path: &[FourCc]) -> Result<&mut Self, Error> {
        path.iter().try_fold(self, |node, &kind| node.need_mut(kind))
    }

    /// The fields of the box: its payload, or for a container what stands before its children.
    #[must_use]
    pub fn fields(&self) -> Cursor<'_> {
        let (bytes, header) = match &self.body {
            Body::Raw { raw, header } => (&raw[*header..], *header),
            Body::Built(payload) => (payload.as_slice(), 8),
            Body::Container { prefix, large, .. } => (&**prefix, if *large { 16 } else { 8 }),
        };
        Cursor::new(bytes, Location { path: self.at.path, offset: self.at.offset + header as u64 })
    }

    /// Like [`Self::fields`] but borrowed from the bytes that were read; `None` for a box made here.
    #[must_use]
    pub fn payload(&self) -> Option<Cursor<'a>> {
        match self.body {
            Body::Raw { raw, header } => {
                let at = Location { path: self.at.path, offset: self.at.offset + header as u64 };
                Some(Cursor::new(&raw[header..], at))
            }
            _ => None,
        }
    }

    /// Bytes in the box when it is written.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.body {
            Body::Raw { raw, .. } => raw.len(),
            Body::Built(payload) => 8 + payload.len(),
            Body::Container { prefix, children, trailer, large } => {
                let header = if *large { 16 } else { 8 };
                header + prefix.len() + children.iter().map(Self::size).sum::<usize>() + trailer.len()
            }
        }
    }

    /// Appends the box. The type of an untouched box is the one it has now.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.body {
            Body::Raw { raw: raw @ [0, 0, 0, 0, kind_and_payload @ ..], .. } => {
                put_size(raw.len(), out);
                out.extend_from_slice(kind_and_payload);
            }
            Body::Raw { raw, .. } => out.extend_from_slice(raw),
            Body::Built(payload) => put_box(out, self.kind, |out| out.extend_from_slice(payload)),
            Body::Container { prefix, children, trailer, large } => {
                self.write_header(*large, out);
                out.extend_from_slice(prefix);
                children.iter().for_each(|child| child.write(out));
                out.extend_from_slice(trailer);
            }
        }
    }

    fn write_header(&self, large: bool, out: &mut Vec<u8>) {
        let size = self.size();
        put_size(if large { 1 } else { size }, out);
        out.extend_from_slice(&self.kind.0);
        if large {
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }

    fn from_raw(raw: &RawBox<'a>, parent: Option<FourCc>, boxes: &mut u64) -> Result<Self, Error> {
        *boxes += 1;
        if *boxes > MAX_BOXES {
            return Err(Error::OverLimit { at: raw.at, what: "number of boxes", size: *boxes, limit: MAX_BOXES });
        }
        let body = match prefix_length(raw, parent) {
            Some(length) => Self::container_from_raw(raw, length, boxes)?,
            None => Body::Raw { raw: raw.raw, header: raw.header },
        };
        Ok(Self { kind: raw.kind, at: raw.at, body })
    }

    fn container_from_raw(raw: &RawBox<'a>, prefix: usize, boxes: &mut u64) -> Result<Body<'a>, Error> {
        let mut cursor = raw.payload();
        let prefix = Cow::Borrowed(cursor.bytes(prefix)?);
        let mut children = Vec::new();
        // QuickTime ends some lists with a zero size; anything else too short for a box is an error.
        while !(cursor.rest().len() < 8 && cursor.rest().iter().all(|&byte| byte == 0)) {
            let child = RawBox::parse(cursor.rest(), cursor.at())?;
            cursor.bytes(child.raw.len())?;
            children.push(Self::from_raw(&child, Some(raw.kind), boxes)?);
        }
        Ok(Body::Container { prefix, children, trailer: cursor.rest(), large: raw.header == 16 })
    }
}

fn put_size(size: usize, out: &mut Vec<u8>) {
    let size = u32::try_from(size).expect("trees are far below 4 GiB");
    out.extend_from_slice(&size.to_be_bytes());
}

/// For a container, the bytes of fields before its first child.
fn prefix_length(raw: &RawBox<'_>, parent: Option<FourCc>) -> Option<usize> {
    use fourcc::*;
    let payload = raw.payload();
    let payload = payload.rest();
    match raw.kind {
        MOOV | TRAK | EDTS | MDIA | MINF | STBL | MVEX | MOOF | TRAF | UDTA | SINF | SCHI => Some(0),
        // A full box in ISO files, a plain one in QuickTime's.
        META => Some(if payload.get(4..8) == Some(&HDLR.0) { 0 } else { 4 }),
        ILST if parent == Some(META) => Some(0),
        _ if parent == Some(ILST) => Some(0),
        STSD => Some(8),
        AVC1 | AVC3 | ENCV if parent == Some(STSD) => Some(78),
        ALAC | ENCA | FLAC | MP4A | OPUS if parent == Some(STSD) => Some(28 + quicktime_sound_extension(payload)),
        _ => None,
    }
}

/// Bytes that versions 1 and 2 of QuickTime's sound description have more than the ISO sample entry.
fn quicktime_sound_extension(payload: &[u8]) -> usize {
    match payload.get(8..10) {
        Some([0, 1]) => 16,
        Some([0, 2]) => 36,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::put_full_box;

    fn nested(kind: FourCc, times: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for left in (1..=times).rev() {
            bytes.extend_from_slice(&u32::try_from(left * 8).unwrap().to_be_bytes());
            bytes.extend_from_slice(&kind.0);
        }
        bytes
    }

    #[test]
    fn a_hundred_thousand_nested_boxes_are_an_error() {
        let error = Node::parse(&nested(fourcc::MOOV, 100_000), 0).unwrap_err();
        assert!(matches!(error, Error::TooDeep { at } if at.offset == 96), "{error}");
    }

    #[test]
    fn too_many_boxes_are_an_error() {
        let mut bytes = Vec::new();
        put_box(&mut bytes, fourcc::MOOV, |out| (0..MAX_BOXES).for_each(|_| put_box(out, fourcc::FREE, |_| ())));
        assert!(matches!(Node::parse(&bytes, 0), Err(Error::OverLimit { .. })));
    }

    #[test]
    fn what_is_not_changed_is_written_as_it_was() {
        let mut bytes = Vec::new();
        put_box(&mut bytes, fourcc::MOOV, |out| {
            put_full_box(out, FourCc(*b"xyzw"), 3, 5, |out| out.extend_from_slice(b"unknown"));
            // A 64-bit container with a 64-bit leaf and QuickTime's four zero bytes.
            out.extend_from_slice(b"\0\0\0\x01udta\0\0\0\0\0\0\0\x25\0\0\0\x01abcd\0\0\0\0\0\0\0\x11!\0\0\0\0");
        });
        let tree = Node::parse(&bytes, 0).unwrap();
        let mut written = Vec::new();
        tree.write(&mut written);
        assert_eq!(written, bytes);
        assert_eq!(tree.size(), bytes.len());
    }

    /// Found by fuzzing: what is put behind a box without a size would become a part of it.
    #[test]
    fn a_box_to_the_end_gets_its_size_when_it_is_written() {
        let mut bytes = b"\0\0\0\x19moov\0\0\0\0udta\0\0\0\0abcdX".to_vec();
        let tree = Node::parse(&bytes, 0).unwrap();
        let mut written = Vec::new();
        tree.write(&mut written);
        (bytes[11], bytes[19]) = (17, 9);
        assert_eq!(written, bytes);

        let mut tree = Node::parse(&bytes, 0).unwrap();
        tree.children_mut().unwrap().push(Node::build(fourcc::FREE, |_| ()));
        let mut written = Vec::new();
        tree.write(&mut written);
        assert_eq!(Node::parse(&written, 0).unwrap().children().len(), 2);
    }
}
