//! What settings about how the server is reached and watched come to: TLS, log, other origins' pages, and how often
//! licenses may be asked for.

use std::path::PathBuf;

/// The files of a TLS certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// The certificate and the chain above it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// What is written at all.
    pub level: LogLevel,
}

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// The least weight of what is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// What went wrong in the server.
    Error,
    /// And what may go wrong soon.
    Warn,
    /// And every request.
    #[default]
    Info,
    /// And every connection that broke off.
    Debug,
}

/// The origins (RFC 6454) whose pages may use the addresses for players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All.
    Any,
    /// These.
    Only(Vec<String>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

/// How often something may be done: so many at once, then so many in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// In an hour.
    pub per_hour: u32,
    /// At once.
    pub burst: u32,
}

/// How often licenses may be asked for; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseLimits {
    /// By one client.
    pub client: Option<Limit>,
    /// With one entitlement token.
    pub token: Option<Limit>,
    /// From one network address.
    pub address: Option<Limit>,
}

impl LogFormat {
    pub(super) const ALL: [(&'static str, Self); 2] = [("text", Self::Text), ("json", Self::Json)];
}

impl LogLevel {
    pub(super) const ALL: [(&'static str, Self); 4] =
        [("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug)];
}

impl Default for LicenseLimits {
    fn default() -> Self {
        Self {
            client: Some(Limit { per_hour: 3_600, burst: 600 }),
            token: Some(Limit { per_hour: 36_000, burst: 6_000 }),
            address: Some(Limit { per_hour: 360_000, burst: 20_000 }),
        }
    }
}
