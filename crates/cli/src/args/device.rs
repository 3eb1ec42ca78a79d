//! Arguments of `admit device`.

use std::path::PathBuf;

use admit_crypto::Digest;
use admit_protocol::enrol::DeviceRequest;
use clap::{Args, Subcommand};

use super::text::parse_fingerprint;
use super::{ClientArgs, HomeArgs};

/// `admit device`.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Make a portable device or medium in a folder, certified by a realm.
    Make(DeviceMakeArgs),
    /// What a device is, and which licenses it has.
    Show {
        /// The device's folder.
        dir: PathBuf,
    },
    /// Copy protected content to a device, with a license for it.
    Transfer(DeviceTransferArgs),
    /// Play what is on a device by the device's own licenses, or what is on a medium on this PC.
    Play(DevicePlayArgs),
}

/// `admit device make`.
#[derive(Debug, Args)]
pub(crate) struct DeviceMakeArgs {
    /// The folder to make it in; other files in there stay as they are.
    pub(crate) dir: PathBuf,
    /// The serial number in its hardware, 1 to 64 visible ASCII characters.
    #[arg(long, value_parser = parse_serial)]
    pub(crate) serial: Option<String>,
    /// An SDMI-compliant one: only whoever has the realm's home can certify that.
    #[arg(long)]
    pub(crate) sdmi: bool,
    /// A medium, which is played on a PC or in a device, instead of a device that plays by itself.
    #[arg(long)]
    pub(crate) media: bool,
    /// The realm that certifies it, where the client knows several.
    #[arg(long, value_name = "FINGERPRINT", value_parser = parse_fingerprint, conflicts_with = "sdmi")]
    pub(crate) realm: Option<Digest>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// `admit device transfer`.
#[derive(Debug, Args)]
pub(crate) struct DeviceTransferArgs {
    /// The protected file.
    pub(crate) file: PathBuf,
    /// The device's folder.
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit device play`.
#[derive(Debug, Args)]
pub(crate) struct DevicePlayArgs {
    /// The device's folder.
    pub(crate) dir: PathBuf,
    /// The protected file, in that folder or elsewhere.
    pub(crate) file: PathBuf,
    /// Where the clear media goes; `-` is standard output.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Play the medium in this device instead of on this PC.
    #[arg(long = "in", value_name = "DEVICE")]
    pub(crate) inside: Option<PathBuf>,
}

fn parse_serial(text: &str) -> Result<String, &'static str> {
    DeviceRequest::is_serial(text).then(|| text.to_owned()).ok_or("expected 1 to 64 visible ASCII characters")
}
