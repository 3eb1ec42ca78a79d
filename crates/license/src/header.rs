//! The content header: which keys protect some content and where to get licenses for it. PlayReady Header 4.0 to 4.3
//! in a PlayReady Object (Microsoft's public PlayReady Header specification), with Admit's own facts among the custom
//! attributes. `docs/formats/content-header.md` tells the whole format.

mod error;
mod guid;
mod key_seed;
mod object;
mod read;
mod write;
mod xml;

#[cfg(test)]
mod tests;

use core::fmt;

use admit_crypto::{Digest, KeyId, write_uuid};
use admit_trust::ComponentVersion;

pub use error::{ContentFault, HeaderError, ObjectFault, Place, WriteFault, XmlFault};
pub use key_seed::{ChecksumVerdict, KeySeed};
pub use object::{HeaderObject, MAX_LENGTH, RECORD_HEADER, RECORD_LICENSE_STORE, RECORD_SIGNATURE, Record};
pub use read::is_web_address;

/// A content header together with the bytes it was read from or written to, which its signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentHeader {
    version: HeaderVersion,
    fields: HeaderFields,
    record: Vec<u8>,
}

impl ContentHeader {
    /// Writes a header in the lowest version that can carry the fields.
    pub fn new(fields: HeaderFields) -> Result<Self, HeaderError> {
        let version = HeaderVersion::lowest_for(&fields);
        Self::with_version(fields, version)
    }

    /// Writes a header in the version asked for.
    pub fn with_version(fields: HeaderFields, version: HeaderVersion) -> Result<Self, HeaderError> {
        let needed = HeaderVersion::lowest_for(&fields);
        if fields.keys.iter().any(|key| key.algorithm == Some(Algorithm::Cocktail)) {
            return Err(HeaderError::Unwritable(WriteFault::Cocktail));
        }
        if version < needed {
            return Err(HeaderError::Unwritable(WriteFault::VersionTooLow { asked: version, needed }));
        }
        let written = Self::from_record_bytes(&write::record(&fields, version))?;
        if written.fields == fields { Ok(written) } else { Err(HeaderError::Unwritable(WriteFault::NotReadBack)) }
    }

    /// Reads the value of a header record (type 1 of an object).
    pub fn from_record_bytes(record: &[u8]) -> Result<Self, HeaderError> {
        let (version, fields) = read::header(&xml::read(record)?)?;
        Ok(Self { version, fields, record: record.to_vec() })
    }

    /// Reads the header out of an object, which is what a `pssh` box holds.
    pub fn from_object_bytes(object: &[u8]) -> Result<Self, HeaderError> {
        HeaderObject::from_bytes(object)?.header()
    }

    /// The version that the header states.
    #[must_use]
    pub const fn version(&self) -> HeaderVersion {
        self.version
    }

    /// What the header says.
    #[must_use]
    pub const fn fields(&self) -> &HeaderFields {
        &self.fields
    }

    /// The ids of the keys that protect the content.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.fields.keys.iter().map(|key| key.key_id)
    }

    /// What the header says, to write another one from it.
    #[must_use]
    pub fn into_fields(self) -> HeaderFields {
        self.fields
    }

    /// The bytes of the header record, exactly as they were read or written.
    #[must_use]
    pub fn record_bytes(&self) -> &[u8] {
        &self.record
    }
}

/// What a content header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderFields {
    /// The keys that protect the content. A live stream may name none.
    pub keys: Vec<HeaderKey>,
    /// Where licenses are acquired without asking the user (LA_URL): an absolute http or https URL.
    pub license_acquisition_url: Option<String>,
    /// The page where the user acquires a license (LUI_URL): an absolute http or https URL.
    pub license_page_url: Option<String>,
    /// The service whose domains may play the content (DS_ID).
    pub domain_service_id: Option<DomainServiceId>,
    /// What stands in CUSTOMATTRIBUTES.
    pub custom: CustomAttributes,
    /// Whether the client asks for a license, or only for the server's time (LICENSEREQUESTED).
    pub license_requested: bool,
    /// Whether the license chain may be incomplete when playing begins (DECRYPTORSETUP is ONDEMAND), as in live
    /// streams. It says nothing about content on demand.
    pub on_demand: bool,
}

