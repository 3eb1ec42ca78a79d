//! The command line, as `docs/cli.md` says it.

mod admin;
mod client;
mod content;
mod device;
mod home;
mod policy;
mod text;
mod trust;

use std::path::PathBuf;

use admit_crypto::Digest;
use clap::{Args, Parser, Subcommand};

use self::text::parse_fingerprint;

pub(crate) use self::admin::{
    AdminCommand, Custody, OperatorTokenCommand, RenewArgs, RotateKeyArgs, TokenKeyAddArgs, TokenKeyCommand,
};
pub(crate) use self::client::{
    BurnArgs, ClientArgs, ClockCommand, LicenseAcquireArgs, LicenseCommand, LicenseIdArgs, LicenseRecoverArgs,
    PlayArgs, SaveArgs, WhyArgs,
};
pub(crate) use self::content::{LocalArgs, PackageArgs, TokenArgs};
pub(crate) use self::device::{DeviceCommand, DeviceMakeArgs, DevicePlayArgs, DeviceTransferArgs};
pub(crate) use self::home::{InitArgs, Pkcs11Args, ServeArgs};
pub(crate) use self::policy::{Clock, Feature, PolicyCommand, PolicyTestArgs, Sdk, StateOfClock};
pub(crate) use self::text::{text_or_file, token_text};
pub(crate) use self::trust::{HardwareArgs, RootKeyArgs, TimeAddArgs, TimeCommand, TimeRemoveArgs, TrustCommand};

/// Admit: digital rights management that an operator runs alone.
#[derive(Debug, Parser)]
#[command(name = "admit", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Operator: make a home with trust root, service keys, configuration and database.
    Init(InitArgs),
    /// Operator: run the services of a home.
    Serve(ServeArgs),
    /// Operator: protect media and register its key.
    Package(Box<PackageArgs>),
    /// Operator: the acquisition policy, which says what licenses hold.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Operator: make a buyer's entitlement token.
    Token(TokenArgs),
    /// Operator: revoke a client, which gets no more licenses from then on.
    Revoke(RevokeArgs),
    /// Operator: certificates that the trust root stands behind.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Operator: show the audit record and prove that it is whole.
    Audit(AuditArgs),
    /// Operator: look at a home and the machine under it, with advice.
    Doctor(HomeArgs),
    /// Operator: the home's own safety and its helpers.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Buyer: play a protected file, acquiring a license where none is there.
    Play(PlayArgs),
    /// Buyer: burn protected tracks to the image of an audio disc.
    Burn(BurnArgs),
    /// Buyer: save a stream to a file, still protected.
    Save(SaveArgs),
    /// Buyer: the license store.
    #[command(subcommand)]
    License(LicenseCommand),
    /// Buyer: the trusted clock, which licenses with limits in time need.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Buyer: portable devices and media.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Buyer: may this action happen now? Every reason and every remedy.
    Why(WhyArgs),
    /// Anybody: what is protected in a file, and how; also content headers, licenses, certificates and realm documents.
    Inspect(InspectArgs),
    /// Anybody: the error table.
    Error(ErrorArgs),
}

/// Where an operator's home is.
#[derive(Debug, Args)]
pub(crate) struct HomeArgs {
    /// The home folder.
    #[arg(long, env = "ADMIT_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
}

/// `admit revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The SHA-256 of the client's certificate, as `admit audit` shows it.
    #[arg(value_name = "CLIENT", value_parser = parse_fingerprint)]
    pub(crate) client: Digest,
    /// Why, for the audit record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// `admit audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Show at most this many of the newest records.
    #[arg(long, default_value_t = 100)]
    pub(crate) last: u32,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// `admit inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Media, a content header, a license, a certificate or a realm document.
    pub(crate) file: PathBuf,
    /// Write the content header alone, as it is signed, to this file: licenses can be acquired with it.
    #[arg(long, value_name = "OUT")]
    pub(crate) header: Option<PathBuf>,
}

/// `admit error`.
#[derive(Debug, Args)]
pub(crate) struct ErrorArgs {
    /// A number such as 0xC00D2720, or a name; without it, the whole table.
    pub(crate) code: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
