//! What can be wrong with a content header: its object, its XML, its content, or what a caller wants written.
//! Reading errors say where: the element's path and the byte offset in what was read.

use core::fmt;

use super::HeaderVersion;

/// A content header cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The PlayReady Object around the header is malformed.
    #[error("PlayReady Object, byte {offset}: {fault}")]
    Object {
        /// Byte offset in the object.
        offset: usize,
        /// What is wrong there.
        fault: ObjectFault,
    },
    /// The header record is not canonical XML without the parts that the specification leaves out.
    #[error("content header, {place}: {fault}")]
    Xml {
        /// Where.
        place: Place,
        /// What is wrong there.
        fault: XmlFault,
    },
    /// The XML is sound, and breaks a rule of the header's version.
    #[error("content header, {place}: {fault}")]
    Content {
        /// Where.
        place: Place,
        /// What is wrong there.
        fault: ContentFault,
    },
    /// The caller asked for a header that cannot be written.
    #[error("content header cannot be written: {0}")]
    Unwritable(WriteFault),
}

/// A place in a header record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The elements from the root, `[n]` counting from one where they repeat, `@` before an attribute.
    pub path: String,
    /// Byte offset of the element or token in the header record (UTF-16, so two bytes or more for a character).
    pub offset: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.path, self.offset)
    }
}

/// What can be wrong with a PlayReady Object (specification section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectFault {
    /// The bytes end inside a field.
    #[error("ends where {needed} more bytes are needed")]
    Truncated {
        /// Bytes missing.
        needed: usize,
    },
    /// The length field differs from the number of bytes.
    #[error("length field says {stated} bytes, there are {found}")]
    LengthMismatch {
        /// What the field says.
        stated: u64,
        /// How many there are.
        found: usize,
    },
    /// More than 15 KB.
    #[error("{length} bytes are more than an object may have")]
    TooLong {
        /// Bytes found or asked for.
        length: usize,
    },
    /// More records than this reader takes.
    #[error("{count} records are more than an object may have")]
    TooManyRecords {
        /// Records announced.
        count: usize,
    },
    /// Bytes follow the last record.
    #[error("{count} bytes follow the last record")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A record that may stand once stands twice.
    #[error("second record of type {kind:#06x}")]
    DuplicateRecord {
        /// Its type.
        kind: u16,
    },
    /// No record of type 1.
    #[error("no header record")]
    NoHeader,
}

/// What can be wrong with the XML (specification section 3.2, Canonical XML 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlFault {
    /// More bytes than fit in an object.
    #[error("{length} bytes are more than a header may have")]
    TooLong {
        /// Bytes found.
        length: usize,
    },
    /// UTF-16 has an even number of bytes.
    #[error("UTF-16 with an odd number of bytes")]
    OddLength,
    /// Half of a surrogate pair.
    #[error("unpaired surrogate")]
    UnpairedSurrogate,
    /// A byte order mark, which canonical XML has not.
    #[error("byte order mark")]
    ByteOrderMark,
    /// A character that XML 1.0 has not, or a carriage return that is not written as a reference.
    #[error("character U+{:04X} is not allowed", u32::from(*.character))]
    ForbiddenCharacter {
        /// The character.
        character: char,
    },
    /// `<?xml ...?>`.
    #[error("XML declaration is not allowed")]
    Declaration,
    /// `<?name ...?>`.
    #[error("processing instruction is not allowed")]
    ProcessingInstruction,
    /// `<!DOCTYPE ...>`.
    #[error("document type declaration is not allowed")]
    DocumentType,
    /// `<!-- ... -->`.
    #[error("comment is not allowed")]
    Comment,
    /// `<![CDATA[ ... ]]>`.
    #[error("CDATA section is not allowed")]
    CData,
    /// A reference other than those that canonical XML writes.
    #[error("entity or character reference is not allowed")]
    Reference,
    /// `<NAME/>`.
    #[error("element must have an explicit end tag")]
    SelfClosing,
    /// An end tag without its start tag.
    #[error("end tag does not match a start tag")]
    MismatchedEndTag,
    /// The input ends inside markup or inside an element.
    #[error("ends inside an element or tag")]
    NotClosed,
    /// Not an XML name.
    #[error("not an XML name")]
    Name,
    /// An attribute without a quoted value.
    #[error("attribute without a name or a quoted value")]
    AttributeSyntax,
    /// The same attribute twice.
    #[error("attribute stands twice")]
    DuplicateAttribute,
    /// Namespaces come first, then attributes in alphabetical order.
    #[error("attributes are not in canonical order")]
    AttributeOrder,
    /// A prefix without a declaration, or a declaration that namespaces do not allow.
    #[error("namespace prefix is not declared, or declared as it must not be")]
    NamespacePrefix,
    /// A declaration that is already in force.
    #[error("namespace is declared again")]
    RepeatedNamespace,
    /// Elements nest too deeply.
    #[error("elements nest too deeply")]
    TooDeep,
    /// More elements than this reader takes.
    #[error("too many elements")]
    TooManyElements,
    /// More attributes on one element than this reader takes.
    #[error("too many attributes")]
    TooManyAttributes,
    /// Text before or after the root element.
    #[error("text outside the root element")]
    TextOutsideRoot,
    /// No element at all.
    #[error("no element")]
    NoRoot,
    /// A second root element.
    #[error("second root element")]
    SecondRoot,
    /// Well-formed, and not as Canonical XML writes it.
    #[error("not canonical XML")]
    NotCanonical,
}

