//! What settings about how the server is reached and watched come to: TLS, log, traces, other origins' pages, how
//! often licenses may be asked for, and which file says what they hold.

use std::path::PathBuf;

use crate::policy::PolicyFile;

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

/// Where the spans of requests are sent, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// The address of an OpenTelemetry collector that takes OTLP over HTTP; `None` sends nothing.
    pub endpoint: Option<String>,
    /// What this server is called in traces.
    pub service_name: String,
    /// The share of requests whose spans are sent.
    pub sample: Share,
    /// Whether a request's `traceparent` header says which trace it belongs to.
    pub accept_traceparent: bool,
}

/// A part of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

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

/// The file of the operator's policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyPaths {
    /// An acquisition script.
    pub script: Option<PathBuf>,
    /// Rules in TOML, instead of a script.
    pub rules: Option<PathBuf>,
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

/// Which licenses are issued again, and to how many clients (row B14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Clients that one license is issued to, the first one among them.
    pub clients: u32,
    /// Where an owner goes who has reached that number.
    pub address: Option<String>,
    /// Whether licenses with counts are issued again, with counts that begin anew.
    pub counted: bool,
}

impl Share {
    /// Everything.
    pub const ALL: Self = Self(1.0);

    /// From 0 to 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// From 0 to 1.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0
    }

    /// Whether something that drew this number at random is in the share.
    #[must_use]
    pub fn has(self, drawn: u64) -> bool {
        // As many bits as a fraction of 64 bits holds exactly.
        const BITS: u64 = 1 << 53;
        ((drawn % BITS) as f64) < self.0 * BITS as f64
    }
}

/// It is never the number that does not equal itself.
impl Eq for Share {}

impl Default for Traces {
    fn default() -> Self {
        Self { endpoint: None, service_name: "admit".to_owned(), sample: Share::ALL, accept_traceparent: false }
    }
}

impl PolicyPaths {
    /// The file, where there is one.
    #[must_use]
    pub fn file(&self) -> Option<PolicyFile> {
        let script = self.script.clone().map(PolicyFile::Script);
        script.or_else(|| self.rules.clone().map(PolicyFile::Rules))
    }
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
