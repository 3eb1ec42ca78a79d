//! What a content header says, in media or alone; and the header put into a file of its own, with which licenses can be acquired
//! before the media are there.

use std::io::Write as _;
use std::path::Path;

use admit_license::KeyId;
use admit_license::header::{ContentHeader, HeaderObject};
use admit_packager::AtomicFile;
use serde_json::{Value, json};

use crate::failure::{Failure, Outcome, printable};
use crate::output::Output;
use crate::same_file;
use crate::system::SystemEntropy;

/// A header object that was read, and the header in it.
pub(super) struct Header {
    object: HeaderObject,
    header: ContentHeader,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Outcome<Self> {
        let object = HeaderObject::from_bytes(bytes).map_err(admit_license::Error::from)?;
        let header = object.header().map_err(admit_license::Error::from)?;
        Ok(Self { object, header })
    }

    /// Tells of a header that is alone in its file.
    pub(super) fn inspect(&self, output: Output) {
        output.json(|| {
            let mut document = self.document();
            document["type"] = "header".into();
            document
        });
        let keys = self.header.key_ids().map(|id| format!("key {id}"));
        output.line(|| self.lines().into_iter().chain(keys).collect::<Vec<_>>().join("\n"));
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let fields = self.header.fields();
        let facts = [
            ("license address", fields.license_acquisition_url.clone()),
            ("license page", fields.license_page_url.clone()),
            ("realm", fields.custom.realm.map(|realm| realm.to_string())),
            ("content id", fields.custom.content_id.clone()),
            ("individualized version at least", fields.custom.minimum_individualized_version.map(|it| it.to_string())),
        ];
        let first = format!("content header {}, {}", self.header.version().as_str(), self.signature());
        let facts = facts.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", printable(&value?))));
        [first].into_iter().chain(facts).collect()
    }

    pub(super) fn document(&self) -> Value {
        let fields = self.header.fields();
        json!({
            "version": self.header.version().as_str(),
            "signature": self.signature(),
            "key_ids": self.header.key_ids().map(|id: KeyId| id.to_string()).collect::<Vec<_>>(),
            "license_address": fields.license_acquisition_url,
            "license_page": fields.license_page_url,
            "realm": fields.custom.realm.map(|realm| realm.to_string()),
            "content_id": fields.custom.content_id,
            "minimum_individualized_version": fields.custom.minimum_individualized_version.map(|it| it.to_string()),
        })
    }

    /// Writes the object, signature and all, to a file of its own.
    pub(super) fn write(&self, from: &Path, to: &Path, output: Output) -> Outcome<()> {
        same_file::refuse(from, to)?;
        let bytes = self.object.to_bytes().map_err(admit_license::Error::from)?;
        let written = AtomicFile::create(to, SystemEntropy.nonce()).and_then(|mut file| {
            file.file().write_all(&bytes)?;
            file.commit()
        });
        written.map_err(|error| Failure::file(to, &error))?;
        output.line(|| format!("wrote {} ({} bytes)", to.display(), bytes.len()));
        Ok(())
    }

    /// Whether there is a signature; who made it, only a client that trusts the realm can tell.
    fn signature(&self) -> &'static str {
        if self.object.signature().is_some() { "signed" } else { "unsigned" }
    }
}
