//! An element together with its path, so that every refusal says where.

use crate::header::HeaderVersion;
use crate::header::error::{ContentFault, HeaderError, Place};
use crate::header::xml::{Element, Node};

/// An element of the header and the way to it.
pub(super) struct At<'e> {
    pub(super) element: &'e Element,
    path: String,
}

impl<'e> At<'e> {
    /// The root of a header.
    pub(super) fn root(element: &'e Element) -> Self {
        Self { element, path: format!("/{}", element.name) }
    }

    /// An element in this one, with the name it has in the path.
    pub(super) fn below(&self, element: &'e Element, name: &str) -> Self {
        Self { element, path: format!("{}/{name}", self.path) }
    }

    /// The error that this element has a fault.
    pub(super) fn fault(&self, fault: ContentFault) -> HeaderError {
        let place = Place { path: self.path.clone(), offset: self.element.offset };
        HeaderError::Content { place, fault }
    }

    /// The only element of this name, if there is one. It must not leave the header's namespace.
    pub(super) fn child(&self, name: &'static str) -> Result<Option<Self>, HeaderError> {
        let child = self.single_child(name)?;
        match &child {
            Some(at) if at.element.attribute("xmlns").is_some() => Err(at.fault(ContentFault::Namespace)),
            _ => Ok(child),
        }
    }

    /// The only element of this name, which must be there.
    pub(super) fn required_child(&self, name: &'static str) -> Result<Self, HeaderError> {
        self.child(name)?.ok_or_else(|| self.fault(ContentFault::Missing { name }))
    }

    /// CUSTOMATTRIBUTES, which is in no namespace, or (as some packagers write it) in the header's.
    pub(super) fn custom_attributes(&self) -> Result<Option<Self>, HeaderError> {
        let child = self.single_child("CUSTOMATTRIBUTES")?;
        match &child {
            Some(at) if !matches!(at.element.attribute("xmlns"), None | Some("")) => {
                Err(at.fault(ContentFault::Namespace))
            }
            _ => Ok(child),
        }
    }

    /// Every element of this name.
    pub(super) fn children(&self, name: &'static str) -> impl Iterator<Item = Self> {
        let named = move |node: &'e Node| match node {
            Node::Element(element) if element.name == name => Some(element),
            _ => None,
        };
        let elements = self.element.children.iter().filter_map(named);
        elements.zip(1..).map(move |(element, number): (_, usize)| self.below(element, &format!("{name}[{number}]")))
    }

    /// Refuses an element that the version has not here.
    pub(super) fn refuse_child(&self, name: &'static str, version: HeaderVersion) -> Result<(), HeaderError> {
        match self.children(name).next() {
            Some(_) => Err(self.fault(ContentFault::NotInVersion { name, version })),
            None => Ok(()),
        }
    }

    /// What the text of the only element of this name says, if there is one. White space around it does not count.
    pub(super) fn child_text<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, ContentFault>,
    ) -> Result<Option<T>, HeaderError> {
        self.child(name)?.map(|child| child.text(read)).transpose()
    }

    /// What this element's text says.
    pub(super) fn text<T>(&self, read: impl FnOnce(&str) -> Result<T, ContentFault>) -> Result<T, HeaderError> {
        let text = match self.element.children.as_slice() {
            [] => "",
            [Node::Text(text)] => text.trim_ascii(),
            _ => return Err(self.fault(ContentFault::UnexpectedElement)),
        };
        if text.is_empty() {
            return Err(self.fault(ContentFault::Empty));
        }
        read(text).map_err(|fault| self.fault(fault))
    }

    /// What an attribute says, if it is there.
    pub(super) fn attribute<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, ContentFault>,
    ) -> Result<Option<T>, HeaderError> {
        let at = || Self { element: self.element, path: format!("{}/@{name}", self.path) };
        let value = self.element.attribute(name);
        value.map(|value| read(value).map_err(|fault| at().fault(fault))).transpose()
    }

    /// What an attribute says, which must be there.
    pub(super) fn required_attribute<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, ContentFault>,
    ) -> Result<T, HeaderError> {
        self.attribute(name, read)?.ok_or_else(|| self.fault(ContentFault::Missing { name }))
    }

    /// Refuses text between the elements of a container, other than white space.
    pub(super) fn holds_only_elements(&self) -> Result<(), HeaderError> {
        let is_text = |node: &Node| matches!(node, Node::Text(text) if !text.trim_ascii().is_empty());
        if self.element.children.iter().any(is_text) {
            return Err(self.fault(ContentFault::UnexpectedText));
        }
        Ok(())
    }

    /// Refuses anything in an element that must be empty, other than white space.
    pub(super) fn holds_nothing(&self) -> Result<(), HeaderError> {
        self.holds_only_elements()?;
        if self.element.children.iter().any(|node| matches!(node, Node::Element(_))) {
            return Err(self.fault(ContentFault::UnexpectedElement));
        }
        Ok(())
    }

    fn single_child(&self, name: &'static str) -> Result<Option<Self>, HeaderError> {
        let mut found = self.children(name);
        let (first, second) = (found.next(), found.next());
        match second {
            Some(_) => Err(self.fault(ContentFault::Duplicate { name })),
            None => Ok(first.map(|first| self.below(first.element, name))),
        }
    }
}