impl Default for HeaderFields {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            license_acquisition_url: None,
            license_page_url: None,
            domain_service_id: None,
            custom: CustomAttributes::default(),
            license_requested: true,
            on_demand: false,
        }
    }
}

/// A key of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderKey {
    /// The key's id.
    pub key_id: KeyId,
    /// The cipher it is for. A header in a license request may leave it out.
    pub algorithm: Option<Algorithm>,
    /// A check that a content key is the right one.
    pub checksum: Option<KeyChecksum>,
}

/// Ciphers that a header names (ALGID).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `AESCTR`: AES-128 in counter mode (`cenc`, `cens`).
    AesCtr,
    /// `AESCBC`: AES-128 in CBC mode (`cbc1`, `cbcs`).
    AesCbc,
    /// `COCKTAIL`: the cipher of Windows Media DRM, only read.
    Cocktail,
}

impl Algorithm {
    /// The name in a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AesCtr => "AESCTR",
            Self::AesCbc => "AESCBC",
            Self::Cocktail => "COCKTAIL",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::AesCtr, Self::AesCbc, Self::Cocktail].into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key's checksum (CHECKSUM).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChecksum {
    /// For AESCTR.
    AesCtr([u8; 8]),
    /// For COCKTAIL, only kept.
    Cocktail([u8; 7]),
}

/// Custom attributes: Admit's own, and what other packagers put there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomAttributes {
    /// Fingerprint of the trust root whose servers license the content.
    pub realm: Option<Digest>,
    /// The operator's name for the content.
    pub content_id: Option<String>,
    /// The oldest DRM component that may play the content.
    pub minimum_individualized_version: Option<ComponentVersion>,
    /// Canonical XML of everything else in CUSTOMATTRIBUTES.
    pub other_xml: String,
}

/// The id of a domain service, a big-endian UUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DomainServiceId(pub [u8; 16]);

impl fmt::Display for DomainServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

impl fmt::Debug for DomainServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

/// Versions of the PlayReady Header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeaderVersion {
    /// One AESCTR or COCKTAIL key (2008).
    V4_0,
    /// No key or one, for scalable chains and live streams (2011).
    V4_1,
    /// Many keys (2015).
    V4_2,
    /// AESCBC, keys without algorithm (2017), LICENSEREQUESTED (2021).
    V4_3,
}

impl HeaderVersion {
    /// The version as the header states it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V4_0 => "4.0.0.0",
            Self::V4_1 => "4.1.0.0",
            Self::V4_2 => "4.2.0.0",
            Self::V4_3 => "4.3.0.0",
        }
    }

    /// The lowest version that can carry the fields.
    #[must_use]
    pub fn lowest_for(fields: &HeaderFields) -> Self {
        let needs_4_3 = |key: &HeaderKey| matches!(key.algorithm, None | Some(Algorithm::AesCbc));
        if !fields.license_requested || fields.keys.iter().any(needs_4_3) {
            Self::V4_3
        } else if fields.keys.len() > 1 {
            Self::V4_2
        } else if fields.keys.is_empty() || fields.on_demand {
            Self::V4_1
        } else {
            Self::V4_0
        }
    }

    fn from_attribute(text: &str) -> Result<Self, ContentFault> {
        let known = [Self::V4_0, Self::V4_1, Self::V4_2, Self::V4_3].into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| {
            let numbers: Option<Vec<u32>> = text.split('.').map(|number| number.parse().ok()).collect();
            match numbers {
                Some(numbers) if numbers.len() == 4 && numbers.as_slice() > &[4, 3, 0, 0] => ContentFault::NewerVersion,
                _ => ContentFault::UnknownVersion,
            }
        })
    }
}

/// The namespace of every header element outside the custom attributes.
const NAMESPACE: &str = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader";
/// The namespace of Admit's own custom attributes: its protection system id.
const ADMIT_NAMESPACE: &str = "urn:uuid:b6a202a3-f275-446c-9030-29c1fd52463f";
/// The most characters in a content id.
pub const MAX_CONTENT_ID: usize = 256;
