//! Arguments of `admit package` and `admit token`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use admit_crypto::Digest;
use admit_license::{KeyId, Rights};
use admit_trust::ComponentVersion;
use clap::Args;

use super::HomeArgs;
use super::policy::parse_claim;
use super::text::{parse_duration, parse_fingerprint, parse_minimum_version, parse_right, parse_web_address};

/// `admit package`.
#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// The media to protect: MP4 with H.264, and with AAC, MP3, FLAC, Apple Lossless or Opus.
    #[arg(value_name = "INPUT")]
    pub(crate) input: PathBuf,
    /// The protected file to write.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// The protection scheme.
    #[arg(long, default_value = "cenc", value_parser = ["cenc"])]
    pub(crate) scheme: String,
    /// One self-contained MP4.
    #[arg(long, default_value = "file", value_parser = ["file"])]
    pub(crate) format: String,
    /// The title, in clear.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The artist, in clear.
    #[arg(long)]
    pub(crate) artist: Option<String>,
    /// The album, in clear.
    #[arg(long)]
    pub(crate) album: Option<String>,
    /// The copyright statement, in clear.
    #[arg(long)]
    pub(crate) copyright: Option<String>,
    /// A cover picture (JPEG or PNG), in clear.
    #[arg(long, value_name = "FILE")]
    pub(crate) cover: Option<PathBuf>,
    /// The content id that tokens name; without it, the key id.
    #[arg(long, value_name = "ID")]
    pub(crate) content_id: Option<String>,
    /// The key id; without it, a new one.
    #[arg(long, value_name = "UUID", requires = "key")]
    pub(crate) kid: Option<KeyId>,
    /// The content key in hexadecimal, for media that is protected elsewhere too. Other users of this machine can
    /// see arguments: `@FILE` reads it from a file.
    #[arg(long, value_name = "HEX|@FILE", requires = "kid")]
    pub(crate) key: Option<String>,
    /// The least version of an individualized component.
    #[arg(long, value_name = "VERSION", value_parser = parse_minimum_version)]
    pub(crate) min_version: Option<ComponentVersion>,
    /// The least application security level.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) min_app_level: Option<u32>,
    /// License this content to every client, without a token.
    #[arg(long)]
    pub(crate) open: bool,
    /// For browsers' ClearKey instead of licenses: whoever is given the key sees it, and nothing limits what they do.
    #[arg(long, conflicts_with_all = ["min_version", "min_app_level", "license_page"])]
    pub(crate) clearkey: bool,
    /// The page where buyers get a license.
    #[arg(long, value_name = "URL", value_parser = parse_web_address)]
    pub(crate) license_page: Option<String>,
    #[command(flatten)]
    pub(crate) local: LocalArgs,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
    /// Register the key at this server instead of in a home.
    #[arg(long, value_name = "URL", requires = "token")]
    pub(crate) server: Option<String>,
    /// The operator token for that server, or `@FILE` to read it from a file; `admit admin token make` makes one.
    #[arg(long, value_name = "T|@FILE", env = "ADMIT_OPERATOR_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

/// What `admit package --local` takes beside that.
#[derive(Debug, Args)]
pub(crate) struct LocalArgs {
    /// Protect your own recording for this client alone, without a server: the licenses go into the client's store.
    #[arg(long, conflicts_with_all = ["server", "open", "clearkey", "license_page", "kid", "min_version"])]
    pub(crate) local: bool,
    /// The client's folder.
    #[arg(long, env = "ADMIT_CLIENT", value_name = "DIR")]
    pub(crate) client: Option<PathBuf>,
    /// The realm in whose store the licenses go, where the client knows several.
    #[arg(long, value_name = "FINGERPRINT", value_parser = parse_fingerprint, requires = "local")]
    pub(crate) realm: Option<Digest>,
    /// Mark the content as SDMI-validated: one license for this PC, and three for one transfer to an SDMI-compliant device
    /// each. What is protected goes to no other devices.
    #[arg(long, value_name = "CLASS", value_parser = ["protected", "validated"], requires = "local")]
    pub(crate) sdmi: Option<String>,
    /// A license for one use only.
    #[arg(long, requires = "local")]
    pub(crate) one_time: bool,
    /// What the licenses allow; without it, play, transfer-to-non-sdmi and burn-to-cd.
    #[arg(long, value_name = "RIGHT", value_delimiter = ',', value_parser = parse_right, requires = "local")]
    pub(crate) rights: Vec<Rights>,
}

/// `admit token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The buyer, as the operator knows them.
    #[arg(long, value_name = "ID")]
    pub(crate) subject: String,
    /// What was bought: content ids, or `*` for everything.
    #[arg(long, value_name = "ID", required = true, num_args = 1..)]
    pub(crate) content: Vec<String>,
    /// How long the token is good for, such as `15m`, `24h` or `30d`.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    pub(crate) valid: Duration,
    /// How often the token may be used; without it, as often as its time allows.
    #[arg(long, value_name = "N")]
    pub(crate) uses: Option<NonZeroU32>,
    /// A claim for the acquisition policy; may be given several times. Numbers, true and false are what they look like.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    pub(crate) claims: Vec<(String, serde_json::Value)>,
    /// Only the client with this signing key thumbprint may use it.
    #[arg(long, value_name = "THUMBPRINT", value_parser = parse_fingerprint)]
    pub(crate) bound_to: Option<Digest>,
    #[command(flatten)]
    pub(crate) home: HomeArgs,
}
