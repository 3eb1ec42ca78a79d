//! The command line, as `docs/cli.md` says it.

mod policy;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use admit_crypto::Digest;
use admit_license::{Action, KeyId, LicenseId};
use admit_protocol::Code;
use admit_trust::ComponentVersion;
use clap::{Args, Parser, Subcommand, ValueEnum};

use self::policy::parse_claim;
pub(crate) use self::policy::{Clock, PolicyCommand, PolicyTestArgs};
use crate::failure::{Failure, Outcome};

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
    /// Operator: show the audit record and prove that it is whole.
    Audit(AuditArgs),
    /// Operator: look at a home and the machine under it, with advice.
    Doctor(HomeArgs),
    /// Operator: the home's own safety and its helpers.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Buyer: play a protected file, acquiring a license where none is there.
    Play(PlayArgs),
    /// Buyer: the license store.
    #[command(subcommand)]
    License(LicenseCommand),
    /// Buyer: may this action happen now? Every reason and every remedy.
    Why(WhyArgs),
    /// Anybody: what is protected in a file, and how; also licenses, certificates and realm documents.
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

/// `admit package`.
#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// The media to protect: MP4 with H.264 and AAC.
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
    pub(crate) home: HomeArgs,
    /// Register the key at this server instead of in a home.
    #[arg(long, value_name = "URL", requires = "token")]
    pub(crate) server: Option<String>,
    /// The operator token for that server, or `@FILE` to read it from a file; `admit admin token make` makes one.
    #[arg(long, value_name = "T|@FILE", env = "ADMIT_OPERATOR_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
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
        /// The key-encryption key, for a backup without it.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Renew the services' keys and certificates with the root key: the license service, and what is due within a year.
    Renew(RenewArgs),
    /// Keys that sign buyers' entitlement tokens: this realm's, and those of shops.
    #[command(subcommand)]
    TokenKey(TokenKeyCommand),
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
    /// The program that plays what comes on its standard input; without it, mpv or ffplay.
    #[arg(long, value_name = "CMD")]
    pub(crate) player: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// `admit license`.
#[derive(Debug, Subcommand)]
pub(crate) enum LicenseCommand {
    /// What is in the store.
    List(#[command(flatten)] ClientArgs),
    /// What one license says.
    Show {
        /// The license id.
        #[arg(value_parser = parse_license_id)]
        id: LicenseId,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Acquire a license ahead of time.
    Acquire(LicenseAcquireArgs),
    /// Delete a license.
    Delete {
        /// The license id.
        #[arg(value_parser = parse_license_id)]
        id: LicenseId,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// `admit license acquire`.
#[derive(Debug, Args)]
pub(crate) struct LicenseAcquireArgs {
    /// The protected file.
    pub(crate) file: PathBuf,
    /// What the license is wanted for; may be given several times. Without it, play.
    #[arg(long = "action", value_name = "ACTION")]
    pub(crate) actions: Vec<Action>,
    /// The entitlement token, or `@FILE` to read it from a file.
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

/// `admit inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Media, a license, a certificate or a realm document.
    pub(crate) file: PathBuf,
}

/// `admit error`.
#[derive(Debug, Args)]
pub(crate) struct ErrorArgs {
    /// A number such as 0xC00D2720, or a name; without it, the whole table.
    pub(crate) code: Option<String>,
}

/// The token's characters: as they stand, or from the file behind `@`.
pub(crate) fn token_text(given: Option<&str>) -> Outcome<Option<String>> {
    let text = given.map(text_or_file).transpose()?;
    let has_control = |text: &String| text.bytes().any(|byte| !byte.is_ascii_graphic());
    if text.as_ref().is_some_and(has_control) {
        return Err(Failure::new(Code::ADMIT_E_TOKEN_INVALID, "the token holds characters that no token has"));
    }
    Ok(text)
}

/// A text, or what stands in the file behind `@`, without white space around it.
pub(crate) fn text_or_file(given: &str) -> Outcome<String> {
    let Some(path) = given.strip_prefix('@').map(Path::new) else { return Ok(given.to_owned()) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    Ok(text.trim().to_owned())
}

fn parse_fingerprint(text: &str) -> Result<Digest, &'static str> {
    Digest::from_hex(text).ok_or("expected 64 hexadecimal digits")
}

fn parse_license_id(text: &str) -> Result<LicenseId, &'static str> {
    let id: KeyId = text.parse().map_err(|_| "expected 32 hexadecimal digits")?;
    Ok(LicenseId::from_bytes(*id.as_bytes()))
}

/// Row A03: only versions of individualized components are minima.
fn parse_minimum_version(text: &str) -> Result<ComponentVersion, String> {
    let version: ComponentVersion =
        text.parse().map_err(|error: admit_trust::InvalidComponentVersion| error.to_string())?;
    if version.is_individualized() {
        Ok(version)
    } else {
        Err("a minimum version is one of an individualized component: its last digit is odd, as in 2.4.0.1".into())
    }
}

/// What players may open.
fn parse_web_address(text: &str) -> Result<String, &'static str> {
    let expected = "expected an absolute http or https address, such as https://shop.example.org/film";
    admit_license::header::is_web_address(text).then(|| text.to_owned()).ok_or(expected)
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a number and s, m, h or d, such as 24h";
    let unit = text.chars().last().ok_or(EXPECTED)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(EXPECTED),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| EXPECTED)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_duration("2d"), Ok(Duration::from_secs(172_800)));
        for text in ["", "m", "15", "1.5h", "-1h", "15µ", "99999999999999999999d", "9999999999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }
}
