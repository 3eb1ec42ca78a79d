//! Checks by programs that are not ours: ffmpeg (`ADMIT_FFMPEG`, else `ffmpeg`) and Shaka Packager
//! (`ADMIT_SHAKA_PACKAGER`, else `packager`). Without them these tests fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use admit_media::{Error as MediaError, fourcc};

use crate::support::{CLIPS, KEY, KEY_ID, Seen, clip, clip_path, decrypt_with, packaged, samples};

const KEY_HEX: &str = "11111111111111111111111111111111";
const KEYS: &str = "label=:key_id=22222222222222222222222222222222:key=11111111111111111111111111111111";

#[expect(clippy::disallowed_methods, reason = "where the other programs are is the test setup's to say")]
fn tool(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.into())
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} must be there for this test: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The hash of each stream's packets, as ffmpeg sees them.
fn stream_hashes(file: &Path, key: Option<&str>) -> String {
    let key = key.map_or(vec![], |key| vec!["-decryption_key", key]);
    let after = ["-i", file.to_str().unwrap(), "-map", "0", "-c", "copy", "-f", "streamhash", "-hash", "md5", "-"];
    let arguments: Vec<_> = ["-v", "error"].into_iter().chain(key).chain(after).collect();
    run(&tool("ADMIT_FFMPEG", "ffmpeg"), &arguments)
}

/// Runs Shaka Packager on one kind of stream of a file.
fn shaka(input: &Path, stream: &str, output: &Path, how: &[&str]) {
    let stream = format!("in={},stream={stream},out={}", input.display(), output.display());
    let arguments: Vec<_> = [stream.as_str(), "--keys", KEYS].into_iter().chain(how.iter().copied()).collect();
    run(&tool("ADMIT_SHAKA_PACKAGER", "packager"), &arguments);
}

fn shaka_encrypts(input: &Path, stream: &str, output: &Path) {
    let how = ["--enable_raw_key_encryption", "--protection_scheme", "cenc", "--clear_lead", "0"];
    shaka(input, stream, output, &how);
}

fn streams(name: &str) -> &'static [&'static str] {
    if name == "audio-only" { &["audio"] } else { &["video", "audio"] }
}

/// One stream of a file as a file of its own, by ffmpeg, and its hash.
fn hash_of_stream(file: &Path, stream: &str) -> String {
    let map = if stream == "video" { "0:v" } else { "0:a" };
    let filter = if stream == "video" { "h264_mp4toannexb" } else { "null" };
    let path = file.to_str().unwrap();
    let arguments = ["-v", "error", "-i", path, "-map", map, "-c", "copy", "-bsf", filter, "-f", "streamhash"];
    let arguments: Vec<_> = arguments.into_iter().chain(["-hash", "md5", "-"]).collect();
    run(&tool("ADMIT_FFMPEG", "ffmpeg"), &arguments)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn ffmpeg_decrypts_what_we_package() {
    let folder = tempfile::tempdir().unwrap();
    for name in CLIPS {
        let protected = write(folder.path(), "protected.mp4", &packaged(&clip(name)));
        assert_eq!(stream_hashes(&protected, Some(KEY_HEX)), stream_hashes(&clip_path(name), None), "{name}");
    }
}

#[test]
fn ffmpeg_reads_what_we_decrypt() {
    let folder = tempfile::tempdir().unwrap();
    for name in CLIPS {
        let clear = decrypt_with(&packaged(&clip(name)), KEY).unwrap();
        let clear = write(folder.path(), "clear.mp4", &clear);
        assert_eq!(stream_hashes(&clear, None), stream_hashes(&clip_path(name), None), "{name}");
    }
}

#[test]
fn shaka_packager_decrypts_what_we_package() {
    let folder = tempfile::tempdir().unwrap();
    for name in CLIPS {
        let protected = write(folder.path(), "protected.mp4", &packaged(&clip(name)));
        for stream in streams(name) {
            let (clear, source) = (folder.path().join("clear.mp4"), folder.path().join("source.mp4"));
            shaka(&protected, stream, &clear, &["--enable_raw_key_decryption"]);
            // The source goes the same way, for Shaka writes parameter sets of its own into the samples.
            shaka(&clip_path(name), stream, &source, &[]);
            assert_eq!(hash_of_stream(&clear, stream), hash_of_stream(&source, stream), "{name} {stream}");
        }
    }
}

#[test]
fn we_decrypt_what_shaka_packager_encrypts() {
    let folder = tempfile::tempdir().unwrap();
    for name in CLIPS {
        for stream in streams(name) {
            let (protected, source) = (folder.path().join("protected.mp4"), folder.path().join("source.mp4"));
            shaka_encrypts(&clip_path(name), stream, &protected);
            shaka(&clip_path(name), stream, &source, &[]);
            let clear = decrypt_with(&fs::read(&protected).unwrap(), KEY).unwrap();
            let clear = write(folder.path(), "clear.mp4", &clear);
            assert_eq!(stream_hashes(&clear, None), stream_hashes(&source, None), "{name} {stream}");
        }
    }
}

/// A clip as one movie without fragments, its samples protected and described in `moov`, by ffmpeg.
pub(crate) fn ffmpeg_encrypts(input: &Path, output: &Path) {
    let (input, output, kid) = (input.to_str().unwrap(), output.to_str().unwrap(), "22".repeat(16));
    let how = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY_HEX, "-encryption_kid", &kid];
    let arguments = [&["-v", "error", "-y", "-i", input, "-c", "copy"], &how[..], &[output]].concat();
    run(&tool("ADMIT_FFMPEG", "ffmpeg"), &arguments);
}

