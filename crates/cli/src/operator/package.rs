//! `admit package`: protects media and registers its key.

use std::fs::File;
use std::path::Path;

use admit_crypto::{ContentKey, Entropy};
use admit_license::KeyId;
use admit_license::header::KeyChecksum;
use admit_media::{Cover, Metadata};
use admit_packager::{AtomicFile, Protection, Report};
use admit_protocol::Code;
use admit_protocol::package::HeaderRequest;
use admit_server::content::{Content, KeyClass};
use serde_json::json;

use super::registry::Registry;
use crate::args::{PackageArgs, text_or_file};
use crate::client::PROVIDER;
use crate::failure::{self, Failure, Outcome};
use crate::output::Output;
use crate::progress::Progress;
use crate::same_file;
use crate::system::SystemEntropy;

/// Writes the protected file, registers its key, and only then gives the file its name: input that cannot be
/// packaged leaves nothing, neither a file nor a key.
pub(crate) fn run(args: &PackageArgs, output: Output) -> Outcome<()> {
    if args.local.local {
        return crate::client::package_local(args, output);
    }
    same_file::refuse(&args.input, &args.output)?;
    let input = File::open(&args.input).map_err(|error| Failure::file(&args.input, &error))?;
    let (key_id, key) = choose_key(args)?;
    let metadata = metadata(args)?;
    let content_id = args.content_id.clone().unwrap_or_else(|| key_id.to_string());
    let registry = Registry::open(args)?;
    let header = || HeaderRequest {
        key_id,
        checksum: KeyChecksum::of(PROVIDER, key_id, &key),
        content_id: content_id.clone(),
        license_page: args.license_page.clone(),
        minimum_individualized_version: args.min_version,
    };
    // What browsers play names its key only: no license would come of a header.
    let pssh_data = if args.clearkey { None } else { Some(registry.header(&header())?) };
    let clearkey = registry.clearkey_address().filter(|_| args.clearkey);
    let protection = Protection { key_id, key: &key, pssh_data: pssh_data.as_deref(), metadata };
    let (report, file) = write_protected(args, &input, &protection)?;
    registry.register(&content(args, key_id, &content_id), key)?;
    file.commit().map_err(|error| Failure::file(&args.output, &error))?;
    output.json(|| {
        json!({
            "output": args.output,
            "key_id": key_id.to_string(),
            "content_id": content_id,
            "clearkey_address": clearkey,
            "input_bytes": report.input_bytes,
            "output_bytes": report.output_bytes,
            "fragments": report.fragments,
            "encrypted_samples": report.encrypted_samples,
        })
    });
    output.line(|| format!("wrote {} ({} bytes)", args.output.display(), report.output_bytes));
    output.line(|| format!("key id {key_id}, content id {content_id}"));
    if let Some(address) = &clearkey {
        output.line(|| format!("browsers get the key from {address}"));
    }
    Ok(())
}

/// Writes the protected media to a file that has no name yet.
pub(crate) fn write_protected(
    args: &PackageArgs,
    input: &File,
    protection: &Protection<'_>,
) -> Outcome<(Report, AtomicFile)> {
    let created = AtomicFile::create(&args.output, SystemEntropy.nonce());
    let mut file = created.map_err(|error| Failure::file(&args.output, &error))?;
    let progress = Progress::new("packaging");
    let mut at = |done, all| progress.at(done, all);
    let report = admit_packager::package(input, file.file(), protection, &mut SystemEntropy, PROVIDER, &mut at);
    progress.finish();
    let report = report.map_err(|error| failure::packager(&args.input, &args.output, &error))?;
    Ok((report, file))
}

/// The key given, or a new one under a new random id (a version 4 UUID, RFC 9562).
fn choose_key(args: &PackageArgs) -> Outcome<(KeyId, ContentKey)> {
    let (Some(key_id), Some(given)) = (args.kid, &args.key) else {
        let mut id = [0; 16];
        SystemEntropy.fill(&mut id);
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        return Ok((KeyId::from_bytes(id), ContentKey::generate(&mut SystemEntropy)));
    };
    let mut bytes = [0; ContentKey::LENGTH];
    hex::decode_to_slice(text_or_file(given)?, &mut bytes).map_err(|_| {
        Failure::new(Code::ADMIT_E_USAGE, "the content key is not 32 hexadecimal digits")
            .with_action("Give 16 bytes in hexadecimal, or leave --kid and --key out for a new key")
    })?;
    Ok((key_id, ContentKey::from_bytes(bytes)))
}

fn content(args: &PackageArgs, key_id: KeyId, content_id: &str) -> Content {
    Content {
        key_id,
        class: if args.clearkey { KeyClass::ClearKey } else { KeyClass::Licensed },
        content_id: content_id.to_owned(),
        title: args.title.clone(),
        open: args.open,
        minimum_individualized_version: args.min_version,
        minimum_application_level: args.min_app_level,
    }
}

/// What the arguments say of the content in clear.
pub(crate) fn metadata(args: &PackageArgs) -> Outcome<Metadata> {
    Ok(Metadata {
        title: args.title.clone(),
        artist: args.artist.clone(),
        album: args.album.clone(),
        copyright: args.copyright.clone(),
        cover: args.cover.as_deref().map(cover).transpose()?,
    })
}

fn cover(path: &Path) -> Outcome<Cover> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let format = match bytes.as_slice() {
        [0xff, 0xd8, 0xff, ..] => COVER_JPEG,
        [0x89, b'P', b'N', b'G', ..] => COVER_PNG,
        _ => {
            let sentence = format!("{} is neither JPEG nor PNG", path.display());
            return Err(Failure::new(Code::ADMIT_E_MEDIA_UNSUPPORTED, sentence));
        }
    };
    if bytes.len() > LARGEST_COVER {
        let sentence = format!("{} has more than {LARGEST_COVER} bytes", path.display());
        return Err(Failure::new(Code::ADMIT_E_MEDIA_UNSUPPORTED, sentence).with_action("Use a smaller picture"));
    }
    Ok(Cover { format, bytes })
}

/// The data types of cover pictures in `ilst`.
const COVER_JPEG: u32 = 13;
const COVER_PNG: u32 = 14;
const LARGEST_COVER: usize = 4 * 1024 * 1024;
