//! Protected content on disk: its header, or, where another packager made it, its key ids. A header alone, without its media, is
//! enough to ask for licenses.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use admit_crypto::Digest;
use admit_license::header::{ContentHeader, HeaderObject};
use admit_license::{KeyId, TrustedHeader};
use admit_media::ADMIT_SYSTEM_ID;
use admit_protocol::Code;
use admit_trust::{ComponentVersion, TrustRoot};

use super::context::{DATES, PROVIDER};
use crate::failure::{self, Failure, Outcome};
use crate::header_file;
use crate::system::{LastFailure, RemoteFile};

/// Media that can be read from anywhere: a file, or an address by ranges.
pub(crate) trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// Protected content that was opened.
pub(crate) struct Content {
    pub(crate) path: PathBuf,
    pub(crate) source: Box<dyn Source>,
    pub(crate) last_failure: LastFailure,
    pub(crate) key_ids: Vec<KeyId>,
    header: Option<(Vec<u8>, HeaderObject)>,
    /// Whether the file holds the header and no media.
    is_header_alone: bool,
}

/// What the header says, once its signature was checked under the realm's root.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeaderTerms {
    signed: bool,
    pub(crate) minimum_version: Option<ComponentVersion>,
    pub(crate) license_page: Option<String>,
}

impl HeaderTerms {
    /// Refuses a header that nobody signed, where its word would be taken.
    pub(crate) fn require_signature(&self, path: &Path) -> Outcome<()> {
        if self.signed {
            return Ok(());
        }
        Err(not_signed(path))
    }
}

impl Content {
    /// Opens a file, or the one at an address, and finds what protects it.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let content = Self::open_for_license(path)?;
        if content.is_header_alone {
            let sentence = format!("{} holds a content header and no media", path.display());
            return Err(Failure::new(Code::ADMIT_E_MEDIA_UNSUPPORTED, sentence)
                .with_action("Name the protected file; licenses for it can be acquired with the header alone"));
        }
        Ok(content)
    }

    /// The same, or a file that holds the header of some content and nothing else.
    pub(crate) fn open_for_license(path: &Path) -> Outcome<Self> {
        let last_failure = LastFailure::default();
        let mut source: Box<dyn Source> = match path.to_str().filter(|text| is_address(text)) {
            Some(url) => Box::new(RemoteFile::open(url, last_failure.clone())?),
            None => Box::new(File::open(path).map_err(|error| Failure::file(path, &error))?),
        };
        let alone = header_file::read(&mut *source).and_then(|alone| source.rewind().map(|()| alone));
        let alone = alone.map_err(|error| last_failure.take().unwrap_or_else(|| Failure::file(path, &error)))?;
        let is_header_alone = alone.is_some();
        let (header, of_media) = match alone {
            Some(object) => (Some(object), Vec::new()),
            None => {
                let media = |error| last_failure.take().unwrap_or_else(|| failure::media(path, &error));
                let found = admit_media::protections(&mut *source).map_err(media)?;
                let pssh = found.pssh.into_iter().find(|pssh| pssh.system_id == ADMIT_SYSTEM_ID);
                (pssh.map(|pssh| pssh.data), found.key_ids)
            }
        };
        let header = header.map(read_header).transpose()?;
        // Nothing but its signature speaks for a header without media, and nobody is asked anything on the word of one.
        if header.as_ref().is_some_and(|(_, object)| is_header_alone && object.signature().is_none()) {
            return Err(not_signed(path));
        }
        let key_ids = all_key_ids(header.as_ref().map(|(_, object)| object), of_media)?;
        if key_ids.is_empty() {
            let sentence = format!("{} is not protected", path.display());
            return Err(Failure::new(Code::ADMIT_E_NOT_PROTECTED, sentence));
        }
        Ok(Self { path: path.to_owned(), source, last_failure, key_ids, header, is_header_alone })
    }

    /// The realm and the license address that the header names. Nothing was verified yet.
    pub(crate) fn claims(&self) -> Outcome<(Option<Digest>, Option<String>)> {
        let Some((_, object)) = &self.header else { return Ok((None, None)) };
        let fields = object.header().map_err(admit_license::Error::from)?.into_fields();
        Ok((fields.custom.realm, fields.license_acquisition_url))
    }

    /// Whether the header names a realm and no server: a client protected the content for itself, and no license can be
    /// acquired for it (row B10).
    pub(crate) fn is_local(&self) -> Outcome<bool> {
        let (realm, address) = self.claims()?;
        Ok(realm.is_some() && address.is_none())
    }

    /// That there is no license for content of a client, and none to be had.
    pub(crate) fn only_local(&self) -> Failure {
        let sentence =
            format!("{} was protected on one client, and this one has no license for it", self.path.display());
        Failure::new(Code::ADMIT_E_LOCAL_CONTENT, sentence)
    }

    /// The header object, as a challenge carries it.
    pub(crate) fn header_object(&self) -> Option<&[u8]> {
        self.header.as_ref().map(|(bytes, _)| bytes.as_slice())
    }

    /// Checks the header's signature where it has one. What an unsigned header says counts for nothing.
    pub(crate) fn verify_header(&self, root: &TrustRoot) -> Outcome<HeaderTerms> {
        let Some((_, object)) = &self.header else { return Ok(HeaderTerms::default()) };
        let verified = TrustedHeader::verify(PROVIDER, root, object, DATES);
        let Some(trusted) = verified.map_err(|error| header_failure(&self.path, error))? else {
            return Ok(HeaderTerms::default());
        };
        let fields = trusted.header().fields();
        Ok(HeaderTerms {
            signed: true,
            minimum_version: fields.custom.minimum_individualized_version,
            license_page: fields.license_page_url.clone(),
        })
    }
}

fn read_header(bytes: Vec<u8>) -> Outcome<(Vec<u8>, HeaderObject)> {
    let object = HeaderObject::from_bytes(&bytes).map_err(admit_license::Error::from)?;
    Ok((bytes, object))
}

fn not_signed(path: &Path) -> Failure {
    let sentence = format!("the content header of {} is not signed, and is nobody's word", path.display());
    Failure::new(Code::ADMIT_E_HEADER_UNSIGNED, sentence)
}

fn header_failure(path: &Path, error: admit_license::Error) -> Failure {
    match error {
        admit_license::Error::Trust(error) => {
            let sentence = format!("the signature of the content header of {} does not hold: {error}", path.display());
            Failure::new(Code::ADMIT_E_HEADER_UNSIGNED, sentence)
        }
        other => other.into(),
    }
}

/// The first keys are the header's; the media may use more.
fn all_key_ids(header: Option<&HeaderObject>, of_media: Vec<KeyId>) -> Outcome<Vec<KeyId>> {
    let header = header.map(HeaderObject::header).transpose().map_err(admit_license::Error::from)?;
    let mut key_ids: Vec<KeyId> = header.iter().flat_map(ContentHeader::key_ids).collect();
    for key_id in of_media {
        if !key_ids.contains(&key_id) {
            key_ids.push(key_id);
        }
    }
    Ok(key_ids)
}

/// Whether this names a file on a server.
pub(super) fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
