//! Protected content on disk: its header, or, where another packager made it, its key ids.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use admit_crypto::Digest;
use admit_license::header::HeaderObject;
use admit_license::{KeyId, TrustedHeader};
use admit_media::ADMIT_SYSTEM_ID;
use admit_protocol::Code;
use admit_trust::{ComponentVersion, TrustRoot};

use super::context::{DATES, PROVIDER};
use crate::failure::{self, Failure, Outcome};
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
        let sentence = format!(
            "the content header of {} is not signed, and this client does not know its realm yet",
            path.display()
        );
        Err(Failure::new(Code::ADMIT_E_HEADER_UNSIGNED, sentence))
    }
}

impl Content {
    /// Opens a file, or the one at an address, and finds what protects it.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let last_failure = LastFailure::default();
        let mut source: Box<dyn Source> = match path.to_str().filter(|text| is_address(text)) {
            Some(url) => Box::new(RemoteFile::open(url, last_failure.clone())?),
            None => Box::new(File::open(path).map_err(|error| Failure::file(path, &error))?),
        };
        let media = |error| last_failure.take().unwrap_or_else(|| failure::media(path, &error));
        let found = admit_media::protections(&mut *source).map_err(media)?;
        let pssh = found.pssh.into_iter().find(|pssh| pssh.system_id == ADMIT_SYSTEM_ID);
        let (header, mut key_ids) = match pssh {
            Some(pssh) => {
                let object = HeaderObject::from_bytes(&pssh.data).map_err(admit_license::Error::from)?;
                let key_ids = object.header().map_err(admit_license::Error::from)?.key_ids().collect();
                (Some((pssh.data, object)), key_ids)
            }
            None => (None, Vec::new()),
        };
        // The first keys are the header's; the media may use more.
        for key_id in found.key_ids {
            if !key_ids.contains(&key_id) {
                key_ids.push(key_id);
            }
        }
        if key_ids.is_empty() {
            let sentence = format!("{} is not protected", path.display());
            return Err(Failure::new(Code::ADMIT_E_NOT_PROTECTED, sentence));
        }
        Ok(Self { path: path.to_owned(), source, last_failure, key_ids, header })
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
        let Some(trusted) = TrustedHeader::verify(PROVIDER, root, object, DATES)? else {
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

/// Whether this names a file on a server.
pub(super) fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
