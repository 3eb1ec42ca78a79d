//! Arguments of `admit trust`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::HomeArgs;
use super::text::{PublishedKey, parse_time_key};

/// `admit trust`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Vouch for a device's hardware, in which a clock is protected from change: clients that enrol on it get a certificate
    /// that says so.
    Hardware(HardwareArgs),
    /// Clock services, which the realm document lists: where clients ask for the time.
    #[command(subcommand)]
    Time(TimeCommand),
}

/// `admit trust time`.
#[derive(Debug, Subcommand)]
pub(crate) enum TimeCommand {
    /// Show what is listed, in the order in which clients ask.
    List(HomeArgs),
    /// List the realm's own clock services at a further address, or somebody else's.
    Add(TimeAddArgs),
    /// Take what is listed at an address from the list.
    Remove(TimeRemoveArgs),
}

/// `admit trust time add`.
#[derive(Debug, Args)]
pub(crate) struct TimeAddArgs {
    /// Where it answers: <https://…>, <http://…> or <udp://HOST:PORT>. Without a path over HTTP, at /v1/time.
    #[arg(long, value_name = "URL")]
    pub(crate) address: String,
    /// The long-term key of somebody else's Roughtime server, in base64 or hexadecimal; without it, the realm's own answer there.
    #[arg(long, value_parser = parse_time_key, requires = "name")]
    pub(crate) key: Option<PublishedKey>,
    /// What that server is called here: letters, digits, dots, hyphens and underscores.
    #[arg(long, requires = "key")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) root: RootKeyArgs,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// `admit trust time remove`.
#[derive(Debug, Args)]
pub(crate) struct TimeRemoveArgs {
    /// The address.
    #[arg(long, value_name = "URL")]
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) root: RootKeyArgs,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// Where the root key is.
#[derive(Debug, Args)]
pub(crate) struct RootKeyArgs {
    /// The root key as `admit init` exported it; only a home for demonstrations has it inside.
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
    /// A file with the root key's passphrase; without it, it is asked for.
    #[arg(long, value_name = "FILE", requires = "root_key")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// `admit trust hardware`.
#[derive(Debug, Args)]
pub(crate) struct HardwareArgs {
    /// What the device is called, such as its serial number.
    #[arg(long)]
    pub(crate) name: String,
    /// The public key of the device's hardware, P-256, in PEM or as a JWK.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Where to write the certificate, in PEM. A file that is there is not replaced.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) root: RootKeyArgs,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}
