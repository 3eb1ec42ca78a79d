//! Arguments of `admit trust`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::HomeArgs;

/// `admit trust`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Vouch for a device's hardware, in which a clock is protected from change: clients that enrol on it get a certificate
    /// that says so.
    Hardware(HardwareArgs),
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
    /// The root key as `admit init` exported it; only a home for demonstrations has it inside.
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
    /// A file with the root key's passphrase; without it, it is asked for.
    #[arg(long, value_name = "FILE", requires = "root_key")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}
