//! Arguments of `admit play`, `admit burn`, `admit save`, `admit license`, `admit clock` and `admit why`.

use std::path::PathBuf;

use admit_crypto::Digest;
use admit_license::{Action, KeyId};
use clap::{Args, Subcommand};

use super::text::{parse_fingerprint, parse_license_id};

/// Where a client keeps its realms, and whom it trusts.
#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// The client's folder.
    #[arg(long, env = "ADMIT_CLIENT", value_name = "DIR")]
    pub(crate) client: Option<PathBuf>,
    /// Trust the realm whose root has this SHA-256 fingerprint.
    #[arg(long, value_name = "FINGERPRINT", value_parser = parse_fingerprint)]
    pub(crate) trust: Option<Digest>,
}

/// `admit play`.
#[derive(Debug, Args)]
pub(crate) struct PlayArgs {
    /// The protected file, or the address of one on a server that sends parts of files.
    #[arg(value_name = "FILE|URL")]
    pub(crate) file: PathBuf,
    /// The entitlement token, or `@FILE` to read it from a file.
    #[arg(long, value_name = "T|@FILE")]
    pub(crate) token: Option<String>,
    /// Write the clear media here; `-` is standard output.
    #[arg(short, long, value_name = "PATH", conflicts_with = "player")]
    pub(crate) output: Option<PathBuf>,
    /// The program that plays what comes on its standard input; without it, this one where it can, else mpv or ffplay.
    #[arg(long, value_name = "CMD")]
    pub(crate) player: Option<String>,
    /// Decode and render in this process, into memory and for nobody to see, as fast as it goes: for servers and tests.
    #[arg(long, conflicts_with_all = ["output", "player"])]
    pub(crate) offscreen: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit burn`.
#[derive(Debug, Args)]
pub(crate) struct BurnArgs {
    /// The protected tracks, in the disc's order: files or addresses.
    #[arg(value_name = "FILE|URL", required_unless_present = "playlist")]
    pub(crate) files: Vec<PathBuf>,
    /// Burn the tracks of this playlist, before those named; licenses have a right of its own for that.
    #[arg(long, value_name = "M3U")]
    pub(crate) playlist: Option<PathBuf>,
    /// The image to write: `IMAGE.bin` and `IMAGE.cue`.
    #[arg(short, long, value_name = "IMAGE")]
    pub(crate) output: PathBuf,
    /// The entitlement token, or `@FILE` to read it from a file.
    #[arg(long, value_name = "T|@FILE")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit save`.
#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    /// The address of a protected file on a server that sends parts of files, or a file.
    #[arg(value_name = "URL|FILE")]
    pub(crate) file: PathBuf,
    /// The file to write, protected as the stream is.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// The entitlement token, or `@FILE` to read it from a file.
    #[arg(long, value_name = "T|@FILE")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit license`.
#[derive(Debug, Subcommand)]
pub(crate) enum LicenseCommand {
    /// What is in the store.
    List(#[command(flatten)] ClientArgs),
    /// What one license says.
    Show(LicenseIdArgs),
    /// Acquire a license ahead of time.
    Acquire(LicenseAcquireArgs),
    /// Get licenses again that were issued to this client, or to the buyer whom a token names.
    Recover(LicenseRecoverArgs),
    /// Delete a license.
    Delete(LicenseIdArgs),
}

/// `admit license show` and `delete`.
#[derive(Debug, Args)]
pub(crate) struct LicenseIdArgs {
    /// The license id, or how it begins.
    #[arg(value_parser = parse_license_id)]
    pub(crate) id: String,
    /// The protected file that it is for, or its content header: then only licenses for that are looked at, and not the whole
    /// store.
    #[arg(value_name = "FILE|URL")]
    pub(crate) file: Option<PathBuf>,
    /// The same by the id of the content key.
    #[arg(long = "kid", value_name = "UUID", conflicts_with = "file")]
    pub(crate) key_id: Option<KeyId>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit clock`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// What time it is, how certain that is and why. Nothing is sent.
    Show(#[command(flatten)] ClientArgs),
    /// Get a signed time from each realm's license server, or else from its clock services.
    Sync(#[command(flatten)] ClientArgs),
}

/// `admit license acquire`.
#[derive(Debug, Args)]
pub(crate) struct LicenseAcquireArgs {
    /// The protected file, or one that holds its signed content header and nothing else; or the address of one on a server that
    /// sends parts of files.
    #[arg(value_name = "FILE|URL", required_unless_present = "key_ids")]
    pub(crate) file: Option<PathBuf>,
    /// The id of a content key, where there is no file yet; may be given several times.
    #[arg(long = "kid", value_name = "UUID", conflicts_with = "file")]
    pub(crate) key_ids: Vec<KeyId>,
    /// With `--kid`: the realm whose key it is, where the client knows several.
    #[arg(long, value_name = "FINGERPRINT", value_parser = parse_fingerprint, requires = "key_ids", conflicts_with = "file")]
    pub(crate) realm: Option<Digest>,
    /// With `--kid`: the address of the license server, where the client does not know its realm yet.
    #[arg(long, value_name = "URL", requires = "key_ids", conflicts_with_all = ["file", "realm"])]
    pub(crate) server: Option<String>,
    /// What the license is wanted for; may be given several times. Without it, play.
    #[arg(long = "action", value_name = "ACTION")]
    pub(crate) actions: Vec<Action>,
    /// The entitlement token, or `@FILE` to read it from a file.
    #[arg(long, value_name = "T|@FILE")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit license recover`.
#[derive(Debug, Args)]
pub(crate) struct LicenseRecoverArgs {
    /// The protected files, or their content headers; without one, everything.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// An entitlement token of the buyer, or `@FILE` to read it from a file.
    #[arg(long, value_name = "T|@FILE")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// play, transfer-to-non-sdmi, transfer-to-sdmi, burn, playlist-burn, save-stream or backup.
    pub(crate) action: Action,
    /// The protected file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}
