//! Title, artist, album, copyright and cover as iTunes keeps them: `moov/udta/meta/ilst`, in clear.

use crate::tree::Node;
use crate::{Error, FourCc, fourcc};

/// What a file says about itself. Fields that are `None` are not written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `©nam`.
    pub title: Option<String>,
    /// `©ART`.
    pub artist: Option<String>,
    /// `©alb`.
    pub album: Option<String>,
    /// `cprt`.
    pub copyright: Option<String>,
    /// `covr`.
    pub cover: Option<Cover>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Its format, as the type of the `data` box: 13 is JPEG, 14 is PNG.
    pub format: u32,
    /// The picture.
    pub bytes: Vec<u8>,
}

impl Metadata {
    /// Reads what a `moov` box has.
    pub fn read(moov: &Node<'_>) -> Result<Self, Error> {
        let Some(ilst) = ilst(moov) else { return Ok(Self::default()) };
        Ok(Self {
            title: text(ilst, TITLE)?,
            artist: text(ilst, ARTIST)?,
            album: text(ilst, ALBUM)?,
            copyright: text(ilst, fourcc::CPRT)?,
            cover: value(ilst, fourcc::COVR)?.map(|(format, bytes)| Cover { format, bytes: bytes.to_vec() }),
        })
    }

    /// Writes the fields that are set into a `moov` box, in place of what it has; everything else is kept.
    pub fn write(&self, moov: &mut Node<'_>) {
        let texts =
            [(TITLE, &self.title), (ARTIST, &self.artist), (ALBUM, &self.album), (fourcc::CPRT, &self.copyright)];
        for (kind, text) in texts {
            if let Some(text) = text {
                set(moov, kind, UTF_8, text.as_bytes());
            }
        }
        if let Some(cover) = &self.cover {
            set(moov, fourcc::COVR, cover.format, &cover.bytes);
        }
    }
}

fn ilst<'t, 'a>(moov: &'t Node<'a>) -> Option<&'t Node<'a>> {
    moov.child(fourcc::UDTA)?.child(fourcc::META)?.child(fourcc::ILST)
}

fn value<'t>(ilst: &'t Node<'_>, kind: FourCc) -> Result<Option<(u32, &'t [u8])>, Error> {
    let Some(data) = ilst.child(kind).and_then(|item| item.child(fourcc::DATA)) else { return Ok(None) };
    let mut cursor = data.fields();
    let format = cursor.u32()?;
    cursor.u32()?;
    Ok(Some((format, cursor.rest())))
}

fn text(ilst: &Node<'_>, kind: FourCc) -> Result<Option<String>, Error> {
    Ok(value(ilst, kind)?.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()))
}

fn set(moov: &mut Node<'_>, kind: FourCc, format: u32, value: &[u8]) {
    let data = Node::build(fourcc::DATA, |out| {
        out.extend_from_slice(&format.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(value);
    });
    let item = Node::container(kind, Vec::new(), vec![data]);
    let udta = child_or_insert(moov, fourcc::UDTA, || Node::container(fourcc::UDTA, Vec::new(), Vec::new()));
    let meta = child_or_insert(udta, fourcc::META, || Node::container(fourcc::META, vec![0; 4], vec![handler()]));
    let ilst = child_or_insert(meta, fourcc::ILST, || Node::container(fourcc::ILST, Vec::new(), Vec::new()));
    let items = ilst.children_mut().expect("a list is a container");
    match items.iter_mut().find(|item| item.kind == kind) {
        Some(old) => *old = item,
        None => items.push(item),
    }
}

fn child_or_insert<'t, 'a>(
    parent: &'t mut Node<'a>,
    kind: FourCc,
    make: impl FnOnce() -> Node<'a>,
) -> &'t mut Node<'a> {
    let children = parent.children_mut().expect("the boxes on this path are containers");
    let index = children.iter().position(|child| child.kind == kind).unwrap_or_else(|| {
        children.push(make());
        children.len() - 1
    });
    &mut children[index]
}

/// The `hdlr` that makes a `meta` box one of this kind.
fn handler() -> Node<'static> {
    Node::build_full(fourcc::HDLR, 0, 0, |out| {
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(b"mdirappl");
        out.extend_from_slice(&[0; 9]);
    })
}

const TITLE: FourCc = FourCc(*b"\xa9nam");
const ARTIST: FourCc = FourCc(*b"\xa9ART");
const ALBUM: FourCc = FourCc(*b"\xa9alb");
const UTF_8: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(moov: &Node<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        moov.write(&mut bytes);
        bytes
    }

    #[test]
    fn fields_come_back_and_others_stay() {
        let first = Metadata {
            title: Some("Träume".into()),
            copyright: Some("℗ 2026".into()),
            cover: Some(Cover { format: 14, bytes: vec![1, 2, 3] }),
            ..Metadata::default()
        };
        let mut moov = Node::container(fourcc::MOOV, Vec::new(), Vec::new());
        first.write(&mut moov);
        let bytes = written(&moov);
        let mut moov = Node::parse(&bytes, 0).unwrap();
        assert_eq!(Metadata::read(&moov), Ok(first.clone()));
        let second = Metadata { title: Some("Other".into()), artist: Some("A".into()), ..Metadata::default() };
        second.write(&mut moov);
        let bytes = written(&moov);
        let expected = Metadata { title: second.title, artist: second.artist, ..first };
        assert_eq!(Metadata::read(&Node::parse(&bytes, 0).unwrap()), Ok(expected));
    }

    #[test]
    fn a_file_without_metadata_has_none() {
        let moov = Node::container(fourcc::MOOV, Vec::new(), Vec::new());
        assert_eq!(Metadata::read(&moov), Ok(Metadata::default()));
    }
}
