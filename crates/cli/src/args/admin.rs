//! Arguments of `admit admin`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::HomeArgs;
use super::text::parse_duration;

/// `admit admin`.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Tokens with which an operator's programs use the server.
    #[command(subcommand)]
    Token(OperatorTokenCommand),
    /// Seal everything at rest under a new key-encryption key. Servers of the home may run meanwhile; an attempt that was
    /// interrupted is finished by the next.
    RotateKey(RotateKeyArgs),
    /// Copy a home on SQLite while servers use it: database, settings and root certificate.
    Backup {
        /// The folder to make.
        #[arg(value_name = "OUT")]
        out: PathBuf,
        /// Put the key-encryption key in as well. Whoever has such a backup has everything but the root key.
        #[arg(long)]
        with_key: bool,
        #[command(flatten)]
        home: HomeArgs,
    },
    /// Make a home of a backup.
    Restore {
        /// The backup.
        #[arg(value_name = "IN")]
        backup: PathBuf,
        /// The home to make.
        dir: PathBuf,
        /// The key-encryption key, for a backup without it. May be given twice, for a backup that says it needs two.
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
    },
    /// Renew the services' keys and certificates with the root key: the license service, and what is due within a year.
    Renew(RenewArgs),
    /// Keys that sign buyers' entitlement tokens: this realm's, and those of shops.
    #[command(subcommand)]
    TokenKey(TokenKeyCommand),
}

/// `admit admin rotate-key`.
#[derive(Debug, Args)]
pub(crate) struct RotateKeyArgs {
    /// Where the new key is to be. Without it, under the token's key where `admit.toml` names a token, else in a file.
    #[arg(long, value_enum, value_name = "PLACE")]
    pub(crate) to: Option<Custody>,
    /// Make the token's key if it is not there.
    #[arg(long)]
    pub(crate) create_key: bool,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// Where a key-encryption key can be.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Custody {
    /// In a file as it is.
    File,
    /// Under a key in a PKCS#11 token.
    Pkcs11,
}

/// `admit admin renew`.
#[derive(Debug, Args)]
pub(crate) struct RenewArgs {
    /// The root key as `admit init` exported it; only a home for demonstrations has it inside.
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
    /// Renew all of them, as after a theft of keys.
    #[arg(long)]
    pub(crate) all: bool,
    /// A file with the root key's passphrase; without it, it is asked for.
    #[arg(long, value_name = "FILE", requires = "root_key")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// `admit admin token-key`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenKeyCommand {
    /// Make a new key of this realm, which signs from now on; or import the public key or shared secret of a shop.
    Add(TokenKeyAddArgs),
    /// List them.
    List(#[command(flatten)] HomeArgs),
    /// Retire one: it signs no more, and verifies for a while.
    Retire {
        /// The key's name.
        kid: String,
        /// How long it verifies what it signed, such as `30d`, or `0s` for a key that was stolen. Without it, the longest
        /// lifetime of a token.
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        verify_for: Option<Duration>,
        #[command(flatten)]
        home: HomeArgs,
    },
}

/// `admit admin token-key add`.
#[derive(Debug, Args)]
pub(crate) struct TokenKeyAddArgs {
    /// The shop, as its tokens say it in `iss`.
    #[arg(long, value_name = "ISS", requires = "import")]
    pub(crate) issuer: Option<String>,
    /// The key's name in tokens. Without it, the one in the JWK, or one made of a public key.
    #[arg(long, requires = "import")]
    pub(crate) kid: Option<String>,
    /// The shop's public key, P-256 or Ed25519, in PEM or as a JWK.
    #[arg(long, value_name = "FILE", group = "import", requires = "issuer")]
    pub(crate) public_key: Option<PathBuf>,
    /// A file with the secret for HS256 that is shared with the shop, 32 bytes or more.
    #[arg(long, value_name = "FILE", group = "import", requires_all = ["issuer", "kid"])]
    pub(crate) secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

/// `admit admin token`.
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorTokenCommand {
    /// Make one. It is shown this once.
    Make {
        /// Whose it is, for the list and the audit record.
        name: String,
        /// How long it is good for, such as `24h` or `90d`.
        #[arg(long, value_name = "TIME", default_value = "90d", value_parser = parse_duration)]
        valid: Duration,
        #[command(flatten)]
        home: HomeArgs,
    },
    /// List them.
    List(#[command(flatten)] HomeArgs),
    /// Revoke one, for good.
    Revoke {
        /// Whose it is.
        name: String,
        #[command(flatten)]
        home: HomeArgs,
    },
}