/// What can be wrong with a header's content (specification sections 3.3 to 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentFault {
    /// The root is not `WRMHEADER`.
    #[error("root element is not WRMHEADER")]
    NotAHeader,
    /// The element is not in the namespace that belongs there.
    #[error("wrong namespace")]
    Namespace,
    /// A version above 4.3.0.0: it may contain what must be understood.
    #[error("version is newer than 4.3.0.0")]
    NewerVersion,
    /// A version that never was.
    #[error("unknown version")]
    UnknownVersion,
    /// Something required is missing.
    #[error("{name} is missing")]
    Missing {
        /// The element or attribute.
        name: &'static str,
    },
    /// An element that may stand once stands twice.
    #[error("{name} stands twice")]
    Duplicate {
        /// The element.
        name: &'static str,
    },
    /// Something that this version has not, or has elsewhere.
    #[error("{name} does not stand here in version {}", .version.as_str())]
    NotInVersion {
        /// The element or attribute.
        name: &'static str,
        /// The header's version.
        version: HeaderVersion,
    },
    /// Text where only elements may stand, or where nothing may.
    #[error("unexpected text")]
    UnexpectedText,
    /// An element where only text may stand, or where nothing may.
    #[error("unexpected element")]
    UnexpectedElement,
    /// An element without the value that it must have.
    #[error("value is empty")]
    Empty,
    /// KEYLEN is not what the algorithm has.
    #[error("key length does not fit the algorithm")]
    KeyLength,
    /// ALGID is none of those that this version has.
    #[error("unknown algorithm")]
    Algorithm,
    /// Keys of one header with different algorithms, or some with and some without.
    #[error("keys differ in their algorithm")]
    MixedAlgorithms,
    /// Not base64 with canonical padding.
    #[error("not base64")]
    Base64,
    /// A value of the wrong length.
    #[error("{found} bytes instead of {expected}")]
    Length {
        /// Bytes that belong there.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A checksum beside AESCBC, which has none.
    #[error("AESCBC has no checksum")]
    ChecksumForbidden,
    /// The same key id twice.
    #[error("key id stands twice")]
    DuplicateKeyId,
    /// Not an absolute http or https URL.
    #[error("not an absolute http or https URL")]
    Url,
    /// LICENSEREQUESTED is neither `true` nor `false`.
    #[error("neither true nor false")]
    Boolean,
    /// DECRYPTORSETUP is not `ONDEMAND`.
    #[error("not ONDEMAND")]
    DecryptorSetup,
    /// The realm is not 64 hexadecimal digits in lower case.
    #[error("realm is not 64 hexadecimal digits in lower case")]
    Realm,
    /// The content id is too long or contains a control character.
    #[error("content id is too long or contains a control character")]
    ContentId,
    /// Not four numbers.
    #[error("individualized version is not four numbers")]
    IndividualizedVersion,
}

/// Why a header cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteFault {
    /// COCKTAIL belongs to Windows Media content and is only read.
    #[error("COCKTAIL headers are read and not written")]
    Cocktail,
    /// A key without an algorithm below 4.3, several keys below 4.2, no key in 4.0 and the like.
    #[error("version {} cannot carry it, {} can", .asked.as_str(), .needed.as_str())]
    VersionTooLow {
        /// The version that was asked for.
        asked: HeaderVersion,
        /// The lowest version that will do.
        needed: HeaderVersion,
    },
    /// What would be written does not read back as the same fields: custom XML that closes its parent, a value with
    /// white space around it.
    #[error("the fields would not read back as given")]
    NotReadBack,
}
