//! What protects a media file, and how.

use std::fs::File;
use std::path::Path;

use admit_media::{ADMIT_SYSTEM_ID, Pssh, SampleEntry, Summary};
use admit_protocol::Code;
use serde_json::{Value, json};

use super::header::Header;
use crate::failure::{self, Failure, Outcome, printable};
use crate::output::Output;

/// Reads the boxes and tells. Gives the content header, where there is one.
pub(super) fn inspect(path: &Path, output: Output) -> Outcome<Option<Header>> {
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let summary = admit_media::inspect(&file).map_err(|error| match error {
        admit_media::Error::NotMp4 => {
            let sentence =
                format!("{} is no MP4 file, content header, license, certificate or realm document", path.display());
            Failure::new(Code::ADMIT_E_MEDIA_UNSUPPORTED, sentence).with_action("Name a file of one of these kinds")
        }
        error => failure::media(path, &error),
    })?;
    let header = header_of(&summary)?;
    output.json(|| document(&summary, header.as_ref()));
    output.line(|| text(&summary, header.as_ref()));
    Ok(header)
}

fn header_of(summary: &Summary) -> Outcome<Option<Header>> {
    let pssh = summary.pssh.iter().find(|pssh| pssh.system_id == ADMIT_SYSTEM_ID);
    pssh.map(|pssh| Header::read(&pssh.data)).transpose()
}

fn entries(summary: &Summary) -> impl Iterator<Item = (u32, &SampleEntry)> {
    summary.tracks.iter().flat_map(|track| track.entries.iter().map(move |entry| (track.id, entry)))
}

fn text(summary: &Summary, header: Option<&Header>) -> String {
    let mut lines = Vec::new();
    let brand = summary.brand.map_or_else(|| "no brand".to_owned(), |brand| brand.to_string());
    let layout = if summary.fragments > 0 { format!("{} fragments", summary.fragments) } else { "progressive".into() };
    let seconds = if summary.timescale > 0 { summary.duration / u64::from(summary.timescale) } else { 0 };
    lines.push(format!("MP4 ({brand}), {} bytes, {layout}, {seconds} s", summary.length));
    for (id, entry) in entries(summary) {
        lines.push(match &entry.protection {
            Some(protection) => {
                let key = protection.tenc.as_ref().map_or_else(String::new, |tenc| {
                    format!(", key {}, initialization vectors of {} bytes", tenc.key_id, tenc.iv_size)
                });
                format!("track {id}: {}, protected by {}{key}", entry.codec(), protection.scheme)
            }
            None => format!("track {id}: {}, clear", entry.codec()),
        });
    }
    let metadata = &summary.metadata;
    let words = [
        ("title", &metadata.title),
        ("artist", &metadata.artist),
        ("album", &metadata.album),
        ("copyright", &metadata.copyright),
    ];
    lines.extend(words.iter().filter_map(|(name, value)| Some(format!("{name}: {}", printable(value.as_ref()?)))));
    lines.extend(
        summary.pssh.iter().map(|pssh| format!("protection system {}: {} bytes", pssh.system_id, pssh.data.len())),
    );
    lines.extend(header.iter().flat_map(|header| header.lines()));
    lines.join("\n")
}

fn document(summary: &Summary, header: Option<&Header>) -> Value {
    let track = |(id, entry): (u32, &SampleEntry)| {
        let protection = entry.protection.as_ref();
        let tenc = protection.and_then(|protection| protection.tenc.as_ref());
        json!({
            "id": id,
            "codec": entry.codec().to_string(),
            "scheme": protection.map(|protection| protection.scheme.to_string()),
            "key_id": tenc.map(|tenc| tenc.key_id.to_string()),
            "iv_size": tenc.map(|tenc| tenc.iv_size),
        })
    };
    let metadata = &summary.metadata;
    json!({
        "type": "media",
        "brand": summary.brand.map(|brand| brand.to_string()),
        "bytes": summary.length,
        "fragments": summary.fragments,
        "indexed": summary.indexed,
        "tracks": entries(summary).map(track).collect::<Vec<_>>(),
        "title": metadata.title,
        "artist": metadata.artist,
        "album": metadata.album,
        "copyright": metadata.copyright,
        "cover_bytes": metadata.cover.as_ref().map(|cover| cover.bytes.len()),
        "protection_systems": summary.pssh.iter().map(system).collect::<Vec<_>>(),
        "header": header.map(Header::document),
    })
}

fn system(pssh: &Pssh) -> Value {
    let key_ids = pssh.key_ids.as_ref().map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    json!({ "system_id": pssh.system_id.to_string(), "key_ids": key_ids, "bytes": pssh.data.len() })
}
