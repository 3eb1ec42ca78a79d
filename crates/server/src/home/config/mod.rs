//! The settings of a home: one file per section, where each setting has its default, its words and its bounds in one
//! place. `admit.toml` as `admit init` writes it and the tables of `docs/operate/configure.md` follow from these.

mod cors;
mod database;
mod enrolment;
mod environment;
mod general;
mod http;
mod licenses;
mod log;
mod metrics;
mod mistake;
mod nearest;
mod pkcs11;
mod policy;
mod read;
mod recovery;
mod sample;
mod service;
mod setting;
mod time;
mod tls;
mod tokens;
mod traces;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::store::Location;

pub use environment::Environment;
pub(super) use general::is_http_address;
pub(crate) use mistake::all as all_mistakes;
pub use mistake::{Mistake, Origin};
pub(crate) use nearest::nearest;
pub use pkcs11::{Pin, Pkcs11};
pub(super) use sample::sample;
pub use service::{
    LicenseLimits, Limit, Log, LogFormat, LogLevel, Origins, PolicyPaths, Recovery, Share, TlsFiles, Traces,
};
pub use setting::Described;
use setting::Section;
pub use time::Time;

/// The settings of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The database, where it is not the SQLite file in the home.
    pub database: Option<Location>,
    /// The address under which clients reach the server, for license acquisition addresses in content headers.
    pub public_address: Option<String>,
    /// Enrolments per network address and hour.
    pub enrolments_per_hour: u32,
    /// Enrolments of one network address at once.
    pub enrolment_burst: u32,
    /// The longest time that an entitlement token may be valid.
    pub token_maximum_lifetime: Duration,
    /// The longest time that a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// The longest time that a client may take to send the body of a request.
    pub body_timeout: Duration,
    /// The longest time that answering a request may take.
    pub request_timeout: Duration,
    /// The most connections at once.
    pub maximum_connections: usize,
    /// The most connections at once of one network address, if there is a limit.
    pub connections_per_address: Option<usize>,
    /// The most requests under way at once.
    pub maximum_requests: usize,
    /// How long a server that is being stopped goes on serving, while `/ready` says so.
    pub drain: Duration,
    /// The TLS certificate and its key. Without them the server speaks plain HTTP, on loopback only.
    pub tls: Option<TlsFiles>,
    /// What the log looks like.
    pub log: Log,
    /// Where the metrics are served, where that is not beside everything else and to loopback only.
    pub metrics_listen: Option<SocketAddr>,
    /// Where the spans of requests are sent, and which.
    pub traces: Traces,
    /// Which pages of others may use the server.
    pub origins: Origins,
    /// How often licenses may be asked for.
    pub licenses: LicenseLimits,
    /// How the time is signed.
    pub time: Time,
    /// What licenses say, where that is not the default.
    pub policy: PolicyPaths,
    /// Which licenses are issued again.
    pub recovery: Recovery,
    /// The token whose key is over the key-encryption key, where that is not in a file as it is.
    pub pkcs11: Option<Pkcs11>,
    /// Files that secrets were read from.
    pub secret_files: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: general::LISTEN,
            database: None,
            public_address: None,
            enrolments_per_hour: enrolment::PER_HOUR,
            enrolment_burst: enrolment::BURST,
            token_maximum_lifetime: tokens::MAXIMUM_LIFETIME,
            header_timeout: http::HEADER_TIMEOUT,
            body_timeout: http::BODY_TIMEOUT,
            request_timeout: http::REQUEST_TIMEOUT,
            maximum_connections: http::MAXIMUM_CONNECTIONS,
            connections_per_address: Some(http::CONNECTIONS_PER_ADDRESS),
            maximum_requests: http::MAXIMUM_REQUESTS,
            drain: Duration::ZERO,
            tls: None,
            log: Log::default(),
            metrics_listen: None,
            traces: Traces::default(),
            origins: Origins::default(),
            licenses: LicenseLimits::default(),
            time: Time::default(),
            policy: PolicyPaths::default(),
            recovery: Recovery::default(),
            pkcs11: None,
            secret_files: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the file's text alone; `path` is for error messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        Self::read(text, path, &Environment::default()).map_err(|mistakes| Error::Configuration { mistakes })
    }

    /// Reads the file's text, then what the environment sets instead. On failure every mistake is told, in the order
    /// of the file and then of the environment.
    pub fn read(text: &str, path: &Path, environment: &Environment) -> Result<Self, Vec<Mistake>> {
        read::read(text, path, environment)
    }

    /// All settings as people know them, section by section.
    pub fn described() -> Vec<Described> {
        let of = |section: &'static Section| section.settings.iter().map(|setting| setting.described(section));
        SECTIONS.iter().flat_map(|section| of(section)).collect()
    }
}

/// In the order of the file.
const SECTIONS: &[&Section] = &[
    &general::SECTION,
    &tls::SECTION,
    &database::SECTION,
    &pkcs11::SECTION,
    &enrolment::SECTION,
    &licenses::SECTION,
    &policy::SECTION,
    &recovery::SECTION,
    &tokens::SECTION,
    &time::SECTION,
    &http::SECTION,
    &cors::SECTION,
    &log::SECTION,
    &metrics::SECTION,
    &traces::SECTION,
];
