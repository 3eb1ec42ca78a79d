//! The XML of a content header: UTF-16LE, no declaration, and exactly as Canonical XML 1.1 writes it (PlayReady Header
//! specification section 3.2). What is read must equal what this file would write of it, so bytes round-trip.

mod namespaces;
mod tree;

use super::error::{HeaderError, Place, XmlFault};

/// An element with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    /// The name as written, prefix and all.
    pub(super) name: String,
    /// Attributes and namespace declarations in their order, values without references.
    pub(super) attributes: Vec<(String, String)>,
    /// What is between the tags.
    pub(super) children: Vec<Node>,
    /// Byte offset of the start tag in the record.
    pub(super) offset: usize,
}

/// What stands in an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// An element.
    Element(Element),
    /// Text without references. Two texts never stand side by side.
    Text(String),
}

impl Element {
    /// The value of an attribute or namespace declaration.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Writes the element as Canonical XML 1.1 does.
    pub(super) fn write(&self, out: &mut String) {
        open_tag(&self.name, self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())), out);
        self.children.iter().for_each(|child| child.write(out));
        close_tag(&self.name, out);
    }
}

impl Node {
    /// Writes the node as Canonical XML 1.1 does.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Element(element) => element.write(out),
            Self::Text(text) => write_text(text, out),
        }
    }
}

/// Reads a header record: one element, canonical, within [`MAX_LENGTH`] bytes.
pub(super) fn read(record: &[u8]) -> Result<Element, HeaderError> {
    let text = decode_utf16(record)?;
    let root = tree::read(&text)?;
    let mut canonical = String::with_capacity(text.len());
    root.write(&mut canonical);
    if canonical == text {
        return Ok(root);
    }
    let same = text.chars().zip(canonical.chars()).take_while(|(read, written)| read == written);
    Err(at_start(same.map(|(read, _)| 2 * read.len_utf16()).sum(), XmlFault::NotCanonical))
}

/// Writes a start tag. The caller gives attributes in canonical order.
pub(super) fn open_tag<'a>(name: &str, attributes: impl IntoIterator<Item = (&'a str, &'a str)>, out: &mut String) {
    out.push('<');
    out.push_str(name);
    for (name, value) in attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(value, &['&', '<', '"', '\t', '\n', '\r'], out);
        out.push('"');
    }
    out.push('>');
}

/// Writes an end tag.
pub(super) fn close_tag(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Writes an element that holds only text.
pub(super) fn text_element(name: &str, text: &str, out: &mut String) {
    open_tag(name, [], out);
    write_text(text, out);
    close_tag(name, out);
}

/// The bytes of a record.
pub(super) fn encode_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn write_text(text: &str, out: &mut String) {
    escape(text, &['&', '<', '>', '\r'], out);
}

fn escape(text: &str, special: &[char], out: &mut String) {
    for character in text.chars() {
        match REFERENCES.iter().find(|(meant, _)| *meant == character && special.contains(meant)) {
            Some((_, reference)) => {
                out.push('&');
                out.push_str(reference);
                out.push(';');
            }
            None => out.push(character),
        }
    }
}

fn decode_utf16(record: &[u8]) -> Result<String, HeaderError> {
    if record.len() > MAX_LENGTH {
        return Err(at_start(MAX_LENGTH, XmlFault::TooLong { length: record.len() }));
    }
    if !record.len().is_multiple_of(2) {
        return Err(at_start(record.len() - 1, XmlFault::OddLength));
    }
    let units = record.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let mut text = String::with_capacity(record.len() / 2);
    let mut offset = 0;
    for decoded in char::decode_utf16(units) {
        let character = decoded.map_err(|_| at_start(offset, XmlFault::UnpairedSurrogate))?;
        if character == '\u{feff}' && offset == 0 {
            return Err(at_start(0, XmlFault::ByteOrderMark));
        }
        if !is_allowed(character) {
            return Err(at_start(offset, XmlFault::ForbiddenCharacter { character }));
        }
        offset += 2 * character.len_utf16();
        text.push(character);
    }
    Ok(text)
}

/// XML 1.0 section 2.2, without the carriage return, which canonical text has only as a reference.
const fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn at_start(offset: usize, fault: XmlFault) -> HeaderError {
    HeaderError::Xml { place: Place { path: "/".into(), offset }, fault }
}

/// The references that canonical XML writes, and so the only ones that are read.
const REFERENCES: [(char, &str); 7] =
    [('&', "amp"), ('<', "lt"), ('>', "gt"), ('"', "quot"), ('\t', "#x9"), ('\n', "#xA"), ('\r', "#xD")];

/// What is left of an object for a header record when it holds nothing else.
pub(super) const MAX_LENGTH: usize = super::object::MAX_LENGTH - 10;
