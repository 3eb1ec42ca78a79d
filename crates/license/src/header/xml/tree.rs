//! From tokens to a tree, refusing what a content header may not contain: declarations, DTDs, entities, processing
//! instructions, comments, CDATA, self-closing tags, repeated or unsorted attributes, and anything beyond the limits.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};

use super::namespaces::Namespaces;
use super::{Element, Node, REFERENCES};
use crate::header::error::{HeaderError, Place, XmlFault};

/// Reads a document of one element. Whether it is canonical to the last byte is for the caller to compare.
pub(super) fn read(text: &str) -> Result<Element, HeaderError> {
    let tree = Tree {
        text,
        read_utf8: 0,
        read_utf16: 0,
        open: Vec::new(),
        root: None,
        namespaces: Namespaces::default(),
        elements: 0,
    };
    tree.document()
}

struct Tree<'t> {
    text: &'t str,
    /// How far the text is read, in bytes of UTF-8 and of UTF-16: the tokens count in the one, errors in the other.
    read_utf8: usize,
    read_utf16: usize,
    open: Vec<Element>,
    root: Option<Element>,
    namespaces: Namespaces,
    elements: usize,
}

impl Tree<'_> {
    fn document(mut self) -> Result<Element, HeaderError> {
        let mut tokens = Reader::from_str(self.text);
        loop {
            self.read_up_to(tokens.buffer_position());
            let event = tokens.read_event().map_err(|error| self.fault(token_fault(&error)))?;
            match event {
                Event::Start(tag) => self.open_element(&tag)?,
                Event::End(_) => self.close_element()?,
                Event::Text(text) => self.push_text(&text.into_inner())?,
                Event::GeneralRef(name) => {
                    let character = resolve(&name.into_inner()).map_err(|fault| self.fault(fault))?;
                    self.push_text(character.encode_utf8(&mut [0; 4]))?;
                }
                Event::Eof => return self.finish(),
                Event::Empty(_) => return Err(self.fault(XmlFault::SelfClosing)),
                Event::CData(_) => return Err(self.fault(XmlFault::CData)),
                Event::Comment(_) => return Err(self.fault(XmlFault::Comment)),
                Event::Decl(_) => return Err(self.fault(XmlFault::Declaration)),
                Event::PI(_) => return Err(self.fault(XmlFault::ProcessingInstruction)),
                Event::DocType(_) => return Err(self.fault(XmlFault::DocumentType)),
            }
        }
    }

    fn open_element(&mut self, tag: &BytesStart<'_>) -> Result<(), HeaderError> {
        let element = self.element(tag).map_err(|fault| self.fault(fault))?;
        self.open.push(element);
        let element = self.open.last().expect("pushed above");
        self.namespaces.enter(element).map_err(|fault| self.fault(fault))
    }

    fn element(&mut self, tag: &BytesStart<'_>) -> Result<Element, XmlFault> {
        self.elements += 1;
        if self.root.is_some() {
            return Err(XmlFault::SecondRoot);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlFault::TooDeep);
        }
        if self.elements > MAX_ELEMENTS {
            return Err(XmlFault::TooManyElements);
        }
        let name = checked_name(tag.name().as_ref())?;
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| attribute_fault(&error))?;
            if attributes.len() == MAX_ATTRIBUTES {
                return Err(XmlFault::TooManyAttributes);
            }
            attributes.push((checked_name(attribute.key.as_ref())?, unescape(&attribute.value)?));
        }
        Ok(Element { name, attributes, children: Vec::new(), offset: self.read_utf16 })
    }

    fn close_element(&mut self) -> Result<(), HeaderError> {
        let element = self.open.pop().ok_or_else(|| self.fault(XmlFault::MismatchedEndTag))?;
        self.namespaces.leave();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn push_text(&mut self, more: &str) -> Result<(), HeaderError> {
        if more.is_empty() {
            return Ok(());
        }
        let Some(parent) = self.open.last_mut() else {
            return Err(self.fault(XmlFault::TextOutsideRoot));
        };
        match parent.children.last_mut() {
            Some(Node::Text(text)) => text.push_str(more),
            _ => parent.children.push(Node::Text(more.to_owned())),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, HeaderError> {
        if !self.open.is_empty() {
            return Err(self.fault(XmlFault::NotClosed));
        }
        let nothing = self.fault(XmlFault::NoRoot);
        self.root.ok_or(nothing)
    }

    fn read_up_to(&mut self, position: u64) {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let passed = self.text.get(self.read_utf8..position).unwrap_or_default();
        self.read_utf16 += 2 * passed.encode_utf16().count();
        self.read_utf8 += passed.len();
    }

    fn fault(&self, fault: XmlFault) -> HeaderError {
        let names: Vec<&str> = self.open.iter().map(|element| element.name.as_str()).collect();
        HeaderError::Xml { place: Place { path: format!("/{}", names.join("/")), offset: self.read_utf16 }, fault }
    }
}

fn unescape(raw: &str) -> Result<String, XmlFault> {
    let mut parts = raw.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').ok_or(XmlFault::Reference)?;
        text.push(resolve(name)?);
        text.push_str(rest);
    }
    Ok(text)
}

fn resolve(name: &str) -> Result<char, XmlFault> {
    let found = REFERENCES.iter().find(|(_, reference)| *reference == name);
    found.map(|(character, _)| *character).ok_or(XmlFault::Reference)
}

/// Names in XML 1.0 and Namespaces in XML 1.0, leaving out only rare characters.
fn checked_name(name: &str) -> Result<String, XmlFault> {
    let is_start = |c: char| c.is_alphabetic() || c == '_';
    let is_part = |part: &str| {
        part.starts_with(is_start) && part.chars().all(|c| is_start(c) || c.is_numeric() || matches!(c, '-' | '.'))
    };
    let sound = match name.split_once(':') {
        Some((prefix, local)) => is_part(prefix) && is_part(local),
        None => is_part(name),
    };
    if sound { Ok(name.to_owned()) } else { Err(XmlFault::Name) }
}

fn token_fault(error: &Error) -> XmlFault {
    match error {
        Error::IllFormed(IllFormedError::UnclosedReference) => XmlFault::Reference,
        Error::IllFormed(IllFormedError::MissingDoctypeName) => XmlFault::DocumentType,
        Error::IllFormed(IllFormedError::MissingDeclVersion(_) | IllFormedError::UnknownVersion) => {
            XmlFault::Declaration
        }
        Error::IllFormed(_) => XmlFault::MismatchedEndTag,
        Error::InvalidAttr(error) => attribute_fault(error),
        Error::Escape(_) => XmlFault::Reference,
        Error::Namespace(_) => XmlFault::NamespacePrefix,
        // What is left is markup that the input ends inside of: there is no reading and decoding from a text.
        Error::Syntax(_) | Error::Io(_) | Error::Encoding(_) => XmlFault::NotClosed,
    }
}

const fn attribute_fault(error: &AttrError) -> XmlFault {
    match error {
        AttrError::Duplicated(..) => XmlFault::DuplicateAttribute,
        _ => XmlFault::AttributeSyntax,
    }
}

/// Elements within elements. The header itself needs five.
const MAX_DEPTH: usize = 16;
/// Elements in one header, custom attributes included.
const MAX_ELEMENTS: usize = 512;
/// Attributes and namespace declarations on one element.
const MAX_ATTRIBUTES: usize = 32;
