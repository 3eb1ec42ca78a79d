//! Arguments of `admit init` and `admit serve`.

use std::path::PathBuf;

use clap::Args;

use super::HomeArgs;

/// `admit init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to make.
    pub(crate) dir: PathBuf,
    /// The operator's name, which buyers see.
    #[arg(long, default_value = "Admit operator")]
    pub(crate) name: String,
    /// The address that buyers' programs reach the server at; content headers carry it.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7447")]
    pub(crate) public_address: String,
    /// A PostgreSQL database instead of a SQLite file in the home, such as postgres://admit@db.example.org/admit. Other
    /// users of this machine can see arguments: `@FILE` reads it from a file.
    #[arg(long, value_name = "URL|@FILE")]
    pub(crate) database: Option<String>,
    /// The security level that clients enrol at until they are individualized.
    #[arg(long, value_name = "LEVEL", default_value_t = 150, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) enrol_level: u32,
    /// The security level of this program's own certificate. From 450 on clients may mark their own recordings as
    /// SDMI-validated, and what plays inside the process counts as this; what leaves it in clear is 150 at most.
    #[arg(long, value_name = "LEVEL", default_value_t = 150, value_parser = clap::value_parser!(u32).range(0..=2000))]
    pub(crate) app_level: u32,
    /// A file with the passphrase for the exported root key; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Keep the root key in the home. For demonstrations only: whoever has the home then has the realm.
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) demo_root_online: bool,
    #[command(flatten)]
    pub(crate) pkcs11: Pkcs11Args,
}

/// A key in a PKCS#11 token, for a new home.
#[derive(Debug, Args)]
pub(crate) struct Pkcs11Args {
    /// Put the key-encryption key under a key in a token of this PKCS#11 library.
    #[arg(long = "pkcs11-module", value_name = "FILE", requires_all = ["token", "key", "pin_file"])]
    pub(crate) module: Option<PathBuf>,
    /// The token's label.
    #[arg(long = "pkcs11-token", value_name = "LABEL", requires = "module")]
    pub(crate) token: Option<String>,
    /// The key's label: an AES-256 key.
    #[arg(long = "pkcs11-key", value_name = "LABEL", requires = "module")]
    pub(crate) key: Option<String>,
    /// The file that holds the PIN of the token's user.
    #[arg(long = "pkcs11-pin-file", value_name = "FILE", requires = "module")]
    pub(crate) pin_file: Option<PathBuf>,
    /// Make the key in the token if it is not there.
    #[arg(long = "pkcs11-create-key", requires = "module")]
    pub(crate) create_key: bool,
}

/// `admit serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) home: HomeArgs,
    /// The address to listen on; port 0 picks a free one. Without it, the one in admit.toml.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Speak TLS with this certificate and the chain above it (PEM). Without it, the one in admit.toml.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}