/// The file without its `senc` boxes: what they hold is still found by `saiz` and `saio`.
fn without_senc(mut file: Vec<u8>) -> Vec<u8> {
    let found: Vec<_> = (4..file.len() - 4).filter(|&at| file[at..at + 4] == *b"senc").collect();
    for at in found {
        file[at..at + 4].copy_from_slice(b"free");
    }
    file
}

#[test]
fn we_decrypt_movies_without_fragments_that_ffmpeg_encrypts() {
    let folder = tempfile::tempdir().unwrap();
    for name in CLIPS {
        let path = folder.path().join("protected.mp4");
        ffmpeg_encrypts(&clip_path(name), &path);
        let protected = fs::read(&path).unwrap();
        let summary = admit_media::inspect(&mut std::io::Cursor::new(&protected)).unwrap();
        assert_eq!((summary.fragments, summary.tracks.len()), (0, streams(name).len()), "{name}");
        let entries = summary.tracks.iter().flat_map(|track| &track.entries);
        for protection in entries.map(|entry| entry.protection.unwrap()) {
            assert_eq!((protection.scheme, protection.tenc.unwrap().key_id), (fourcc::CENC, KEY_ID), "{name}");
        }
        for protected in [protected.clone(), without_senc(protected)] {
            let clear = decrypt_with(&protected, KEY).unwrap();
            assert_eq!(clear.len(), protected.len());
            let clear = write(folder.path(), "clear.mp4", &clear);
            assert_eq!(stream_hashes(&clear, None), stream_hashes(&clip_path(name), None), "{name}");
        }
    }
}

#[test]
fn a_movie_without_fragments_whose_auxiliary_information_is_cut_or_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("protected.mp4");
    ffmpeg_encrypts(&clip_path("audio-only"), &path);
    let protected = without_senc(fs::read(&path).unwrap());
    let saio = protected.windows(4).position(|window| window == b"saio").unwrap() + 4;
    for offset in [u32::MAX, u32::try_from(protected.len() - 1).unwrap()] {
        let mut file = protected.clone();
        file[saio + 8..saio + 12].copy_from_slice(&offset.to_be_bytes());
        assert!(matches!(decrypt_with(&file, KEY), Err(MediaError::Truncated { .. })), "{offset}");
    }
    let saiz = protected.windows(4).position(|window| window == b"saiz").unwrap() + 4;
    let mut file = protected.clone();
    file[saiz + 5..saiz + 9].copy_from_slice(&1_u32.to_be_bytes());
    decrypt_with(&file, KEY).unwrap_err();
}

#[test]
fn subsample_maps_are_those_of_shaka_packager() {
    let folder = tempfile::tempdir().unwrap();
    for name in CLIPS {
        let ours = samples(&packaged(&clip(name)));
        for stream in streams(name) {
            let path = folder.path().join("protected.mp4");
            shaka_encrypts(&clip_path(name), stream, &path);
            let theirs = samples(&fs::read(&path).unwrap());
            let ours: Vec<_> = ours.iter().filter(|sample| sample.video == (*stream == "video")).collect();
            assert_eq!(ours.len(), theirs.len(), "{name} {stream}");
            for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                assert_eq!(ours.subsamples, theirs.subsamples, "{name} {stream} sample {index}");
            }
        }
    }
}

#[test]
fn every_protected_sample_differs_from_the_clear_one() {
    for name in CLIPS {
        let protected = packaged(&clip(name));
        let clear = decrypt_with(&protected, KEY).unwrap();
        for (index, (protected, clear)) in samples(&protected).iter().zip(&samples(&clear)).enumerate() {
            let protected_bytes: u32 = protected.subsamples.iter().map(|(_, protected)| protected).sum();
            if !protected.video || protected_bytes > 0 {
                assert_ne!(protected.bytes, clear.bytes, "{name} sample {index}");
            }
            check_clear_ranges(protected, clear);
        }
    }
}

fn check_clear_ranges(protected: &Seen, clear: &Seen) {
    let mut position = 0;
    for &(clear_bytes, protected_bytes) in &protected.subsamples {
        let range = position..position + usize::from(clear_bytes);
        assert_eq!(protected.bytes[range.clone()], clear.bytes[range.clone()]);
        position = range.end + usize::try_from(protected_bytes).unwrap();
    }
}
