//! Namespaces in scope, and the order that Canonical XML 1.1 section 2.2 gives to attributes because of them.

use super::Element;
use crate::header::error::XmlFault;

/// The declarations of the elements that are open.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    declared: Vec<(String, String)>,
    /// How many declarations there were before each open element.
    before: Vec<usize>,
}

impl Namespaces {
    /// Enters an element: takes up its declarations and checks prefixes and the order of its attributes.
    pub(super) fn enter(&mut self, element: &Element) -> Result<(), XmlFault> {
        self.before.push(self.declared.len());
        for (name, uri) in &element.attributes {
            if let Some(prefix) = declared_prefix(name) {
                self.declare(prefix, uri)?;
            }
        }
        if let Some((prefix, _)) = element.name.split_once(':') {
            self.lookup(prefix).ok_or(XmlFault::NamespacePrefix)?;
        }
        let mut last = None;
        for (name, _) in &element.attributes {
            let rank = self.rank(name)?;
            match &last {
                Some(last) if rank == *last => return Err(XmlFault::DuplicateAttribute),
                Some(last) if rank < *last => return Err(XmlFault::AttributeOrder),
                _ => last = Some(rank),
            }
        }
        Ok(())
    }

    /// Leaves the element that was entered last.
    pub(super) fn leave(&mut self) {
        self.declared.truncate(self.before.pop().unwrap_or(0));
    }

    fn declare(&mut self, prefix: &str, uri: &str) -> Result<(), XmlFault> {
        if matches!(prefix, "xml" | "xmlns") || (uri.is_empty() && !prefix.is_empty()) {
            return Err(XmlFault::NamespacePrefix);
        }
        if self.lookup(prefix) == Some(uri) {
            return Err(XmlFault::RepeatedNamespace);
        }
        self.declared.push((prefix.to_owned(), uri.to_owned()));
        Ok(())
    }

    fn lookup(&self, prefix: &str) -> Option<&str> {
        let declared = self.declared.iter().rev().find(|(declared, _)| declared == prefix);
        match (declared, prefix) {
            (Some((_, uri)), _) => Some(uri),
            (None, "") => Some(""),
            (None, "xml") => Some("http://www.w3.org/XML/1998/namespace"),
            (None, _) => None,
        }
    }

    /// Declarations by prefix come first, then attributes by namespace and local name.
    fn rank<'a>(&'a self, name: &'a str) -> Result<(bool, &'a str, &'a str), XmlFault> {
        if let Some(prefix) = declared_prefix(name) {
            return Ok((false, prefix, ""));
        }
        match name.split_once(':') {
            Some((prefix, local)) => Ok((true, self.lookup(prefix).ok_or(XmlFault::NamespacePrefix)?, local)),
            None => Ok((true, "", name)),
        }
    }
}

/// The prefix that an attribute declares, empty for the default namespace.
fn declared_prefix(attribute: &str) -> Option<&str> {
    if attribute == "xmlns" { Some("") } else { attribute.strip_prefix("xmlns:") }
}
