//! `admit inspect`: what a file is, and what it says. Media of any packager, content headers, licenses, certificates and
//! realm documents.

mod certificate;
mod header;
mod media;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use admit_protocol::Code;
use admit_protocol::realm;
use admit_trust::{Certificate, TimeKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use self::header::Header;
use crate::args::InspectArgs;
use crate::client::PROVIDER;
use crate::failure::{Failure, Outcome};
use crate::header_file;
use crate::output::Output;
use crate::terms::{terms_json, terms_text};

/// Finds out what the file is by its first bytes, tells what it says, and writes its content header where that is wanted.
pub(crate) fn run(args: &InspectArgs, output: Output) -> Outcome<()> {
    let path = args.file.as_path();
    let header = tell(path, output)?;
    let Some(to) = &args.header else { return Ok(()) };
    match header {
        Some(header) => header.write(path, to, output),
        None => {
            let sentence = format!("{} has no content header of Admit", path.display());
            Err(Failure::new(Code::ADMIT_E_NOT_PROTECTED, sentence).with_action("Name a file that has one"))
        }
    }
}

/// Gives the content header, where there is one.
fn tell(path: &Path, output: Output) -> Outcome<Option<Header>> {
    match kind_of(path)? {
        Kind::Media => return media::inspect(path, output),
        Kind::Header(object) => {
            let header = Header::read(&object)?;
            header.inspect(output);
            return Ok(Some(header));
        }
        Kind::CertificatePem => certificate::inspect_pem(&read_small(path)?, output)?,
        Kind::CertificateDer => certificate::inspect_der(&read_small(path)?, output)?,
        Kind::Signed => inspect_signed(path, &read_small(path)?, output)?,
    }
    Ok(None)
}

enum Kind {
    Media,
    /// A content header alone: the object.
    Header(Vec<u8>),
    CertificatePem,
    CertificateDer,
    /// COSE_Sign1: a license or a realm document.
    Signed,
}

fn kind_of(path: &Path) -> Outcome<Kind> {
    let failed = |error: std::io::Error| Failure::file(path, &error);
    if let Some(object) = header_file::read(File::open(path).map_err(failed)?).map_err(failed)? {
        return Ok(Kind::Header(object));
    }
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(16).read_to_end(&mut head).map_err(failed)?;
    Ok(match head.as_slice() {
        [0x30, 0x80..=0x84, ..] => Kind::CertificateDer,
        [0xd2, 0x84, ..] => Kind::Signed,
        head if head.starts_with(b"-----BEGIN ") => Kind::CertificatePem,
        _ => Kind::Media,
    })
}

fn inspect_signed(path: &Path, bytes: &[u8], output: Output) -> Outcome<()> {
    match admit_license::inspect(bytes) {
        Ok((terms, envelope)) => {
            let signer = envelope.chain().first().map(|certificate| certificate.subject());
            output.json(|| json!({ "type": "license", "signer": signer, "terms": terms_json(&terms, None) }));
            output.line(|| format!("license, signed by {}\n{}", signer.unwrap_or_default(), terms_text(&terms, None)));
            Ok(())
        }
        Err(admit_license::Error::Trust(admit_trust::Error::ContentType { .. })) => inspect_realm(bytes, output),
        Err(error) => {
            let failure = Failure::from(error);
            Err(Failure { sentence: format!("{}: {}", path.display(), failure.sentence), ..failure })
        }
    }
}

fn inspect_realm(bytes: &[u8], output: Output) -> Outcome<()> {
    let fingerprint = realm::claimed_fingerprint(PROVIDER, bytes)?;
    let realm = realm::Realm::verify(PROVIDER, bytes, fingerprint)?;
    let document = realm.document();
    let role = |number: u8| admit_trust::Role::ALL.iter().find(|role| role.number() == number).map(|role| role.name());
    output.json(|| {
        let services = document.services.iter().map(|service| {
            let key = time_key(service);
            json!({
                "role": role(service.role),
                "address": service.address,
                "key": key.map(|key| BASE64_STANDARD.encode(key.public_key)),
                "epoch": key.map(|key| key.epoch),
            })
        });
        json!({
            "type": "realm",
            "name": document.name,
            "fingerprint": fingerprint.to_string(),
            "number": document.number,
            "issued_at": document.issued_at.to_string(),
            "enrol_level": document.enrol_level,
            "services": services.collect::<Vec<_>>(),
        })
    });
    output.line(|| format!("realm document {} of {}, signed by its trust root", document.number, document.name));
    output.line(|| format!("fingerprint: {fingerprint}\nissued: {}", document.issued_at));
    for service in &document.services {
        output.line(|| format!("{} service: {}", role(service.role).unwrap_or("unknown"), service.address));
        if let Some(key) = time_key(service) {
            output.line(|| format!("  key {}, epoch {}", BASE64_STANDARD.encode(key.public_key), key.epoch));
        }
    }
    Ok(())
}

/// The key that a time service's answers are verified under, for whoever audits it.
fn time_key(service: &realm::Service) -> Option<TimeKey> {
    Certificate::from_der(&service.certificate).ok()?.time_key().copied()
}

/// Reads a file that is one message or certificate.
fn read_small(path: &Path) -> Outcome<Vec<u8>> {
    let failed = |error: std::io::Error| Failure::file(path, &error);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LIMIT {
        let sentence = format!("{} is longer than any license or certificate", path.display());
        return Err(Failure::new(Code::ADMIT_E_MALFORMED_MESSAGE, sentence));
    }
    Ok(bytes)
}

const LIMIT: u64 = 1024 * 1024;
